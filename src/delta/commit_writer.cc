#include "delta/commit_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "delta/commit_reader.h"
#include "delta/log_files.h"

namespace vitalake::delta {
namespace {

constexpr int kReadBackAttempts = 8;

void WriteMap(JsonWriter& out, std::string_view name, const StringMap& map) {
  out.Key(name).BeginObject();
  for (const auto& [key, value] : map) out.Key(key).String(value);
  out.EndObject();
}

bool IsOurs(std::string_view text, std::string_view txn_id) {
  const auto info = FindCommitInfo(text);
  return info && info->txn_id == txn_id;
}

}  // namespace

std::string CommitInfoLine(const CommitHeader& header) {
  JsonWriter out;
  out.BeginObject().Key("commitInfo").BeginObject();
  out.Key("timestamp").Int(header.timestamp_ms).Key("operation").String(header.operation);
  WriteMap(out, "operationParameters", header.parameters);
  if (header.read_version) out.Key("readVersion").Int(header.read_version->value);
  out.Key("isolationLevel").String(header.isolation);
  out.Key("isBlindAppend").Bool(header.is_blind_append);
  WriteMap(out, "operationMetrics", header.metrics);
  out.Key("engineInfo").String("Vitalake").Key("txnId").String(header.txn_id);
  if (!header.user_info.empty()) {
    out.Key("vitalake").BeginObject();
    for (const auto& [key, json] : header.user_info) out.Key(key).Raw(json);
    out.EndObject();
  }
  out.EndObject().EndObject();
  return out.Take();
}

std::optional<CommitInfo> FindCommitInfo(std::string_view text) {
  std::optional<CommitInfo> found;
  JsonParser parser;
  // A broken line further down does not matter here: whoever reads the state reports it.
  (void)ReadCommit(parser, std::string(text), "", ActionFilter::kAll, [&](Action action) -> Status {
    if (auto* info = std::get_if<CommitInfo>(&action)) {
      found = std::move(*info);
      return Fail(ErrorKind::kCancelled, "found");
    }
    return {};
  });
  return found;
}

Result<CommitPut> PutCommit(const Environment& environment, std::string_view root, Version version,
                            std::string_view text, std::string_view txn_id, const Wait& wait) {
  const std::string key = CommitKey(root, version);
  const std::string what = fmt::format("committing version {}", version.value);
  for (int attempt = 0;; ++attempt) {
    VL_RETURN_IF_ERROR(wait.Check(environment.clock, what));
    const auto put = environment.store.PutIfAbsent(key, text);
    if (put && *put == storage::PutOutcome::kCreated) return CommitPut::kCreated;

    auto there = environment.store.Read(key);
    for (int read = 0; !there && there.error().kind != ErrorKind::kNotFound; ++read) {
      const bool over = read == kReadBackAttempts ||
                        !PauseBeforeRetry(environment, wait, read, what).has_value();
      if (over) {
        return Fail(ErrorKind::kUnknownOutcome,
                    fmt::format("it is not known whether version {} was committed, and reading it "
                                "back failed: {}",
                                version.value, there.error().ToString()));
      }
      there = environment.store.Read(key);
    }
    if (there) return IsOurs(*there, txn_id) ? CommitPut::kReadBack : CommitPut::kTaken;
    if (!put && put.error().kind != ErrorKind::kUnknownOutcome) return std::unexpected(put.error());
    if (attempt == kReadBackAttempts) {
      return Fail(ErrorKind::kUnknownOutcome,
                  fmt::format("the store does not say whether version {} was committed; it is not "
                              "there yet",
                              version.value));
    }
    // Nothing is there (yet). Putting it again is safe: if the first one turns up late, the answer
    // is that the version exists, and reading it shows our own id.
    VL_RETURN_IF_ERROR(PauseBeforeRetry(environment, wait, attempt, what));
  }
}

Status PauseBeforeRetry(const Environment& environment, const Wait& wait, int attempt,
                        std::string_view what) {
  using std::chrono::nanoseconds;
  constexpr nanoseconds kFirst = std::chrono::milliseconds(2);
  constexpr nanoseconds kLongest = std::chrono::milliseconds(500);
  VL_RETURN_IF_ERROR(wait.Check(environment.clock, what));
  const nanoseconds longest = std::min(kLongest, kFirst * (int64_t{1} << std::min(attempt, 10)));
  auto pause = nanoseconds(
      static_cast<int64_t>(environment.random.Unit() * static_cast<double>(longest.count())));
  pause = std::min(pause, wait.until - environment.clock.Steady());
  environment.clock.SleepFor(pause);
  return wait.Check(environment.clock, what);
}

int64_t NowMs(Clock& clock) { return clock.NowMicros() / 1000; }

}  // namespace vitalake::delta
