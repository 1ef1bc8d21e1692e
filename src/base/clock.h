// Time and randomness come in through these interfaces, so that a test can hold them still.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vitalake {

// Microseconds since 1970-01-01T00:00:00Z; the resolution of every time in the lake.
using Micros = int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time. May jump; never used to measure a duration.
  virtual Micros NowMicros() = 0;
  // Steady time for deadlines and durations; its zero means nothing.
  virtual std::chrono::nanoseconds Steady() = 0;
  // Waits for `duration` of steady time (a test clock returns at once and moves itself).
  virtual void SleepFor(std::chrono::nanoseconds duration) = 0;
};

// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  Micros NowMicros() override;
  std::chrono::nanoseconds Steady() override;
  void SleepFor(std::chrono::nanoseconds duration) override;
};

// A clock that moves only when told. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Micros now) : now_(now) {}
  Micros NowMicros() override { return now_; }
  std::chrono::nanoseconds Steady() override { return std::chrono::microseconds(now_); }
  void SleepFor(std::chrono::nanoseconds duration) override {
    now_ += std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  }
  void Advance(Micros by) { now_ += by; }

 private:
  Micros now_;
};

// "2026-11-22T17:00:00.000000Z"; years outside 0000-9999 are written with their sign.
std::string FormatUtc(Micros time);

}  // namespace vitalake
