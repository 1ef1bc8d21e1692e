// How soon a thread gets a processor when it wants one. Of the calling thread and those it starts
// from then on; where the system knows no such thing, nothing changes.
#pragma once

namespace vitalake {

// In turns as short as the system has them: once woken, it need not wait for the end of another's
// longer turn. Its share of the processor stays the same, and a long computation is interrupted
// more often. Source: Linux 6.12 and later, sched_setattr(2) with sched_runtime.
void TakeShortTurns();
// In turns of the usual length again.
void TakeUsualTurns();
// In such turns, and only with what others leave of the processor; there is no way back.
void GiveWay();

}  // namespace vitalake
