// GoldFollower: keeps gold behind the silver tables by a few seconds while these change.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/result.h"
#include "lake/lake.h"

namespace vitalake::ingest {

class GoldFollower {
 public:
  // `every`: the least time from one refresh to the next; a long one is followed by a longer rest.
  explicit GoldFollower(lake::Lake& lake, std::chrono::nanoseconds every = std::chrono::seconds(1))
      : lake_(lake), every_(every) {}

  // Something was committed. While more of it waits (`catching_up`) gold gives way: it follows once
  // that is over, or after half a minute. Thread-safe.
  enum class After { kCommit, kCatchingUp };
  void Touch(After after = After::kCommit);
  // Refreshes after each Touch, once at the begin and once at the end, until `stop`. Errors are
  // logged and tried again; that of the last refresh is the result.
  Status Run(const std::stop_token& stop);
  // Call when nothing will touch any more: Run ends after the last refresh.
  void Finish();

 private:
  Status Refresh();

  lake::Lake& lake_;
  std::chrono::nanoseconds every_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool touched_ = true;
  bool later_ = false;  // touched while catching up
  bool finished_ = false;
};

}  // namespace vitalake::ingest
