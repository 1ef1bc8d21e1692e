// Thresholds, episodes, confirmation: what one patient's readings say.
#include "monitor/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MonitorTest, OrdinaryReadingsSayNothing) {
  Stream stream;
  stream.Tell(Ordinary(28));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  EXPECT_EQ(stream.monitor().counters().taken, 112);
}

TEST(MonitorTest, ASevereReadingOpensAtOnceAndASecondOneConfirmsIt) {
  Stream stream;
  stream.Tell(Bp(0, 184, 95));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("184/95 mmHg"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("Repeat it in 5 minutes"));
  EXPECT_EQ(stream.last().rule_version, "aha-acc-2025 2025.1");
  stream.Tell(Bp(5 * kMinute, 182, 96));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open", "opened high open quietly"));
  EXPECT_EQ(stream.said()[0].event.alert_id, stream.said()[1].event.alert_id);
  EXPECT_EQ(stream.said()[1].event.severity, Severity::kCritical);
}

TEST(MonitorTest, ANormalReadingClosesAPendingOne) {
  Stream stream;
  stream.Tell({Bp(0, 184, 95), Bp(5 * kMinute, 135, 85)});
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "closed severe-high closed quietly"));
  EXPECT_EQ(stream.last().event.closed_at, kStart + 5 * kMinute);
}

TEST(MonitorTest, NoRepeatWithin15MinutesEscalates) {
  Stream stream;
  stream.Tell(Bp(0, 184, 95));
  stream.Wait(15 * kMinute - kSecond);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  stream.Wait(15 * kMinute);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high unconfirmed"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("no repeat came within 15 minutes"));
  stream.Tell(Bp(20 * kMinute, 186, 95));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open", "opened high open quietly"));
}

// Near the limit, neither severe nor clear of it: the reading that opened the episode leaves the
// ring while it waits for its repeat.
TEST(MonitorTest, EscalationIsToldWhenTheOpenerHasLeftTheRing) {
  Stream stream;
  stream.Tell(Bp(0, 185, 95));
  for (int i = 1; i <= 10; ++i) stream.Tell(Bp(i * kMinute, 177, 95));
  stream.Heard();
  stream.Wait(15 * kMinute);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high unconfirmed"));
}

TEST(MonitorTest, WhatChangesInAnOldEpisodeIsNews) {
  Stream stream;
  stream.Tell(Bp(0, 184, 95));
  stream.Wait(30 * kHour);
  stream.Heard();
  stream.Tell(Bp(30 * kHour, 186, 95));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open"));
}

TEST(MonitorTest, ASevereReadingOfAnOpenEpisodeIsToldAgainAfterAnHour) {
  Stream stream;
  stream.Tell({Bp(0, 184, 95), Bp(5 * kMinute, 185, 95)});
  const Hash128 id = stream.said()[0].event.alert_id;
  const auto severe = [&] {
    std::vector<std::string> lines = stream.Heard();
    std::erase_if(lines, [](const std::string& line) { return !line.contains("severe-high"); });
    return lines;
  };
  stream.Wait(2 * kDay - kMinute);
  severe();  // three reminders, and no more
  stream.Tell(Bp(2 * kDay, 230, 135));
  EXPECT_THAT(severe(), ElementsAre("updated severe-high open"));
  EXPECT_EQ(stream.last().event.alert_id, id);
  EXPECT_EQ(stream.last().event.value, 230);
  stream.Tell(Bp(2 * kDay + 59 * kMinute, 231, 135));
  EXPECT_THAT(severe(), IsEmpty());
  stream.Tell(Bp(2 * kDay + 61 * kMinute, 232, 135));
  EXPECT_THAT(severe(), ElementsAre("updated severe-high open"));
  ASSERT_TRUE(stream.Do(Acknowledge{{"", "p1"}, id, "dr"}, 3 * kDay));
  severe();
  stream.Tell(Bp(3 * kDay + 23 * kHour, 230, 135));
  EXPECT_THAT(severe(), IsEmpty()) << "somebody has taken it on";
  stream.Tell(Bp(4 * kDay + kMinute, 230, 135));
  EXPECT_THAT(severe(), ElementsAre("updated severe-high open"));
}

