#include "ingest/generate/person.h"

#include <algorithm>
#include <array>

#include "ingest/generate/random.h"
#include "ingest/generate/text.h"

namespace vitalake::ingest {
namespace {

constexpr std::array<int64_t, 5> kOffsets = {0, 0, 120, -300, 345};
constexpr int64_t kYearDays = 365;

int64_t AgeDays(SeededRandom& random) {
  // One in 25 is a child; adults lean to the older, as people with blood-pressure cuffs do.
  if (Chance(random, 40)) return Between(random, 5 * kYearDays, 18 * kYearDays);
  const int64_t a = Between(random, 18 * kYearDays, 95 * kYearDays);
  const int64_t b = Between(random, 18 * kYearDays, 95 * kYearDays);
  return Chance(random, 500) ? std::max(a, b) : a;
}

}  // namespace

Person MakePerson(uint64_t seed, int64_t index, Micros now) {
  SeededRandom random = RandomFor(seed, RandomUse::kPerson, index);
  Person person;
  person.female = Chance(random, 510);
  person.deceased = Chance(random, 20);
  person.age_days = AgeDays(random);
  person.birth_day = now / kDay - person.age_days;
  person.utc_offset_minutes = kOffsets[random.Below(kOffsets.size())];
  person.device = index * 7 + static_cast<int64_t>(random.Below(7));
  person.device_bias = Noise(random, 200);

  const int64_t years = person.age_days / kYearDays;
  const int64_t mean = years < 18 ? 9000 + 140 * years : 10'800 + 32 * years;
  person.systolic = std::clamp<int64_t>(mean + Noise(random, 1300), 8800, 19'000);
  person.diastolic =
      std::clamp<int64_t>(person.systolic * 3 / 5 + Noise(random, 500), 5000, 11'500);
  person.swing = Between(random, 400, 1000);
  person.systolic_noise = Between(random, 450, 850);
  person.diastolic_noise = Between(random, 300, 550);
  person.heart_rate = std::clamp<int64_t>(72 + Noise(random, 9), 48, 105);
  return person;
}

int64_t RhythmAt(int64_t minute_of_day) {
  // 1000 * cos(2 pi (hour - 16) / 24), rounded; the last is hour 0 again.
  constexpr std::array<int64_t, 25> kByHour = {
      -500, -707, -866, -966, -1000, -966, -866, -707, -500, -259, 0,    259, 500,
      707,  866,  966,  1000, 966,   866,  707,  500,  259,  0,    -259, -500};
  const auto hour = static_cast<size_t>(minute_of_day / 60);
  return kByHour[hour] + (kByHour[hour + 1] - kByHour[hour]) * (minute_of_day % 60) / 60;
}

Pressures PressuresAt(const Person& person, int64_t minute_of_day) {
  const int64_t rhythm = RhythmAt(minute_of_day);
  return {person.systolic + person.swing * rhythm / 1000,
          person.diastolic + person.swing * rhythm * 3 / 5000};
}

}  // namespace vitalake::ingest
