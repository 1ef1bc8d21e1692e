#include "base/turns.h"

#include <sys/resource.h>

#include "base/turns_internal.h"

namespace vitalake {
namespace {

constexpr uint64_t kShortestTurn = 100'000;  // nanoseconds; what the kernel takes at least
constexpr uint64_t kUsualTurn = 0;
constexpr int kNice = 3;

void TakeTurnsOf(uint64_t nanoseconds) {
  auto attributes = ReadScheduling();
  if (!attributes) return;
  attributes->runtime = nanoseconds;
  ::syscall(SYS_sched_setattr, 0, &*attributes, 0);
}

}  // namespace

void TakeShortTurns() { TakeTurnsOf(kShortestTurn); }

void TakeUsualTurns() { TakeTurnsOf(kUsualTurn); }

// Linux gives each thread its own nice value.
void GiveWay() {
  TakeUsualTurns();
  ::setpriority(PRIO_PROCESS, 0, kNice);
}

}  // namespace vitalake
