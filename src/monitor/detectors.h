// Detectors: one value against the patient's own baseline, one step at a time, never looking ahead.
//
// Spike: |z| > 3 against the mean of up to 52 earlier values, with a standard deviation shrunk
// towards what is usual for the vital sign (so that 12 values do not make a narrow one). Spikes
// stay out of the baseline; three in a row on one side are no spikes but a shift, and the baseline
// begins again with them.
// Shift: besides, CUSUM over the same z, drift k, alarm above h.
// Drift: an exponentially weighted average of daily medians against where it began.
// Until 12 values on 3 days are known, there is no judgement.
#pragma once

#include <cmath>
#include <cstdint>

#include "monitor/series.h"

namespace vitalake::monitor {

inline constexpr const char* kDetectorVersion = "detectors 1";
inline constexpr double kSpikeSigmas = 3.0;
inline constexpr double kPriorWeight = 20;  // in readings
inline constexpr float kCusumDrift = 1.0f, kCusumAlarm = 6.0f, kCusumStep = 3.0f;
inline constexpr int kWarmReadings = 12, kWarmDays = 3;
inline constexpr int kShiftSettles = 12;  // readings after which a shift is the new usual
inline constexpr float kDriftWeight = 0.2f, kDriftSigmas = 4.0f;
inline constexpr int kDriftMedians = 7;  // days that make the reference

// What is usual for a channel of a vital sign.
struct ChannelTraits {
  double sigma = 0;   // within a patient; 0: no detectors
  double median_sigma = 0;  // of a day's median
  double scale = 10;  // value * scale is kept as an integer
};
const ChannelTraits& TraitsOf(Vital vital, int channel);

struct ChannelOutcome {
  bool spike = false, shift = false;
  float mean = 0, sigma = 0, z = 0;  // of the baseline before the value
  uint8_t count = 0;                 // 0: not judged
};

// Where a channel keeps its values. A fold from the base leaves them alone: the ring is shorter than
// the history, so what it adds is not needed before the fold ends.
class History {
 public:
  static History ReadOnly(const int16_t* values) { return History(values, nullptr); }
  static History Writable(int16_t* values) { return History(values, values); }
  int16_t At(int i) const { return values_[i]; }
  void Put(int i, int16_t value) {
    if (target_ != nullptr) target_[i] = value;
  }

 private:
  History(const int16_t* values, int16_t* target) : values_(values), target_(target) {}
  const int16_t* values_;
  int16_t* target_;
};

int16_t ToHistory(double value, const ChannelTraits& traits);

// Adds a value to the baseline.
void AddToBaseline(Channel& channel, History history, int16_t value);
// Takes one equal value out of a settled baseline; false when there is none.
bool RemoveFromBaseline(Channel& channel, int16_t* history, int16_t value);

// Judges a value, then adds it unless it is a spike. `fall`: how far below the mean is a spike
// whatever the sigma (kNever: no such rule).
ChannelOutcome Detect(Channel& channel, History history, const ChannelTraits& traits, double value,
                      double fall);

// Follows the daily medians of a channel. True when the average has wandered off: the detector then
// starts anew from where it is.
bool FollowDay(FoldState& state, const ChannelTraits& traits, uint16_t day, double value);

}  // namespace vitalake::monitor
