// The hard cases about patients: unknown, merged, deceased, not of this world.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using clinical::Quality;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MonitorCasesTest, UnknownPatientACriticalValueAlertsTheOperationsQueue) {
  Stream stream;
  stream.Tell(Bp(0, 150, 95).Of("nobody"));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(Bp(kHour, 190, 95).Of("nobody"));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open"));
  EXPECT_EQ(stream.last().event.queue, Queue::kOperations);
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("not known here"));
  stream.Tell(Bp(2 * kHour, 190, 95).Of("nobody"));
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "once a day";
  const Hash128 first = stream.last().event.alert_id;
  stream.Tell(Bp(26 * kHour, 190, 95).Of("nobody"));
  EXPECT_THAT(stream.Heard(),
              ElementsAre("closed operations closed quietly", "opened operations open"));
  EXPECT_NE(stream.last().event.alert_id, first);
}

TEST(MonitorCasesTest, UnknownPatientIsJoinedWhenItAppears) {
  Stream stream;
  stream.Tell(Bp(0, 190, 95).Of("new"));
  const Hash128 id = stream.last().event.alert_id;
  ASSERT_TRUE(stream.Do(Acknowledge{{"", "new"}, id, "operator"}, kMinute).has_value());
  EXPECT_EQ(stream.last().event.queue, Queue::kOperations);
  (void)stream.Heard();
  stream.Know("new", -9000);
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "closed operations closed quietly"))
      << "a clinician hears of it now";
  EXPECT_EQ(stream.last().event.alert_id, id);
  EXPECT_EQ(stream.last().event.queue, Queue::kOperations);
  EXPECT_EQ(stream.said()[2].event.queue, Queue::kClinical);
  EXPECT_EQ(stream.said()[2].event.value, 190);
  EXPECT_EQ(stream.said()[2].rule_version, "aha-acc-2025 2025.1");
  stream.Tell(Bp(10 * kMinute, 190, 95).Of("new"));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open", "opened high open quietly"));
}

TEST(MonitorCasesTest, WhatPrecedesItsPatientIsJudgedAsIfKnown) {
  Stream stream;
  stream.Tell({One(Vital::kTemperature, 0, 35.0).Of("cold"), Bp(0, 190, 95).Of("better").Id("b1"),
               Bp(3 * kMinute, 130, 80).Of("better").Id("b2"), Bp(0, 120, 125).Of("odd").Id("o1"),
               One(Vital::kOxygenSaturation, 0, 80).Of("child"),
               Bp(0, 215, 135).Of("long ago").Id("l1")});
  Told implausible = Bp(kMinute, 80, 130).Of("odd").Id("o2");
  implausible.reading.quality.Add(Quality::kImplausible);
  stream.Tell(implausible);
  stream.Wait(2 * kHour);
  stream.Heard();
  const auto said_of = [&](const std::string& patient, int32_t birth_day) {
    stream.Know(patient, birth_day);
    std::vector<std::string> lines = stream.Heard();
    std::erase_if(lines, [](const std::string& line) { return line.contains("operations"); });
    return lines;
  };
  EXPECT_THAT(said_of("cold", -9000), ElementsAre("opened severe-low open"));
  EXPECT_THAT(said_of("better", -9000),
              ElementsAre("opened severe-high open quietly", "closed severe-high closed quietly"));
  EXPECT_THAT(said_of("odd", -9000),
              ElementsAre("opened severe-high unconfirmed", "opened check-reading open"));
  EXPECT_THAT(said_of("child", static_cast<int32_t>(kStart / kDay - 5 * 365)), IsEmpty());
  stream.Wait(24 * kHour + kMinute);
  stream.Heard();
  EXPECT_THAT(said_of("long ago", -9000), IsEmpty()) << "nothing to act on any more";
}

TEST(MonitorCasesTest, WhatAskedTheOperationsQueueIsWithdrawnWithItsReading) {
  const auto critical = [] { return Bp(0, 215, 135).Of("nobody").Version(1); };
  for (const bool settled : {false, true}) {
    Stream stream;
    stream.Tell(critical());
    const Hash128 id = stream.last().event.alert_id;
    for (int i = 1; settled && i <= 10; ++i) stream.Tell(Bp(i * kMinute, 130, 80).Of("nobody"));
    EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open"));
    Monitor restored = *Monitor::Restore({}, stream.monitor().Snapshot());
    Told deleted = Retracted(critical().Of(""), kHour);  // a DELETE
    deleted.reading.rank.version = -1;
    stream.Tell(deleted);
    EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn operations withdrawn"));
    EXPECT_EQ(stream.last().event.alert_id, id);
    (void)restored.Observe(deleted.View());
    EXPECT_EQ(restored.Snapshot(), stream.monitor().Snapshot());
  }
  Stream corrected;
  corrected.Tell(critical());
  corrected.Tell(Bp(0, 121, 80).Of("nobody").Version(2));
  EXPECT_THAT(corrected.Heard(),
              ElementsAre("opened operations open", "withdrawn operations withdrawn"));
}

