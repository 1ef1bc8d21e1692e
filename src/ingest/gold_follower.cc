#include "ingest/gold_follower.h"

#include <algorithm>

#include "base/log.h"
#include "lake/gold.h"

namespace vitalake::ingest {
namespace {

// Between refreshes while there is much to catch up with.
constexpr std::chrono::seconds kLater{30};
constexpr int kRest = 3;  // rest after a refresh, in times of its length

}  // namespace

void GoldFollower::Touch(After after) {
  const std::lock_guard lock(mutex_);
  (after == After::kCommit ? touched_ : later_) = true;
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
      const auto now = [&] { return touched_ || finished_; };
      changed_.wait(lock, stop, [&] { return now() || later_; });
      changed_.wait_for(lock, stop, kLater, now);
      finished = finished_;
      touched_ = later_ = false;
    }
    if (stop.stop_requested()) return {};
    const auto begin = lake_.clock().Steady();
    Status done = Refresh();
    if (finished) return done;
    if (done) {
      // While much changes gold gives way to what changes it: it takes a quarter of the time.
      pause = std::max(every_, kRest * (lake_.clock().Steady() - begin));
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
