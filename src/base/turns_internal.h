// What Linux knows of a thread's turns. For this module alone.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

namespace vitalake {

// As <linux/sched/types.h> has it, which cannot be included beside <sched.h>.
// Source: sched_setattr(2), SCHED_ATTR_SIZE_VER0.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;  // length of a turn in nanoseconds; 0: the usual
  uint64_t deadline = 0;
  uint64_t period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

// Of the calling thread; nullopt: the system does not tell.
inline std::optional<SchedulingAttributes> ReadScheduling() {
  SchedulingAttributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return std::nullopt;
  return attributes;
}

}  // namespace vitalake
