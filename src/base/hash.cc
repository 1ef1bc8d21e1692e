#include "base/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace vitalake {

std::string Hash128::ToHex() const { return fmt::format("{:016x}{:016x}", high, low); }

uint64_t Hash64(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 HashBytes(std::string_view bytes, uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.high64, hash.low64};
}

}  // namespace vitalake
