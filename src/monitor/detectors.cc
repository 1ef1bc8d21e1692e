#include "monitor/detectors.h"

#include <algorithm>
#include <array>

namespace vitalake::monitor {
namespace {

// Shrinking by the number of values n: (n * variance + weight * prior) / (n + weight), where
// n * (n - 1) * variance = n * sum of squares - sum * sum, exactly.
struct Shrink {
  double own = 0, prior = 0;
};
constexpr auto kShrink = [] {
  std::array<Shrink, kHistory + 1> table;
  for (int n = 2; n <= kHistory; ++n) {
    table[static_cast<size_t>(n)] = {1.0 / ((n - 1) * (n + kPriorWeight)),
                                     kPriorWeight / (n + kPriorWeight)};
  }
  return table;
}();

double ShrunkVariance(const Channel& channel, double prior) {
  const int64_t n = channel.count;
  const int64_t own = n * channel.sum_of_squares - int64_t{channel.sum} * channel.sum;
  const Shrink& shrink = kShrink[channel.count];
  return static_cast<double>(own) * shrink.own + shrink.prior * prior * prior;
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

int16_t ToHistory(double value, const ChannelTraits& traits) {
  const double scaled = std::clamp(value * traits.scale, -32767.0, 32767.0);
  return static_cast<int16_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
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
                      double fall, Describe describe) {
  ChannelOutcome out;
  const int16_t kept = ToHistory(value, traits);
  if (!channel.warm || channel.count < 3) {
    AddToBaseline(channel, history, kept);
    return out;
  }
  const double n = channel.count;
  const double sigma = std::sqrt(ShrunkVariance(channel, traits.sigma * traits.scale));
  const double away = n * (value * traits.scale) - channel.sum;  // from the mean, n times
  const double z = away / (n * sigma);
  out.count = channel.count;
  out.z = static_cast<float>(z);
  // "At least that far below the mean", without knowing the mean.
  out.spike = std::abs(z) > kSpikeSigmas || -away >= n * fall * traits.scale;
  out.shift = StepCusum(channel, out.z);
  if (describe == Describe::kYes || out.spike || out.shift) {
    out.mean = static_cast<float>(channel.sum / (n * traits.scale));
    out.sigma = static_cast<float>(sigma / traits.scale);
  }
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