TEST(MonitorTest, ADangerouslyLowReadingIsToldAgainToo) {
  Stream stream;
  stream.Tell(One(Vital::kOxygenSaturation, 0, 85));
  stream.Wait(10 * kHour);
  stream.Heard();
  stream.Tell(One(Vital::kOxygenSaturation, 20 * kHour, 80));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-low open"));
}

TEST(MonitorTest, ReadingsOfOthersMakeTimePassToo) {
  Stream stream;
  stream.Know("p2", -10'000);
  stream.Tell({Bp(0, 184, 95), Bp(16 * kMinute, 120, 80).Of("p2")});
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "updated severe-high unconfirmed"));
}

TEST(MonitorTest, SomeValuesDoNotWaitForASecondReading) {
  for (const Told& told : {Bp(0, 200, 95), Bp(0, 150, 130)}) {
    Stream stream;
    stream.Tell(told);
    EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open"));
  }
  Stream stream;
  stream.Tell(Bp(0, 69, 45));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-low open"));
}

TEST(MonitorTest, AnOrdinaryLevelNeedsTwoReadingsWithinAnHour) {
  Stream stream;
  stream.Tell({Bp(0, 162, 90), Bp(61 * kMinute, 163, 90)});
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(Bp(90 * kMinute, 164, 90));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
  EXPECT_EQ(stream.last().event.opened_at, kStart + 61 * kMinute) << "the first of the two";
  EXPECT_EQ(stream.last().event.reading_keys[0], Hash64("bp-3660"));
  EXPECT_EQ(stream.last().event.reading_keys[1], Hash64("bp-5400"));
}

