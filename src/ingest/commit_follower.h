// CommitFollower: keeps something a short while behind the commits to tables: gold behind silver,
// an outbound topic behind the change feeds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace vitalake::ingest {

class CommitFollower {
 public:
  struct Pace {
    std::chrono::nanoseconds every = std::chrono::seconds(1);  // least time between two passes
    double rest = 3;  // after a pass that took longer, in times of its length
    // Most time between two passes: for what other processes commit, which touches nobody here.
    std::chrono::nanoseconds look = std::chrono::hours(24);
  };

  // `pass` brings it up to the latest commits. `clock` must outlive it.
  CommitFollower(std::string name, Clock& clock, Pace pace, std::function<Status()> pass)
      : name_(std::move(name)), clock_(clock), pace_(pace), pass_(std::move(pass)) {}

  // Something was committed. While more of it waits (`catching_up`) the follower gives way: it
  // follows once that is over, or after half a minute. Thread-safe.
  enum class After { kCommit, kCatchingUp };
  void Touch(After after = After::kCommit);
  // A pass after each Touch, one at the begin and one at the end, until `stop`. Errors are logged
  // and tried again; that of the last pass is the result.
  Status Run(const std::stop_token& stop);
  // Call when nothing will touch any more: Run ends after the last pass.
  void Finish();

 private:
  std::string name_;
  Clock& clock_;
  Pace pace_;
  std::function<Status()> pass_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool touched_ = true;
  bool later_ = false;  // touched while catching up
  bool finished_ = false;
};

}  // namespace vitalake::ingest
