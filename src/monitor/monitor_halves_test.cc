// Systolic and diastolic values sent as records of their own: one reading when patient, time and
// device are equal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Rules and states of all alerts as they stand, without those that were withdrawn.
std::vector<std::string> AlertsOf(const Stream& stream) {
  std::map<Hash128, std::string> current;
  for (const Said& said : stream.said()) {
    const AlertEvent& event = said.event;
    current[event.alert_id] = std::string(ToString(event.rule)) + " " +
                              std::string(ToString(event.state)) + " " +
                              std::to_string(event.opened_at / kSecond);
  }
  std::vector<std::string> lines;
  for (auto& [_, line] : current) {
    if (!line.contains("withdrawn")) lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  return lines;
}

TEST(MonitorHalvesTest, TheOtherHalfNeitherConfirmsNorEndsASevereReading) {
  Stream stream;
  stream.Tell(Systolic(0, 185));
  stream.Tell(Diastolic(0, 75));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  stream.Tell(Diastolic(10 * kMinute, 125));
  stream.Tell(Systolic(10 * kMinute, 190));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open", "opened high open quietly"));
}

TEST(MonitorHalvesTest, AnOrdinaryHighWaitsForASecondReadingNotForTheOtherHalf) {
  Stream stream;
  stream.Tell({Systolic(0, 165), Diastolic(0, 105)});
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell({Diastolic(20 * kMinute, 75), Systolic(20 * kMinute, 165)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
}

TEST(MonitorHalvesTest, TheHalfThatComesLaterDoesNotEndWhatStands) {
  Stream stream;
  stream.Tell({Bp(0, 165, 90), Bp(20 * kMinute, 166, 90)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
  stream.Tell({Diastolic(40 * kMinute, 75), Systolic(40 * kMinute, 167)});
  ASSERT_THAT(AlertsOf(stream), ElementsAre(testing::HasSubstr("high open")));
}

TEST(MonitorHalvesTest, ARetractedHalfLeavesTheOther) {
  Stream stream;
  const Told high = Systolic(0, 185);
  stream.Tell({high, Diastolic(0, 75)});
  stream.Tell(Retracted(high, kMinute));
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "withdrawn severe-high withdrawn"));
}

TEST(MonitorHalvesTest, SwappedHalvesAskForARepeat) {
  Stream stream;
  stream.Tell({Systolic(0, 80), Diastolic(0, 118)});
  EXPECT_THAT(AlertsOf(stream), ElementsAre(testing::HasSubstr("check-reading open")));
}

TEST(MonitorHalvesTest, OtherDevicesAndOtherTimesAreNoPairs) {
  Stream stream;
  stream.Tell(Systolic(0, 185));
  Told other = Diastolic(kSecond, 75);  // a second later: a reading of its own
  stream.Tell(other);
  // Says nothing of the systolic pressure.
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
}

// A value that is not there is not clear of the limit that its last one reached.
TEST(MonitorHalvesTest, WhatLacksTheSevereValueEndsNothing) {
  Stream stream;
  stream.Tell({Bp(0, 205, 100), Diastolic(kMinute, 80)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open"));
  stream.Tell(Systolic(2 * kMinute, 118));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed severe-high closed quietly"));

  Stream diastolic;
  diastolic.Tell({Bp(0, 150, 125), Systolic(kMinute, 118)});
  EXPECT_THAT(diastolic.Heard(), ElementsAre("opened severe-high pending"));
  diastolic.Tell(Diastolic(2 * kMinute, 80));
  EXPECT_THAT(diastolic.Heard(), ElementsAre("closed severe-high closed quietly"));

  Stream low;
  low.Tell({Bp(0, 65, 40), Diastolic(kMinute, 80)});
  EXPECT_THAT(low.Heard(), ElementsAre("opened severe-low open"));
  low.Tell(Bp(2 * kMinute, 120, 80));
  EXPECT_THAT(low.Heard(), ElementsAre("closed severe-low closed quietly"));
}

TEST(MonitorHalvesTest, WhatLacksTheHighValueEndsNoOrdinaryEpisodeEither) {
  Stream stream;
  stream.Tell({Bp(0, 165, 75), Diastolic(kMinute, 70), Bp(2 * kMinute, 165, 75)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open")) << "it was a candidate still";
  stream.Tell(Diastolic(3 * kMinute, 70));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(Systolic(4 * kMinute, 118));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed high closed quietly"));
}

TEST(MonitorHalvesTest, HalvesOfTwoDevicesAtOneMomentSayNothingOfEachOther) {
  Stream stream;
  Told other = Diastolic(0, 125);
  other.device = "d2";
  stream.Tell({Systolic(0, 150), other});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
}

// As long as the ring, and longer.
TEST(MonitorHalvesTest, WhatHoldsAnEpisodeOnIsKnownWhenItsReadingsHaveLeftTheRing) {
  Stream stream;
  stream.Tell(Bp(0, 205, 100));
  for (int i = 1; i <= 20; ++i) stream.Tell(Diastolic(i * kMinute, 80));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open"));
  stream.Tell(Systolic(21 * kMinute, 118));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed severe-high closed quietly"));
}

// The same values as pairs and as halves, in whatever order the halves come: the same baseline, the
// same alerts in the end.
TEST(MonitorHalvesTest, HalvesComeToWhatWholeReadingsComeTo) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SeededRandom random(seed);
    std::vector<Told> all = Ordinary(14, seed);
    for (Told& told : all) {
      if (random.Below(12) == 0) *told.reading.value += 60;
      if (random.Below(12) == 0) {
        // Closer together they would be implausible.
        told.reading.diastolic = std::min(*told.reading.diastolic + 45, *told.reading.value - 10);
      }
    }
    Stream whole, halves;
    for (const Told& told : all) {
      whole.Tell(told);
      Told systolic = told, diastolic = told;
      systolic.id += "-s";
      systolic.reading.diastolic.reset();
      diastolic.id += "-d";
      diastolic.reading.value.reset();
      const bool first = random.Below(2) == 0;
      halves.Tell(first ? systolic : diastolic);
      halves.Tell(first ? diastolic : systolic);
    }
    const Told last = Bp(15 * kDay, 130, 80);
    const Judgement a = whole.Tell(last), b = halves.Tell(last);
    for (int c = 0; c < 2; ++c) {
      EXPECT_EQ(a.baseline[c].readings, b.baseline[c].readings) << seed;
      EXPECT_DOUBLE_EQ(a.baseline[c].mean, b.baseline[c].mean) << seed;
      EXPECT_DOUBLE_EQ(a.baseline[c].sigma, b.baseline[c].sigma) << seed;
    }
    EXPECT_EQ(AlertsOf(whole), AlertsOf(halves)) << seed;
  }
}

}  // namespace
}  // namespace vitalake::monitor