TEST(MonitorTest, AnEpisodeEndsOnlyFiveBelowItsLimit) {
  Stream stream;
  stream.Tell({Bp(0, 162, 90), Bp(kMinute, 163, 90)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
  stream.Tell({Bp(2 * kHour, 156, 90), Bp(3 * kHour, 161, 90)});
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "one episode";
  stream.Tell(Bp(4 * kHour, 154, 90));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed high closed quietly"));
}

TEST(MonitorTest, LowPressureNeedsTwoReadingsToo) {
  Stream stream;
  const auto fifteen = static_cast<int32_t>(kStart / kDay - 15 * 366);
  stream.Know("p1", fifteen);
  stream.Tell({Bp(0, 88, 60), Bp(10 * kMinute, 87, 60)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened low open"));
  Stream mean;
  mean.Tell({Bp(0, 95, 48), Bp(10 * kMinute, 95, 48)});
  EXPECT_THAT(mean.Heard(), ElementsAre("opened low open")) << "a mean of 63.7";
}

// Everywhere, from 16 years on, not in pregnancy: 3 points of NEWS2.
TEST(MonitorTest, ASystolicPressureOf90DoesNotWait) {
  Stream stream;
  stream.Tell(Bp(0, 91, 60));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  EXPECT_EQ(stream.Tell(Bp(kMinute, 90, 60)).code, "N") << "by the guideline";
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-low open"));
  EXPECT_EQ(stream.last().rule_version, "vital-limits 2017.2");
  stream.Tell(Bp(2 * kMinute, 95, 70));
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "within the hysteresis";
  stream.Tell(Bp(3 * kMinute, 96, 70));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed severe-low closed quietly"));

  PatientSettings settings;
  settings.pregnant = true;
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p1"}, settings}, 0));
  stream.Know("p15", static_cast<int32_t>(kStart / kDay - 15 * 366));
  stream.Know("ageless", std::nullopt);
  stream.Tell({Bp(kHour, 88, 70), Bp(kHour, 88, 70).Of("p15").Id("a"),
               Bp(kHour, 88, 70).Of("ageless").Id("b")});
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorTest, APatientWhoIsNotAlertDoesNotWait) {
  Stream stream;
  stream.Tell(One(Vital::kConsciousness, 0, 0));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(One(Vital::kConsciousness, kMinute, 1));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("not alert"));
  EXPECT_EQ(stream.last().event.severity, Severity::kCritical);
  stream.Tell(One(Vital::kConsciousness, 2 * kMinute, 0));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed severe-high closed quietly"));
}

// There is no limit at which two low readings alert, only one that acts at once.
TEST(MonitorTest, NearALimitThatActsAtOnceIsNotAnOrdinaryLevel) {
  Stream stream;
  stream.Tell({One(Vital::kHeartRate, 0, 43), One(Vital::kHeartRate, kMinute, 44),
               One(Vital::kRespiratoryRate, 0, 9), One(Vital::kRespiratoryRate, kMinute, 9),
               One(Vital::kTemperature, 0, 35.2), One(Vital::kTemperature, kMinute, 35.3)});
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell({One(Vital::kHeartRate, 2 * kMinute, 40), One(Vital::kHeartRate, 3 * kMinute, 40)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-low open"));
}

TEST(MonitorTest, PersonalLimitsHoldNearTheSevereLevelToo) {
  Stream stream;
  PatientSettings settings;
  settings.limits = {{Vital::kBloodPressure, PersonalLimits{190, {}, {}, {}}}};
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p1"}, settings}, 0));
  stream.Tell({Bp(0, 177, 90), Bp(kMinute, 177, 90)});
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(Bp(2 * kMinute, 185, 90));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending")) << "that limit stays";
  stream.Tell({Bp(3 * kMinute, 191, 90), Bp(4 * kMinute, 191, 90), Bp(5 * kMinute, 183, 90)});
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open", "opened high open quietly",
                                          "closed high closed quietly"));
}

TEST(MonitorTest, GlucoseAndOxygenDoNotWait) {
  Stream stream;
  stream.Tell(One(Vital::kGlucoseMass, 0, 53));
  stream.Tell(One(Vital::kGlucoseMolar, 0, 2.9).Of("p2"));  // unknown: no clinical alert
  stream.Know("p3", std::nullopt);
  stream.Tell(One(Vital::kGlucoseMolar, 0, 2.9).Of("p3"));  // of any age
  stream.Tell(One(Vital::kOxygenSaturation, 0, 91));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-low open", "opened severe-low open",
                                          "opened severe-low open"));
  EXPECT_EQ(stream.said()[1].patient, "p3");
  EXPECT_EQ(stream.said()[0].rule_version, "glucose-limits 2019.1");
}

TEST(MonitorTest, OxygenScaleTwoIsByOrder) {
  Stream stream;
  PatientSettings settings;
  settings.oxygen_scale_two = true;
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p1"}, settings}, 0));
  stream.Tell(One(Vital::kOxygenSaturation, 0, 88));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(One(Vital::kOxygenSaturation, kMinute, 83));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-low open"));
}

TEST(MonitorTest, PregnancyHasItsOwnLimits) {
  Stream stream;
  PatientSettings settings;
  settings.pregnant = true;
  settings.until = kStart + kDay;
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p1"}, settings}, 0));
  stream.Tell(Bp(0, 161, 100));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("Repeat it in 15 minutes"));
  stream.Tell(Bp(2 * kDay, 161, 95));
  EXPECT_THAT(stream.Heard(),
              ElementsAre("updated severe-high unconfirmed", "updated severe-high unconfirmed",
                          "updated severe-high unconfirmed", "updated severe-high unconfirmed",
                          "closed severe-high closed quietly"))
      << "escalated, told again three times, and no longer severe";
}

