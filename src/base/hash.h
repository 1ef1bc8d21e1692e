// XXH3 hashes: content and key identity inside the lake. Not for secrets.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace vitalake {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const Hash128&) const = default;
  // 32 lower-case hex digits, high first.
  std::string ToHex() const;
};

uint64_t Hash64(std::string_view bytes, uint64_t seed = 0);
Hash128 HashBytes(std::string_view bytes, uint64_t seed = 0);

}  // namespace vitalake
