// What alerts say of late readings, of themselves, and to whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(MonitorLateTest, ACriticalOneIsToldUnlessANewerOneIsNormal) {
  Stream stream;
  stream.Tell(Bp(kHour, 168, 98));  // not severe, and not normal
  stream.Tell(Bp(30 * kMinute, 195, 125).Late(40 * kMinute));
  ASSERT_FALSE(stream.said().empty());
  EXPECT_EQ(stream.said()[0].line, "opened severe-high unconfirmed");
  EXPECT_EQ(stream.said()[0].event.late_by, 40 * kMinute);
  (void)stream.Heard();
  stream.Tell(Bp(2 * kHour, 120, 80));
  EXPECT_THAT(stream.Heard(), ::testing::Contains("closed severe-high closed quietly"));
}

TEST(MonitorLateTest, ItIsNoRepeatOfAPresentOne) {
  Stream stream;
  stream.Tell(Bp(6 * kHour, 186, 100));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  const AlertEvent present = stream.last().event;
  stream.Tell(Bp(kHour, 190, 100).Late(5 * kHour + kMinute));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Tell(Bp(6 * kHour + 5 * kMinute, 187, 100));
  EXPECT_THAT(stream.Heard(), ::testing::Contains("updated severe-high open"));
  for (const Said& said : stream.said()) {
    if (said.event.alert_id != present.alert_id) continue;
    EXPECT_EQ(said.event.opened_at, present.opened_at);
    EXPECT_FALSE(said.event.late_by);
  }
}

TEST(MonitorLateTest, ItsAgeDoesNotGrowWithReminders) {
  Stream stream;
  stream.Tell(Bp(0, 190, 95).Late(5 * kHour));
  stream.Wait(9 * kHour);
  ASSERT_GT(stream.said().size(), 2u);
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("Still on"));
  for (const Said& said : stream.said()) EXPECT_EQ(said.event.late_by, 5 * kHour) << said.line;
}

TEST(MonitorTellingTest, WhoAcknowledgesOrSnoozesLeavesWhatItIsAbout) {
  Stream stream;
  stream.Tell(Bp(0, 205, 100));
  const Hash128 alert = stream.last().event.alert_id;
  const auto window = stream.last().event.window_s;
  ASSERT_TRUE(stream.Do(Snooze{{"", "p1"}, alert, "dr", kStart + kHour}, kMinute));
  EXPECT_EQ(stream.last().event.value, 205);
  EXPECT_EQ(stream.last().event.diastolic, 100);
  EXPECT_THAT(stream.last().event.explanation, StartsWith("Snoozed"));
  ASSERT_TRUE(stream.Do(Acknowledge{{"", "p1"}, alert, "dr"}, 2 * kMinute));
  EXPECT_EQ(stream.last().event.value, 205);
  EXPECT_EQ(stream.last().event.diastolic, 100);
  EXPECT_EQ(stream.last().event.window_s, window);
  EXPECT_THAT(stream.last().event.explanation, StartsWith("Acknowledged. Blood pressure 205/100"));
}