TEST(MonitorTest, PersonalLimitsHoldUntilTheyExpire) {
  Stream stream;
  PatientSettings settings;
  settings.limits = {{Vital::kBloodPressure, PersonalLimits{150, 100, {}, {}}}};
  settings.until = kStart + kDay;
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p1"}, settings}, 0));
  stream.Tell({Bp(0, 151, 80), Bp(kMinute, 151, 80)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
  stream.Tell({Bp(kDay, 130, 80), Bp(kDay + kMinute, 151, 80), Bp(kDay + 2 * kMinute, 151, 80)});
  EXPECT_THAT(stream.Heard(), ElementsAre("closed high closed quietly"));
  settings.limits = {{Vital::kBloodPressure, PersonalLimits{100, 100, {}, {}}}};
  EXPECT_EQ(stream.Do(SettingsChanged{{"", "p1"}, settings}, kDay).error().kind,
            ErrorKind::kInvalidArgument);
}

TEST(MonitorTest, NoRuleForAdultsFiresUnder13) {
  Stream stream;
  const auto twelve = static_cast<int32_t>(kStart / kDay - 12 * 365 - 3);  // 12 years less a day
  stream.Know("child", twelve);
  stream.Tell({Bp(0, 190, 125).Of("child"), Bp(kMinute, 210, 135).Of("child")});
  EXPECT_THAT(stream.Heard(), IsEmpty());
  EXPECT_EQ(stream.Tell(Bp(2 * kMinute, 190, 125).Of("child")).code, "");
}

TEST(MonitorTest, WithoutABirthDateOnlyExtremesAreJudged) {
  Stream stream;
  stream.Know("p2", std::nullopt);
  stream.Tell({Bp(0, 170, 105).Of("p2"), Bp(kMinute, 170, 105).Of("p2")});
  EXPECT_THAT(stream.Heard(), IsEmpty());
  const Judgement judgement = stream.Tell(Bp(2 * kMinute, 200, 100).Of("p2"));
  EXPECT_TRUE(judgement.age_unknown);
  EXPECT_EQ(judgement.code, "HH");
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("Age unknown"));
}

TEST(MonitorTest, WithoutABirthDateAnAlertEndsAndTheNextIsTold) {
  Stream stream;
  stream.Know("p2", std::nullopt);
  stream.Tell(Bp(0, 205, 95).Of("p2"));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open"));
  stream.Tell(Bp(kMinute, 178, 95).Of("p2"));
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "an adult's would not end here";
  EXPECT_EQ(stream.Tell(Bp(2 * kMinute, 120, 80).Of("p2")).code, "") << "of whom nobody knows";
  EXPECT_THAT(stream.Heard(), ElementsAre("closed severe-high closed quietly"));
  stream.Tell(Bp(3 * kMinute, 220, 95).Of("p2"));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open"));
  stream.Know("p2", static_cast<int32_t>(kStart / kDay - 5 * 365));
  EXPECT_EQ(stream.Heard().back(), "withdrawn severe-high withdrawn") << "not a child's limit";
}

TEST(MonitorTest, WithoutACuffItAsksForOne) {
  for (const auto device : {clinical::Device::kCuffless, clinical::Device::kUnknownType}) {
    Stream stream;
    Told told = Bp(0, 190, 95);
    told.reading.device_type = device;
    stream.Tell(told);
    EXPECT_THAT(stream.last().event.explanation, HasSubstr("Confirm with a cuff"));
  }
  Stream stream;
  stream.Tell(Bp(0, 190, 95));
  EXPECT_THAT(stream.last().event.explanation, ::testing::Not(HasSubstr("cuff")));
}

TEST(MonitorTest, AnOpenAlertIsToldAgainUntilAcknowledged) {
  Stream stream;
  stream.Tell({Bp(0, 184, 95), Bp(5 * kMinute, 185, 95)});
  const Hash128 severe = stream.said()[0].event.alert_id;
  (void)stream.Heard();
  stream.Wait(kHour + 5 * kMinute + 2 * kSecond);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("not acknowledged"));
  ASSERT_TRUE(stream.Do(Acknowledge{{"", "p1"}, severe, "dr"}, 2 * kHour));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open quietly"));
  EXPECT_EQ(stream.last().event.acknowledged_at, kStart + 2 * kHour);
  stream.Wait(20 * kHour);
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorTest, ASnoozedAlertIsToldWhenTheSnoozeEndsOrItBecomesGraver) {
  Stream stream;
  stream.Tell(Bp(0, 184, 95));
  const Hash128 id = stream.last().event.alert_id;
  ASSERT_TRUE(stream.Do(Snooze{{"", "p1"}, id, "dr", kStart + 3 * kHour}, kMinute));
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "updated severe-high pending quietly"));
  EXPECT_EQ(stream.last().event.snoozed_until, kStart + 3 * kHour);
  stream.Wait(15 * kMinute);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high unconfirmed")) << "graver";
  stream.Wait(3 * kHour - kSecond);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Wait(3 * kHour);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high unconfirmed"));
}

