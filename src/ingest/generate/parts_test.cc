// The parts of the generator: texts, random sequences, persons.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numbers>

#include "ingest/generate/generate.h"
#include "ingest/generate/person.h"
#include "ingest/generate/random.h"
#include "ingest/generate/text.h"

namespace vitalake::ingest {
namespace {

std::string Hundredths(int64_t value) {
  std::string out;
  AppendHundredths(out, value);
  return out;
}

std::string Time(Micros time, int64_t offset, Fraction fraction) {
  std::string out;
  AppendDateTime(out, time, offset, fraction);
  return out;
}

TEST(GenerateTextTest, HundredthsHaveNoNeedlessZeros) {
  EXPECT_EQ(Hundredths(12'800), "128");
  EXPECT_EQ(Hundredths(12'850), "128.5");
  EXPECT_EQ(Hundredths(7625), "76.25");
  EXPECT_EQ(Hundredths(7605), "76.05");
  EXPECT_EQ(Hundredths(5), "0.05");
  EXPECT_EQ(Hundredths(0), "0");
}

TEST(GenerateTextTest, TimesWithOffsets) {
  // `date -u -d @1709164799`: 2024-02-28T23:59:59Z.
  constexpr Micros kLeap = 1'709'164'799'123'456;
  EXPECT_EQ(Time(kLeap, 0, Fraction::kNone), "2024-02-28T23:59:59Z");
  EXPECT_EQ(Time(kLeap, 0, Fraction::kMillis), "2024-02-28T23:59:59.123Z");
  EXPECT_EQ(Time(kLeap, 345, Fraction::kNone), "2024-02-29T05:44:59+05:45");
  EXPECT_EQ(Time(kLeap, -300, Fraction::kNone), "2024-02-28T18:59:59-05:00");
  EXPECT_EQ(Time(kLeap, -345, Fraction::kNone), "2024-02-28T18:14:59-05:45");
  EXPECT_EQ(Time(kDefaultEnd, 120, Fraction::kMillis), "2026-04-01T02:00:00.000+02:00");
}

TEST(GenerateRandomTest, NoiseIsNearlyNormal) {
  SeededRandom random(1);
  constexpr int kDraws = 100'000;
  double sum = 0;
  double squares = 0;
  int within_one = 0;
  for (int i = 0; i < kDraws; ++i) {
    const auto x = static_cast<double>(Noise(random, 1'000'000)) / 1e6;
    sum += x;
    squares += x * x;
    within_one += std::abs(x) < 1;
  }
  // Five standard errors: 1/sqrt(n) of the mean, about the same of the deviation.
  EXPECT_NEAR(sum / kDraws, 0, 0.016);
  EXPECT_NEAR(std::sqrt(squares / kDraws), 1, 0.016);
  // 68.27 % for a normal; the sum of twelve is a little flatter.
  EXPECT_NEAR(static_cast<double>(within_one) / kDraws, 0.6827, 0.012);
}

TEST(GenerateRandomTest, EachRecordHasItsOwnSequence) {
  const auto first = [](uint64_t seed, RandomUse use, int64_t index) {
    return RandomFor(seed, use, index).Next();
  };
  EXPECT_EQ(first(1, RandomUse::kPerson, 5), first(1, RandomUse::kPerson, 5));
  EXPECT_NE(first(1, RandomUse::kPerson, 5), first(1, RandomUse::kPerson, 6));
  EXPECT_NE(first(1, RandomUse::kPerson, 5), first(2, RandomUse::kPerson, 5));
  EXPECT_NE(first(1, RandomUse::kPerson, 5), first(1, RandomUse::kPatient, 5));
  SeededRandom random(3);
  for (int i = 0; i < 1000; ++i) {
    const int64_t x = Between(random, -2, 2);
    EXPECT_GE(x, -2);
    EXPECT_LE(x, 2);
  }
}

TEST(GeneratePersonTest, TheDayHasARhythm) {
  for (int64_t minute = 0; minute < 1440; ++minute) {
    const double hours = static_cast<double>(minute) / 60;
    const double cosine = 1000 * std::cos(2 * std::numbers::pi * (hours - 16) / 24);
    // Straight lines between the hours miss the cosine by at most (pi/12)^2/8, 8.6 thousandths.
    EXPECT_NEAR(static_cast<double>(RhythmAt(minute)), cosine, 10) << minute;
  }
  Person person;
  person.systolic = 13'000;
  person.diastolic = 8000;
  person.swing = 800;
  EXPECT_EQ(PressuresAt(person, 16 * 60).systolic, 13'800);
  EXPECT_EQ(PressuresAt(person, 4 * 60).systolic, 12'200);
  EXPECT_EQ(PressuresAt(person, 16 * 60).diastolic, 8480);
}

TEST(GeneratePersonTest, APopulation) {
  constexpr int kPeople = 20'000;
  int children = 0;
  int deceased = 0;
  int female = 0;
  int64_t young = 0, young_sum = 0, old = 0, old_sum = 0;
  for (int i = 0; i < kPeople; ++i) {
    const Person person = MakePerson(kDefaultSeed, i, kDefaultEnd);
    const int64_t years = person.age_days / 365;
    ASSERT_GE(years, 5);
    ASSERT_LE(years, 95);
    ASSERT_GT(person.systolic, person.diastolic + 1000);
    EXPECT_EQ(person.birth_day + person.age_days, kDefaultEnd / kDay);
    children += years < 18;
    deceased += person.deceased;
    female += person.female;
    if (years >= 18 && years < 40) ++young, young_sum += person.systolic;
    if (years >= 65) ++old, old_sum += person.systolic;
  }
  // Shares of 4, 2 and 51 %, each within five standard deviations.
  EXPECT_NEAR(children, 800, 140);
  EXPECT_NEAR(deceased, 400, 100);
  EXPECT_NEAR(female, 10'200, 354);
  // Pressure rises with age.
  EXPECT_GT(old_sum / old, young_sum / young + 900);
}

}  // namespace
}  // namespace vitalake::ingest
