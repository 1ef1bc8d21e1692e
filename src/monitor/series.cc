#include "monitor/series.h"

#include <algorithm>

namespace vitalake::monitor {

uint64_t PackRank(const VersionRank& rank, bool retracted) {
  if (retracted && rank.version < 0) return ~uint64_t{0};  // final
  constexpr int64_t kMostVersions = (1 << 16) - 2;
  constexpr int64_t kMostTicks = (int64_t{1} << 40) - 2;
  const auto version =
      static_cast<uint64_t>(std::clamp<int64_t>(rank.version + 1, 0, kMostVersions));
  // 2^13 microseconds a tick: 285 years from 1970.
  const uint64_t updated = rank.last_updated ? static_cast<uint64_t>(std::clamp<int64_t>(
                                                   (*rank.last_updated >> 13) + 1, 1, kMostTicks))
                                             : 0;
  return version << 41 | updated << 1 | (retracted ? 1 : 0);
}

}  // namespace vitalake::monitor