// Two severe readings are two high ones, too.
TEST(MonitorTellingTest, WhoKnowsOfASevereAlertIsNotToldOfTheOrdinaryOneBeneathIt) {
  Stream stream;
  stream.Tell({Bp(0, 205, 100), Bp(5 * kMinute, 206, 100)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open", "opened high open quietly"));
  ASSERT_TRUE(stream.Do(Acknowledge{{"", "p1"}, stream.said()[0].event.alert_id, "dr"}, kHour));
  (void)stream.Heard();
  stream.Wait(2 * kDay);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  // It is reminded of once the other has ended.
  stream.Tell(Bp(2 * kDay, 165, 90));
  EXPECT_EQ(stream.Heard().front(), "closed severe-high closed quietly");
  stream.Wait(2 * kDay + kMinute);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated high open"));
}

TEST(MonitorTellingTest, SoDoesWhoAcknowledgesAnAlertOfTheOperationsQueue) {
  Stream stream;
  Told told = One(Vital::kOxygenSaturation, 0, 70).Of("stranger");
  told.reading.critical = true;
  stream.Tell(told);
  ASSERT_EQ(stream.last().event.rule, Rule::kOperations);
  ASSERT_TRUE(
      stream.Do(Acknowledge{{"", "stranger"}, stream.last().event.alert_id, "dr"}, kMinute));
  EXPECT_EQ(stream.last().event.value, 70);
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("is critical"));
}

TEST(MonitorTellingTest, ValuesAreTheDecimalsThatWereSent) {
  Stream stream;
  stream.Tell(One(Vital::kGlucoseMolar, 0, 2.9));
  EXPECT_EQ(stream.last().event.value, 2.9);
  Told told = Bp(kHour, 205.3, 100.1);
  stream.Tell(told);
  EXPECT_EQ(stream.last().event.value, 205.3);
  EXPECT_EQ(stream.last().event.diastolic, 100.1);
}

TEST(MonitorTellingTest, ToConfirmItWithACuffIsSaidAtEachStep) {
  Stream stream;
  Told told = Bp(0, 190, 95);
  told.reading.device_type = clinical::Device::kCuffless;
  stream.Tell(told);
  stream.Wait(3 * kHour);
  ASSERT_GT(stream.said().size(), 2u);
  for (const Said& said : stream.said()) {
    EXPECT_THAT(said.event.explanation, HasSubstr("Confirm with a cuff")) << said.line;
  }
}

// Nobody's rule: of somebody in pregnancy, or between 13 and 16.
TEST(MonitorTellingTest, CriticalValuesThatNoRuleJudgesGoToTheOperationsQueue) {
  const auto oxygen = [](const char* patient) {
    Told told = One(Vital::kOxygenSaturation, kMinute, 70).Of(patient).Id(patient);
    told.reading.critical = true;
    return told;
  };
  Stream stream;
  stream.Know("14 years", static_cast<int32_t>(kStart / kDay - 14 * 366));
  stream.Tell(oxygen("14 years"));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open"));
  EXPECT_EQ(stream.last().event.queue, Queue::kOperations);
  // That more is known of them does not answer it.
  stream.Know("14 years", static_cast<int32_t>(kStart / kDay - 14 * 366));
  EXPECT_THAT(stream.Heard(), IsEmpty());

  PatientSettings settings;
  settings.pregnant = true;
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p1"}, settings}, 0));
  stream.Tell(oxygen("p1"));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open"));

  // What is critical in an adult is not in a small child.
  stream.Know("8 years", static_cast<int32_t>(kStart / kDay - 8 * 366));
  stream.Tell(oxygen("8 years"));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  // One to be repeated first.
  Told implausible = Bp(2 * kMinute, 205, 204);
  implausible.reading.quality.Add(clinical::Quality::kImplausible);
  stream.Know("p2", -10'000);
  stream.Tell(implausible.Of("p2"));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened check-reading open"));
}

TEST(MonitorTellingTest, AlertsOfSomebodyWhoHadDiedBeforeAreWithdrawn) {
  Stream stream;
  stream.Tell({Bp(0, 190, 100), Bp(5 * kMinute, 191, 100)});
  (void)stream.Heard();
  PatientFacts facts;
  facts.deceased_at = kStart - 10 * kHour;
  stream.Know("p1", -10'000, facts);
  EXPECT_THAT(stream.Heard(), ::testing::Contains("withdrawn severe-high withdrawn"));
  EXPECT_THAT(stream.said()[stream.said().size() - 1].event.explanation,
              HasSubstr("what is known of the patient now"));
  stream.Know("p1", -10'000);
  EXPECT_THAT(stream.Heard(), ::testing::Contains("opened severe-high open"));
}

}  // namespace
}  // namespace vitalake::monitor
