#include "base/deadline.h"

#include <fmt/format.h>

namespace vitalake {

Status Wait::Check(Clock& clock, std::string_view what) const {
  if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, fmt::format("{}: stopped", what));
  if (until != std::chrono::nanoseconds::max() && clock.Steady() >= until) {
    return Fail(ErrorKind::kDeadline, fmt::format("{}: the deadline passed", what));
  }
  return {};
}

}  // namespace vitalake
