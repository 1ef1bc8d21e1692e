#include "ingest/gold_follower.h"

#include <algorithm>

#include "base/log.h"
#include "lake/gold.h"

namespace vitalake::ingest {

void GoldFollower::Touch() {
  const std::lock_guard lock(mutex_);
  touched_ = true;
  changed_.notify_all();
}

void GoldFollower::Finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

Status GoldFollower::Refresh() {
  VL_TRY(const auto results, lake::RefreshGold(lake_));
  for (const lake::GoldResult& result : results) {
    log::Debug("gold: {} at version {}, {} persons", result.table, result.version,
               result.keys_touched);
  }
  return {};
}

Status GoldFollower::Run(const std::stop_token& stop) {
  auto pause = every_;
  for (;;) {
    bool finished;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return touched_ || finished_; });
      finished = finished_;
      touched_ = false;
    }
    if (stop.stop_requested()) return {};
    Status done = Refresh();
    if (finished) return done;
    if (done) {
      pause = every_;
    } else {
      log::Fault("gold: {}; trying again", done.error().ToString());
      pause = std::min<std::chrono::nanoseconds>(pause * 2, std::chrono::seconds(30));
      Touch();
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, pause, [&] { return finished_; });
  }
}

}  // namespace vitalake::ingest