TEST(MonitorTest, AnUnknownAlertCannotBeAcknowledged) {
  Stream stream;
  EXPECT_EQ(stream.Do(Acknowledge{{"", "p1"}, {1, 2}, "dr"}, 0).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(stream.Do(Snooze{{"", "nobody"}, {1, 2}, "dr", 0}, 0).error().kind,
            ErrorKind::kNotFound);
}

TEST(MonitorTest, TooManyAlertsAreToldAsOneButSevereOnesNever) {
  MonitorOptions options;
  options.most_alerts_per_day = 2;
  Stream stream(options);
  Micros at = 0;
  const auto episode = [&] {
    stream.Tell({Bp(at, 165, 90), Bp(at + kMinute, 165, 90), Bp(at + 2 * kMinute, 130, 80)});
    at += kHour;
  };
  episode();
  episode();
  (void)stream.Heard();
  episode();
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open quietly", "opened too-many open",
                                          "closed high closed quietly"));
  episode();
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened high open quietly", "closed high closed quietly"));
  stream.Tell(Bp(at, 190, 90));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  EXPECT_EQ(stream.monitor().counters().capped, 2);
}

TEST(MonitorTest, ARollUpIsOfOneDeviceModelAndOneDay) {
  MonitorOptions options;
  options.most_alerts_per_day = 1;
  Stream stream(options);
  Micros at = 0;
  const auto episode = [&](const char* model) {
    for (const double value : {165, 165, 130}) {
      Told told = Bp(at += kMinute, value, 90);
      told.model = model;
      stream.Tell(told);
    }
  };
  const auto roll_ups = [&] {
    std::vector<std::string> lines = stream.Heard();
    std::erase_if(lines, [](const std::string& line) { return !line.contains("too-many"); });
    return lines;
  };
  for (int i = 0; i < 3; ++i) {
    episode("m1");
    episode("m2");
  }
  EXPECT_THAT(roll_ups(), ElementsAre("opened too-many open", "opened too-many open"));
  stream.Wait(kDay + at);
  EXPECT_THAT(roll_ups(),
              ElementsAre("closed too-many closed quietly", "closed too-many closed quietly"));
  at += kDay;
  episode("m1");
  episode("m1");
  EXPECT_THAT(roll_ups(), ElementsAre("opened too-many open"));
  std::map<std::string, int> on;
  for (const Said& said : stream.said()) {
    if (said.event.rule != Rule::kTooMany) continue;
    on[said.event.alert_id.ToHex()] += said.event.change == Change::kOpened ? 1 : -1;
  }
  EXPECT_EQ(on.size(), 3u) << "an id of its own for each";
  EXPECT_EQ(std::ranges::count_if(on, [](const auto& one) { return one.second == 1; }), 1);
}

TEST(MonitorTest, ASpikeIsFoundAgainstTheOwnBaseline) {
  Stream stream;
  std::vector<Told> all = Ordinary(10);
  stream.Tell(all);
  ASSERT_THAT(stream.Heard(), IsEmpty());
  const Judgement judgement = stream.Tell(Bp(10 * kDay, 175, 80));
  EXPECT_TRUE(judgement.spike);
  EXPECT_EQ(judgement.baseline[0].readings, 40);
  EXPECT_NEAR(judgement.baseline[0].mean, 130, 4);
  EXPECT_GT(judgement.baseline[0].z, 3);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened spike open"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("above the patient's own mean of 1"));
  stream.Tell(Bp(10 * kDay + kHour, 131, 80));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed spike closed quietly"));
}

TEST(MonitorTest, AShiftIsFoundWithinAFewReadings) {
  Stream stream;
  stream.Tell(Ordinary(14));
  int readings = 0;
  while (readings < 8 && stream.monitor().counters().shifts == 0) {
    stream.Tell(Bp(14 * kDay + readings++ * 6 * kHour, 155, 80));
  }
  EXPECT_LT(readings, 8);
  EXPECT_EQ(stream.monitor().counters().shifts, 1);
}

