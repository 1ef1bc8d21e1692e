#include "monitor/ring.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "base/check.h"

namespace vitalake::monitor {
namespace {

bool SameContent(const Entry& a, const Entry& b) {
  // The bits, so that no value equals no value. Level and lateness are of the moment it came, and
  // so is the time where the reading has none of its own.
  const bool no_moment = a.Has(Entry::kAtReceipt) && (b.Has(Entry::kAtReceipt) || a.rank == b.rank);
  return (a.time == b.time || no_moment) && a.Has(Entry::kRetracted) == b.Has(Entry::kRetracted) &&
         a.origin == b.origin && std::memcmp(a.value, b.value, sizeof a.value) == 0;
}

void Erase(Series& series, int index) {
  const int behind = series.ring_count - index - 1;
  std::memmove(series.ring + index, series.ring + index + 1,
               sizeof(Entry) * static_cast<size_t>(behind));
  series.ring[--series.ring_count] = Entry();
}

void Insert(Series& series, const Entry& entry) {
  VL_CHECK(series.ring_count < kRingSize);
  int at = series.ring_count;
  while (at > 0 && std::tie(series.ring[at - 1].time, series.ring[at - 1].key) >
                       std::tie(entry.time, entry.key)) {
    series.ring[at] = series.ring[at - 1];
    --at;
  }
  series.ring[at] = entry;
  if (at != series.ring_count) series.tip_count = Series::kNoTip;
  ++series.ring_count;
}

// A half whose value went into the base with its other half, and now counts no more.
void TakeBack(Series& series, const Entry& half) {
  if (half.Has(Entry::kSettled) && !half.Has(Entry::kNoBaseline)) {
    RemoveFromBase(series, half.value);
  }
}

// A late version of a reading that came in time keeps its place among those in time.
Entry InTimeAs(const Entry& earlier, Entry entry) {
  if (!earlier.Has(Entry::kLate)) entry.marks &= static_cast<uint16_t>(~Entry::kLate);
  return entry;
}

}  // namespace

int FindKey(const Series& series, uint64_t key) {
  for (int i = series.ring_count - 1; i >= 0; --i) {
    if (series.ring[i].key == key) return i;
  }
  return -1;
}

RingOutcome PutEntry(Series& series, const Entry& entry) {
  const int at = FindKey(series, entry.key);
  if (at < 0) {
    Insert(series, entry);
    return RingOutcome::kChanged;
  }
  series.tip_count = Series::kNoTip;
  Entry& there = series.ring[at];
  if (SameContent(there, entry)) {
    there.rank = std::max(there.rank, entry.rank);
    there.marks = InTimeAs(entry, there).marks;
    return RingOutcome::kDuplicate;
  }
  if (entry.rank < there.rank) {
    there.marks = InTimeAs(entry, there).marks;
    return RingOutcome::kSuperseded;
  }
  const Entry next = InTimeAs(there, entry);
  TakeBack(series, there);
  Erase(series, at);
  Insert(series, next);
  return RingOutcome::kChanged;
}

RingOutcome RetractEntry(Series& series, uint64_t key, uint64_t rank) {
  const int at = FindKey(series, key);
  if (at < 0) return RingOutcome::kOlder;
  Entry& there = series.ring[at];
  if (rank < there.rank) return RingOutcome::kSuperseded;
  if (there.Has(Entry::kRetracted)) {
    there.rank = rank;
    return RingOutcome::kDuplicate;
  }
  series.tip_count = Series::kNoTip;
  TakeBack(series, there);
  there.rank = rank;
  there.marks |= Entry::kRetracted;
  return RingOutcome::kChanged;
}

void AddToBase(Series& series, const Entry& entry) {
  if (entry.Has(Entry::kNoBaseline)) return;
  series.tip_count = Series::kNoTip;
  for (int c = 0; c < kChannels; ++c) {
    Channel& channel = series.base.channel[c];
    const ChannelTraits& traits = TraitsOf(series.vital, c);
    if (traits.sigma == 0 || std::isnan(entry.value[c]) || channel.count == kHistory) continue;
    const int16_t value = ToHistory(entry.value[c], traits);
    const int oldest = (channel.head + kHistory - channel.count) % kHistory;
    bool there = false;
    for (int i = 0; i < channel.count; ++i) {
      there |= series.history[c][(oldest + i) % kHistory] == value;
    }
    if (there) continue;
    series.history[c][(oldest + kHistory - 1) % kHistory] = value;
    ++channel.count;
    channel.sum += value;
    channel.sum_of_squares += int64_t{value} * value;
  }
}

void RemoveFromBase(Series& series, const float (&value)[kChannels]) {
  series.tip_count = Series::kNoTip;
  for (int c = 0; c < kChannels; ++c) {
    const ChannelTraits& traits = TraitsOf(series.vital, c);
    if (traits.sigma == 0 || std::isnan(value[c])) continue;
    (void)RemoveFromBaseline(series.base.channel[c], series.history[c],
                             ToHistory(value[c], traits));
  }
}

}  // namespace vitalake::monitor
