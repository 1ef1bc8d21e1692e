// Sizes and durations as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::cli {

// "1GB" = 10^9, "128MiB" = 2^27, "1.5 kB", "4096" (bytes). Units in any case: B, kB, MB, GB, TB
// (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024), K, M, G, T as the former. kInvalidArgument
// for anything else, for negative values and for more than 2^63 - 1 bytes.
Result<int64_t> ParseSize(std::string_view text);

// "400ms", "10s", "15m", "168h", "2d", "1h30m"; fractions allowed ("1.5h"); units us, ms, s, m, h,
// d. A unit is required, except for "0". kInvalidArgument otherwise.
Result<std::chrono::nanoseconds> ParseDuration(std::string_view text);

// "999 B", "12.3 kB", "825.0 MB": powers of 1000, one digit behind the point.
std::string FormatSize(int64_t bytes);

// "0.4 s", "12 s", "3:05", "1:02:07": short enough for a progress bar. Negative is 0.
std::string FormatSeconds(double seconds);

// 1234567 -> "1,234,567".
std::string FormatCount(int64_t count);

}  // namespace vitalake::cli