TEST(MonitorTest, ThreeSpikesInARowAreTheNewUsual) {
  Stream stream;
  stream.Tell(Ordinary(10));
  EXPECT_TRUE(stream.Tell(Bp(10 * kDay, 185, 80)).spike);
  EXPECT_TRUE(stream.Tell(Bp(10 * kDay + 6 * kHour, 183, 80)).spike);
  EXPECT_TRUE(stream.Tell(Bp(10 * kDay + 12 * kHour, 184, 80)).spike);
  const Judgement after = stream.Tell(Bp(10 * kDay + 18 * kHour, 186, 80));
  EXPECT_FALSE(after.spike);
  EXPECT_EQ(after.baseline[0].readings, 3);
  EXPECT_DOUBLE_EQ(after.baseline[0].mean, 184);
}

TEST(MonitorTest, BeforeTwelveReadingsOnThreeDaysThereAreThresholdsOnly) {
  Stream one_day;
  for (int i = 0; i < 20; ++i) one_day.Tell(Bp(i * 20 * kMinute, 120 + i % 3, 80));
  EXPECT_EQ(one_day.Tell(Bp(8 * kHour, 155, 80)).baseline[0].readings, 0);
  Stream few;
  for (int i = 0; i < 11; ++i) few.Tell(Bp(i * 12 * kHour, 120 + i % 3, 80));
  EXPECT_EQ(few.Tell(Bp(6 * kDay, 155, 80)).baseline[0].readings, 0);
  EXPECT_EQ(few.Tell(Bp(7 * kDay, 121, 80)).baseline[0].readings, 12);
}

TEST(MonitorTest, ADriftOfDailyMediansIsFound) {
  Stream stream;
  int day = 0;
  for (; day < 10; ++day) {
    for (int i = 0; i < 4; ++i) stream.Tell(Bp(day * kDay + i * 5 * kHour, 128 + i, 80));
  }
  (void)stream.Heard();
  bool drift = false;
  for (; day < 40 && !drift; ++day) {
    for (int i = 0; i < 4; ++i) {
      stream.Tell(Bp(day * kDay + i * 5 * kHour, 128 + i + 0.9 * (day - 10), 80));
    }
    for (const std::string& line : stream.Heard()) drift |= line == "opened drift open";
  }
  EXPECT_TRUE(drift);
}

TEST(MonitorTest, ImplausibleReadingsAskForARepeat) {
  Stream stream;
  Told told = Bp(0, 80, 120);
  told.reading.quality.Add(clinical::Quality::kImplausible);
  stream.Tell(told);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened check-reading open"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("check the reading"));
  stream.Tell(Bp(5 * kMinute, 120, 80));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed check-reading closed quietly"));
}

TEST(MonitorTest, OneAlertIdForLifeWhateverMonitorSaysIt) {
  Stream a, b;
  for (Stream* stream : {&a, &b}) stream->Tell({Bp(0, 184, 95), Bp(5 * kMinute, 120, 80)});
  EXPECT_EQ(a.said()[0].event.alert_id, b.said()[0].event.alert_id);
  EXPECT_EQ(a.said()[0].event.alert_id,
            AlertId({"", "p1"}, Vital::kBloodPressure, Rule::kSevereHigh, Hash64("bp-0")));
  EXPECT_NE(AlertId({"a", "b"}, Vital::kWeight, Rule::kHigh, 1),
            AlertId({"", "ab"}, Vital::kWeight, Rule::kHigh, 1));
}

TEST(MonitorTest, CodesOfReadings) {
  Stream stream;
  struct Case {
    double systolic, diastolic;
    const char* code;
  };
  Micros at = 0;
  for (const Case& c : {Case{120, 75, "N"},
                        {129, 79, "N"},
                        {130, 75, "H"},
                        {120, 80, "H"},
                        {180, 80, "H"},
                        {181, 80, "HH"},
                        {120, 121, "HH"},
                        {89, 60, "L"},
                        {69, 50, "LL"}}) {
    EXPECT_EQ(stream.Tell(Bp(at += kHour, c.systolic, c.diastolic)).code, c.code)
        << c.systolic << "/" << c.diastolic;
  }
}

}  // namespace
}  // namespace vitalake::monitor
