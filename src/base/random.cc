#include "base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace vitalake {

uint64_t Random::Below(uint64_t bound) {
  VL_CHECK(bound > 0);
  // The high half of a 128-bit product: the bias is below 2^-40 for every bound in use.
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
}

double Random::Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

double Random::Normal(double mean, double deviation) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - Unit()));
  return mean + deviation * radius * std::cos(2.0 * std::numbers::pi * Unit());
}

std::string Random::Uuid() {
  const uint64_t high = (Next() & ~0xF000ULL) | 0x4000ULL;
  const uint64_t low = (Next() & ~(3ULL << 62)) | (2ULL << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFFULL);
}

uint64_t SystemRandom::Next() {
  uint64_t value = 0;
  VL_CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

uint64_t SeededRandom::Next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace vitalake
