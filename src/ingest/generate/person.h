// Who a generated patient is: what the Patient and the readings of it have in common.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace vitalake::ingest {

// Pressures in hundredths of mm[Hg].
struct Person {
  bool female = false;
  bool deceased = false;  // before the readings begin: such a person has none
  int64_t birth_day = 0;  // days since 1970
  int64_t age_days = 0;
  int64_t utc_offset_minutes = 0;
  int64_t device = 0;       // number of the home device
  int64_t device_bias = 0;  // what it shows too much
  int64_t systolic = 0;     // mean of the day
  int64_t diastolic = 0;
  int64_t swing = 0;           // systolic: half of what the day moves it
  int64_t systolic_noise = 0;  // deviation from one reading to the next
  int64_t diastolic_noise = 0;
  int64_t heart_rate = 0;  // 1/min
};

// The person of that number, aged as at `now`.
Person MakePerson(uint64_t seed, int64_t index, Micros now);

struct Pressures {
  int64_t systolic = 0;
  int64_t diastolic = 0;
};

// What the body has at that minute (0 to 1439) of the local day, without noise.
Pressures PressuresAt(const Person& person, int64_t minute_of_day);

// Thousandths of the daily swing at that minute: highest in the afternoon, lowest at night.
int64_t RhythmAt(int64_t minute_of_day);

}  // namespace vitalake::ingest
