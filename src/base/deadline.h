// Deadline and stop token of a blocking call: every one takes both, as one value.
#pragma once

#include <chrono>
#include <stop_token>

#include "base/clock.h"
#include "base/result.h"

namespace vitalake {

// Cheap to copy. A default Wait never ends by itself.
struct Wait {
  std::chrono::nanoseconds until = std::chrono::nanoseconds::max();  // on Clock::Steady()
  std::stop_token stop;

  static Wait For(Clock& clock, std::chrono::nanoseconds duration, std::stop_token stop = {}) {
    return {clock.Steady() + duration, std::move(stop)};
  }
  // kCancelled or kDeadline, naming `what` was being done; else ok.
  Status Check(Clock& clock, std::string_view what) const;
};

}  // namespace vitalake