TEST(MonitorCasesTest, ARecordWithoutAnyPatientGoesToTheOperationsQueue) {
  Stream stream;
  Told told = Bp(0, 190, 95).Of("");
  EXPECT_EQ(stream.Tell(told).outcome, Outcome::kUnwatched);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open"));
  EXPECT_EQ(stream.last().patient, "");
}

TEST(MonitorCasesTest, PatientMergedOpenAlertsFollowTheSurvivorWithoutDuplicates) {
  Stream stream;
  stream.Know("old", -9000);
  stream.Tell(Bp(0, 184, 95).Of("old"));
  const Hash128 id = stream.last().event.alert_id;
  (void)stream.Heard();
  PatientFacts merged;
  merged.replaced_by = "p1";
  stream.Know("old", -9000, merged);
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "it goes along";
  stream.Tell(Bp(5 * kMinute, 186, 95));
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open", "opened high open quietly"));
  const Said& updated = stream.said()[stream.said().size() - 2];
  EXPECT_EQ(updated.event.alert_id, id);
  stream.Tell(Bp(10 * kMinute, 120, 80).Of("old"));
  EXPECT_THAT(stream.Heard(),
              ElementsAre("closed severe-high closed quietly", "closed high closed quietly"))
      << "readings under the old id are the survivor's";
}

TEST(MonitorCasesTest, PatientMergedWithTheSameAlertOnBothSides) {
  Stream stream;
  stream.Know("old", -9000);
  stream.Tell({Bp(0, 184, 95).Of("old"), Bp(kMinute, 185, 95)});
  (void)stream.Heard();
  PatientFacts merged;
  merged.replaced_by = "p1";
  stream.Know("old", -9000, merged);
  EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn severe-high withdrawn",
                                          "updated severe-high open", "opened high open quietly"))
      << "two severe readings of one person confirm each other, under one alert";
}

TEST(MonitorCasesTest, PatientUnmergedIsAsBefore) {
  Stream stream;
  stream.Know("old", -9000);
  PatientFacts merged;
  merged.replaced_by = "p1";
  stream.Tell(Bp(0, 130, 80));
  stream.Know("old", -9000, merged);
  stream.Tell(Bp(kMinute, 184, 95).Of("old"));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  stream.Know("old", -9000);
  stream.Tell(Bp(5 * kMinute, 184, 95).Of("old"));
  std::vector<std::string> heard = stream.Heard();
  EXPECT_EQ(stream.last().patient, "old");
  EXPECT_THAT(heard, ::testing::Contains("opened severe-high pending"));
  stream.Tell(Bp(6 * kMinute, 130, 80));
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "the other's readings are not p1's any more";
}

TEST(MonitorCasesTest, MergesInACircleAreNoTrap) {
  Stream stream;
  PatientFacts to_b, to_a;
  to_b.replaced_by = "b";
  to_a.replaced_by = "a";
  stream.Know("a", -9000, to_b);
  stream.Know("b", -9000, to_a);
  stream.Tell({Bp(0, 190, 95).Of("a"), Bp(kMinute, 130, 80).Of("b")});
  EXPECT_EQ(stream.monitor().counters().taken, 2);
}

TEST(MonitorCasesTest, DeceasedReadingsAfterTheTimeGoToTheOperationsQueue) {
  Stream stream;
  PatientFacts facts;
  facts.deceased_at = kStart + kHour;
  stream.Know("p1", -9000, facts);
  stream.Tell(Bp(0, 190, 95));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending")) << "measured before";
  stream.Tell(Bp(2 * kHour, 190, 95));
  const std::vector<std::string> heard = stream.Heard();
  EXPECT_THAT(heard, ::testing::Contains("opened operations open"));
  EXPECT_THAT(heard, ::testing::Not(::testing::Contains("opened high open")));
  EXPECT_EQ(stream.monitor().counters().suppressed, 1);
}

TEST(MonitorCasesTest, NobodyIsRemindedOfThePatientWhoDied) {
  Stream stream;
  stream.Tell({Bp(0, 184, 95), One(Vital::kOxygenSaturation, 0, 80)});
  Told breath = One(Vital::kRespiratoryRate, 0, 30);
  breath.reading.inpatient = true;
  stream.Tell(breath);
  PatientFacts facts;
  facts.deceased_at = kStart + 10 * kMinute;
  stream.Know("p1", -9000, facts);
  stream.Wait(10 * kMinute);
  stream.Heard();
  stream.Wait(5 * kDay);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high unconfirmed quietly"));
}

TEST(MonitorCasesTest, TestPatient) {
  Stream stream;
  PatientFacts facts;
  facts.is_test = true;
  stream.Know("p1", -9000, facts);
  stream.Tell({Bp(0, 165, 95), Bp(kMinute, 165, 95)});
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(Bp(2 * kMinute, 190, 95));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open"));
  EXPECT_EQ(stream.monitor().counters().suppressed, 3);
}

}  // namespace
}  // namespace vitalake::monitor
