// The ring of a series: putting in readings, new versions and retractions.
#pragma once

#include <cstdint>
#include <span>

#include "monitor/fold.h"
#include "monitor/series.h"

namespace vitalake::monitor {

enum class RingOutcome : uint8_t {
  kChanged,     // put in, replaced or retracted
  kDuplicate,   // the same content is there (its rank may have risen)
  kSuperseded,  // a higher rank is there
  kOlder,       // older than the ring, or not in it: nothing changed
};

// The place of a key in the ring; -1 when it is not there.
int FindKey(const Series& series, uint64_t key);

// Puts in a reading, or a new version of one. A version that comes after an earlier one came in
// time is in time, too. The caller has made room (ring_count < kRingSize) for a new key.
RingOutcome PutEntry(Series& series, const Entry& entry);

// Takes a reading of the ring back; kOlder when it is not there.
RingOutcome RetractEntry(Series& series, uint64_t key, uint64_t rank);

// Whether a new reading belongs behind the ring, where single readings are not known any more.
inline bool IsOlderThanRing(const Series& series, const Entry& entry) {
  return entry.time < series.base_time ||
         (series.ring_count == kRingSize && entry.time < series.ring[0].time);
}

// A reading older than the ring: it joins a baseline that has room, unless equal values are in it
// (it may have counted already).
void AddToBase(Series& series, const Entry& entry);
// Takes values out of the baseline; those that are not there are left alone.
void RemoveFromBase(Series& series, const float (&value)[kChannels]);

}  // namespace vitalake::monitor
