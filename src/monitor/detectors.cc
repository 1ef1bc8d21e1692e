#include "monitor/detectors.h"

#include <algorithm>

namespace vitalake::monitor {
namespace {

constexpr ChannelTraits kNone = {0, 0, 10};
// Systolic or only value, diastolic. Sigma: home readings of one person; a clinician must sign it.
constexpr ChannelTraits kTraits[kVitalCount][kChannels] = {
    {{9, 6, 10}, {6, 4, 10}},       // blood pressure, mmHg
    {{8, 6, 10}, kNone},            // heart rate, /min
    {{2.5, 1.5, 10}, kNone},        // respiratory rate, /min
    {{1.5, 1, 10}, kNone},          // oxygen saturation, %
    {{0.35, 0.25, 100}, kNone},     // temperature, Cel
    {{1.2, 0.8, 10}, kNone},        // weight, kg
    {kNone, kNone},                 // glucose: meals move it more than illness does
    {kNone, kNone},
    {kNone, kNone},
    {kNone, kNone},
    {kNone, kNone},
};

double Variance(const Channel& channel) {
  const double n = channel.count;
  const double sum = channel.sum;
  return std::max(0.0, static_cast<double>(channel.sum_of_squares) - sum * sum / n) / (n - 1);
}

// Three suspects in a row are the new baseline.
void Restart(Channel& channel, History history) {
  const int count = channel.suspect_count;
  channel.sum = 0;
  channel.sum_of_squares = 0;
  channel.count = 0;
  channel.up = channel.down = 0;
  channel.suspect_count = 0;
  channel.suspect_side = 0;
  for (int i = 0; i < count; ++i) AddToBaseline(channel, history, channel.suspects[i]);
}

// A spike's value waits outside the baseline. True when it was the third: a new level.
bool Suspect(Channel& channel, History history, int16_t value, int8_t side) {
  if (channel.suspect_side != side) channel.suspect_count = 0;
  channel.suspect_side = side;
  channel.suspects[channel.suspect_count++] = value;
  if (channel.suspect_count < std::size(channel.suspects)) return false;
  Restart(channel, history);
  return true;
}

bool StepCusum(Channel& channel, float z) {
  const float step = std::clamp(z, -kCusumStep, kCusumStep);
  channel.up = std::max(0.0f, channel.up + step - kCusumDrift);
  channel.down = std::max(0.0f, channel.down - step - kCusumDrift);
  if (channel.up <= kCusumAlarm && channel.down <= kCusumAlarm) return false;
  channel.up = channel.down = 0;
  return true;
}

float MedianOfDay(const FoldState& state) {
  int16_t values[kDayValues];
  const int n = std::min<int>(state.day_count, kDayValues);
  std::copy_n(state.day_values, n, values);
  std::sort(values, values + n);
  return 0.5f * static_cast<float>(values[(n - 1) / 2] + values[n / 2]);
}

// A day is over: its median moves the average.
bool TakeMedian(FoldState& state, const ChannelTraits& traits) {
  const float median = MedianOfDay(state) / static_cast<float>(traits.scale);
  if (state.medians < 255) ++state.medians;
  if (state.medians <= kDriftMedians) {
    const float n = state.medians;
    state.drift_reference += (median - state.drift_reference) / n;
    state.drift_average = state.drift_reference;
    return false;
  }
  state.drift_average += kDriftWeight * (median - state.drift_average);
  // The reference is itself a mean of few medians.
  const float variance = kDriftWeight / (2 - kDriftWeight) + 1.0f / kDriftMedians;
  const float limit = kDriftSigmas * static_cast<float>(traits.median_sigma) * std::sqrt(variance);
  if (std::abs(state.drift_average - state.drift_reference) <= limit) return false;
  state.drift_reference = state.drift_average;
  return true;
}

}  // namespace

const ChannelTraits& TraitsOf(Vital vital, int channel) {
  return kTraits[static_cast<size_t>(vital)][channel];
}

int16_t ToHistory(double value, const ChannelTraits& traits) {
  return static_cast<int16_t>(std::clamp(std::round(value * traits.scale), -32767.0, 32767.0));
}

void AddToBaseline(Channel& channel, History history, int16_t value) {
  if (channel.count == kHistory) {  // the head stands on the oldest
    const int16_t oldest = history.At(channel.head);
    channel.sum -= oldest;
    channel.sum_of_squares -= int64_t{oldest} * oldest;
  } else {
    ++channel.count;
  }
  history.Put(channel.head, value);
  channel.head = static_cast<uint8_t>(channel.head + 1 == kHistory ? 0 : channel.head + 1);
  channel.sum += value;
  channel.sum_of_squares += int64_t{value} * value;
}

bool RemoveFromBaseline(Channel& channel, int16_t* history, int16_t value) {
  const int first = (channel.head + kHistory - channel.count) % kHistory;
  for (int i = 0; i < channel.count; ++i) {
    if (history[(first + i) % kHistory] != value) continue;
    for (int j = i; j + 1 < channel.count; ++j) {
      history[(first + j) % kHistory] = history[(first + j + 1) % kHistory];
    }
    channel.head = static_cast<uint8_t>((channel.head + kHistory - 1) % kHistory);
    history[channel.head] = 0;
    --channel.count;
    channel.sum -= value;
    channel.sum_of_squares -= int64_t{value} * value;
    return true;
  }
  return false;
}

ChannelOutcome Detect(Channel& channel, History history, const ChannelTraits& traits, double value,
                      double fall) {
  ChannelOutcome out;
  const int16_t kept = ToHistory(value, traits);
  if (!channel.warm || channel.count < 3) {
    AddToBaseline(channel, history, kept);
    return out;
  }
  out.count = channel.count;
  const double n = channel.count;
  const double prior = traits.sigma * traits.scale;
  const double variance = (n * Variance(channel) + kPriorWeight * prior * prior) / (n + kPriorWeight);
  const double mean = channel.sum / n;
  const double sigma = std::sqrt(variance);
  const double z = (value * traits.scale - mean) / sigma;
  out.mean = static_cast<float>(mean / traits.scale);
  out.sigma = static_cast<float>(sigma / traits.scale);
  out.z = static_cast<float>(z);
  out.spike = std::abs(z) > kSpikeSigmas || value <= mean / traits.scale - fall;
  out.shift = StepCusum(channel, out.z);
  if (out.spike) {
    out.shift |= Suspect(channel, history, kept, z > 0 ? 1 : -1);
  } else {
    channel.suspect_count = 0;
    channel.suspect_side = 0;
    AddToBaseline(channel, history, kept);
  }
  return out;
}

bool FollowDay(FoldState& state, const ChannelTraits& traits, uint16_t day, double value) {
  bool drifted = false;
  if (day != state.drift_day) {
    if (state.day_count > 0) drifted = TakeMedian(state, traits);
    state.drift_day = day;
    state.day_count = 0;
  }
  if (state.day_count >= kDayValues) {  // the day's last ones count
    std::copy(state.day_values + 1, state.day_values + kDayValues, state.day_values);
    state.day_count = kDayValues - 1;
  }
  state.day_values[state.day_count++] = ToHistory(value, traits);
  return drifted;
}

}  // namespace vitalake::monitor
