// Randomness as an interface: real for the product, seeded for tests and the generator.
#pragma once

#include <cstdint>
#include <string>

namespace vitalake {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;
  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double Unit();
  // Normal with the given mean and standard deviation.
  double Normal(double mean, double deviation);
  // RFC 4122 version 4 form, lower case.
  std::string Uuid();
};

// From the operating system's entropy. Thread-safe.
class SystemRandom final : public Random {
 public:
  uint64_t Next() override;
};

// SplitMix64: the same seed gives the same numbers on every machine. Not thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() override;

 private:
  uint64_t state_;
};

}  // namespace vitalake
