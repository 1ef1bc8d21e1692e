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
  double sigma = 0;         // within a patient; 0: no detectors
  double median_sigma = 0;  // of a day's median
  double scale = 10;        // value * scale is kept as an integer
};
namespace detail {
inline constexpr ChannelTraits kNoTraits = {0, 0, 10};
// Systolic or only value, diastolic. Sigma: readings of one person; a clinician must sign it.
inline constexpr ChannelTraits kTraits[kVitalCount][kChannels] = {
    {{9, 6, 10}, {6, 4, 10}},        // blood pressure, mmHg
    {{8, 6, 10}, kNoTraits},         // heart rate, /min
    {{2.5, 1.5, 10}, kNoTraits},     // respiratory rate, /min
    {{1.5, 1, 10}, kNoTraits},       // oxygen saturation, %
    {{0.35, 0.25, 100}, kNoTraits},  // temperature, Cel
    {{1.2, 0.8, 10}, kNoTraits},     // weight, kg
    {kNoTraits, kNoTraits},          // glucose: meals move it more than illness does
    {kNoTraits, kNoTraits},
    {kNoTraits, kNoTraits},  // oxygen in use, consciousness: inputs of NEWS2 only
    {kNoTraits, kNoTraits},
    {kNoTraits, kNoTraits},
};
}  // namespace detail
inline const ChannelTraits& TraitsOf(Vital vital, int channel) {
  return detail::kTraits[static_cast<size_t>(vital)][channel];
}

struct ChannelOutcome {
  bool spike = false, shift = false;
  uint8_t count = 0;          // values in the baseline before this one; 0: not judged
  float z = 0;                // against that baseline
  float mean = 0, sigma = 0;  // of it; only where asked for, or something was found
};
enum class Describe : bool { kNo, kYes };

// Where a channel keeps its values. A fold from the base leaves them alone: the ring is shorter
// than the history, so what it adds is not needed before the fold ends.
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
// whatever the sigma (kNever: no such rule). `describe`: whether mean and sigma are wanted.
ChannelOutcome Detect(Channel& channel, History history, const ChannelTraits& traits, double value,
                      double fall, Describe describe);

// Follows the daily medians of a channel. True when the average has wandered off: the detector then
// starts anew from where it is.
bool FollowDay(FoldState& state, const ChannelTraits& traits, uint16_t day, double value);

}  // namespace vitalake::monitor
