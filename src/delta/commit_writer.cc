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

// The text of the commit, nullopt when it is not there. An error of reading is kUnknownOutcome: it
// was tried long enough.
Result<std::optional<std::string>> ReadBack(const Environment& environment, std::string_view key,
                                            std::string_view what, const Wait& wait) {
  for (int attempt = 0;; ++attempt) {
    auto text = environment.store.Read(key);
    if (text) return *std::move(text);
    if (text.error().kind == ErrorKind::kNotFound) return std::nullopt;
    const bool over = attempt == kReadBackAttempts ||
                      !PauseBeforeRetry(environment, wait, attempt, what).has_value();
    if (over) {
      return Fail(ErrorKind::kUnknownOutcome,
                  fmt::format("{}: it is not known whether that happened, and reading it back "
                              "failed: {}",
                              what, text.error().ToString()));
    }
  }
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
  VL_RETURN_IF_ERROR(wait.Check(environment.clock, what));
  // Once true, only the version itself can tell: what was sent may still turn up.
  bool maybe_sent = false;
  for (int attempt = 0;; ++attempt) {
    const auto put = environment.store.PutIfAbsent(key, text);
    if (put && *put == storage::PutOutcome::kCreated) return CommitPut::kCreated;
    maybe_sent = maybe_sent || (put ? *put == storage::PutOutcome::kUnknown
                                    : put.error().kind == ErrorKind::kUnknownOutcome);

    VL_TRY(const auto there, ReadBack(environment, key, what, wait));
    if (there) return IsOurs(*there, txn_id) ? CommitPut::kReadBack : CommitPut::kTaken;
    if (!put && !maybe_sent) return std::unexpected(put.error());
    // Nothing is there (yet). Putting it again is safe: if the first one turns up late, the answer
    // is that the version exists, and reading it shows our own id.
    const bool over = attempt == kReadBackAttempts ||
                      !PauseBeforeRetry(environment, wait, attempt, what).has_value();
    if (over) {
      return Fail(ErrorKind::kUnknownOutcome,
                  fmt::format("the store does not say whether version {} was committed; it is not "
                              "there yet",
                              version.value));
    }
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
