// WorkGate: how many threads may work at once, so that many sessions do not ask for more memory and
// processors than there are.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/deadline.h"
#include "base/result.h"

namespace vitalake::serve {

// Thread-safe; must outlive its passes.
class WorkGate {
 public:
  explicit WorkGate(size_t places) : free_(places) {}

  // A place, given back when it goes.
  class Pass {
   public:
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    ~Pass();

   private:
    friend class WorkGate;
    explicit Pass(WorkGate* gate) : gate_(gate) {}
    WorkGate* gate_;
  };

  // Waits for a place. kCancelled, kDeadline.
  Result<Pass> Enter(Clock& clock, const Wait& wait);

 private:
  std::mutex mutex_;
  std::condition_variable_any freed_;
  size_t free_;
};

}  // namespace vitalake::serve
