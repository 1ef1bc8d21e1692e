#include "ingest/landing_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "ingest/input_files.h"
#include "ingest/pause.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::chrono::nanoseconds kLookEvery = 1s;
constexpr int kMostFailures = 3;

}  // namespace

Status LandingWatch::Look() {
  if (!knows_ledger_) {
    VL_TRY(done_, lake::Ledger(lake_).TakenFiles());
    knows_ledger_ = true;
  }
  VL_TRY(const std::vector<std::string> paths, FindFiles({options_.path}));
  const auto now = lake_.clock().Steady();
  std::map<std::string, Waiting> waiting;
  for (const std::string& path : paths) {
    const auto file = MeasureFile(path);
    if (!file) continue;  // gone since it was listed
    const File seen{path, file->bytes, file->modified_at};
    if (done_.contains(seen)) continue;
    const auto before = waiting_.find(path);
    waiting[path] = before != waiting_.end() && before->second.file == seen ? before->second
                                                                            : Waiting{seen, now, 0};
  }
  waiting_ = std::move(waiting);
  return {};
}

Status LandingWatch::TakeIn(const std::vector<std::string>& paths, const Wait& wait) {
  BatchOptions batch;
  batch.paths = paths;
  batch.source = options_.source;
  batch.id_space = options_.id_space;
  batch.key = options_.key;
  batch.refresh_gold = false;
  VL_TRY(const BatchSummary summary, RunBatch(lake_, batch, {}, wait));
  for (const FileResult& result : summary.files) {
    const auto found = waiting_.find(result.path);
    if (found == waiting_.end()) continue;
    if (!result.failed) {
      done_.insert(found->second.file);
      waiting_.erase(found);
    } else if (++found->second.failures == kMostFailures) {
      log::Fault("landing: {} is set aside: {}", result.path, result.message);
      done_.insert(found->second.file);
      waiting_.erase(found);
    } else {
      found->second.since = lake_.clock().Steady();
    }
  }
  if (taken_) taken_(summary);
  return {};
}

Result<bool> LandingWatch::Pass(const Wait& wait) {
  VL_RETURN_IF_ERROR(Look());
  std::vector<std::string> settled;
  const auto now = lake_.clock().Steady();
  for (const auto& [path, file] : waiting_) {
    if (now - file.since >= options_.settle) settled.push_back(path);
  }
  if (!settled.empty()) VL_RETURN_IF_ERROR(TakeIn(settled, wait));
  return !waiting_.empty();
}

Status LandingWatch::Run(const std::stop_token& stop) {
  std::error_code error;
  fs::create_directories(options_.path, error);
  if (!fs::is_directory(options_.path, error)) {
    return Fail(ErrorKind::kIo, fmt::format("landing: cannot make the folder {}", options_.path));
  }
  log::Info("landing: watching {}", options_.path);
  const Wait wait{std::chrono::nanoseconds::max(), stop};
  while (!stop.stop_requested()) {
    auto waiting = Pass(wait);
    if (!waiting && waiting.error().kind != ErrorKind::kCancelled) {
      log::Fault("landing: {}; trying again", waiting.error().ToString());
    }
    const bool soon = options_.watch || !waiting || *waiting;
    PauseUntilStop(stop, soon ? std::min(kLookEvery, std::max(options_.settle, 100'000'000ns))
                              : options_.sweep);
  }
  return {};
}

}  // namespace vitalake::ingest
