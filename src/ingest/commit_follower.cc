#include "ingest/commit_follower.h"

#include <algorithm>

#include "base/log.h"

namespace vitalake::ingest {
namespace {

// Between passes while there is much to catch up with.
constexpr std::chrono::seconds kLater{30};
constexpr std::chrono::seconds kLongestPause{30};

}  // namespace

void CommitFollower::Touch(After after) {
  const std::lock_guard lock(mutex_);
  (after == After::kCommit ? touched_ : later_) = true;
  changed_.notify_all();
}

void CommitFollower::Finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

Status CommitFollower::Run(const std::stop_token& stop) {
  auto pause = pace_.every;
  for (;;) {
    bool finished;
    {
      std::unique_lock lock(mutex_);
      const auto now = [&] { return touched_ || finished_; };
      changed_.wait_for(lock, stop, pace_.look, [&] { return now() || later_; });
      if (later_) changed_.wait_for(lock, stop, kLater, now);
      finished = finished_;
      touched_ = later_ = false;
    }
    if (stop.stop_requested()) return {};
    const auto begin = clock_.Steady();
    Status done = pass_();
    if (finished) return done;
    if (done) {
      pause = std::max(pace_.every, std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        pace_.rest * (clock_.Steady() - begin)));
    } else {
      log::Fault("{}: {}; trying again", name_, done.error().ToString());
      pause = std::min<std::chrono::nanoseconds>(pause * 2, kLongestPause);
      Touch();
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, pause, [&] { return finished_; });
  }
}

}  // namespace vitalake::ingest
