#include "serve/work_gate.h"

namespace vitalake::serve {

WorkGate::Pass::~Pass() {
  if (!gate_) return;
  {
    const std::lock_guard lock(gate_->mutex_);
    ++gate_->free_;
  }
  gate_->freed_.notify_one();
}

Result<WorkGate::Pass> WorkGate::Enter(Clock& clock, const Wait& wait) {
  std::unique_lock lock(mutex_);
  const auto is_free = [this] { return free_ > 0; };
  if (wait.until == std::chrono::nanoseconds::max()) {
    freed_.wait(lock, wait.stop, is_free);
  } else {
    freed_.wait_for(lock, wait.stop, wait.until - clock.Steady(), is_free);
  }
  if (free_ == 0) {
    lock.unlock();
    // The wait's own words where they say why; a clock that is late by a little says deadline.
    VL_RETURN_IF_ERROR(wait.Check(clock, "waiting for other queries"));
    return Fail(ErrorKind::kDeadline, "other queries took all the time there was");
  }
  --free_;
  return Pass(this);
}

}  // namespace vitalake::serve
