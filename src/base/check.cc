#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace vitalake {

void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "vitalake: invariant broken: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace vitalake
