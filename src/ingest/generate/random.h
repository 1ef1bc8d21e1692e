// Random sequences for generated data: one per record and purpose, whole numbers only.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace vitalake::ingest {

enum class RandomUse : uint64_t { kPerson = 1, kPatient, kObservation, kObservationId, kAnomaly };

// The sequence of record `index` for one use. Different records of one use begin differently.
inline SeededRandom RandomFor(uint64_t seed, RandomUse use, int64_t index) {
  const uint64_t base = SeededRandom(seed + static_cast<uint64_t>(use)).Next();
  return SeededRandom(
      SeededRandom(base + static_cast<uint64_t>(index) * 0xD1342543DE82EF95ULL).Next());
}

// Uniform in [first, last].
inline int64_t Between(Random& random, int64_t first, int64_t last) {
  return first + static_cast<int64_t>(random.Below(static_cast<uint64_t>(last - first + 1)));
}

inline bool Chance(Random& random, uint64_t of_thousand) {
  return random.Below(1000) < of_thousand;
}

// Nearly normal about 0 with the given deviation, by the sum of twelve uniform 16-bit numbers
// (deviation 2^16, mean 12 * (2^16 - 1) / 2); never beyond 6 deviations.
inline int64_t Noise(SeededRandom& random, int64_t deviation) {
  int64_t sum = -393'210;
  for (int word = 0; word < 3; ++word) {
    const uint64_t bits = random.Next();
    for (int shift = 0; shift < 64; shift += 16) {
      sum += static_cast<int64_t>((bits >> shift) & 0xFFFF);
    }
  }
  return sum * deviation / 65'536;
}

}  // namespace vitalake::ingest
