// VL_CHECK: always-on checks of our own invariants. Never reachable from input.
#pragma once

namespace vitalake {
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
}

#define VL_CHECK(expression) \
  ((expression) ? (void)0 : ::vitalake::CheckFailed(#expression, __FILE__, __LINE__))
