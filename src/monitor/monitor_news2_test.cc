// NEWS2 from a stream of mixed vital signs. The chart itself is tested in clinical.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Told InHospital(Told told) {
  told.reading.inpatient = true;
  return told;
}

// Only what NEWS2 says; the limits of single vital signs speak too.
std::vector<std::string> News2Lines(Stream& stream) {
  std::vector<std::string> lines = stream.Heard();
  std::erase_if(lines, [](const std::string& line) { return !line.contains("news2"); });
  return lines;
}

TEST(MonitorNews2Test, AbsentInputsAreNotNormalAndTheScoreIsAtLeast) {
  Stream stream;
  auto judgement = stream.Tell(InHospital(One(Vital::kHeartRate, 0, 115)));  // 2
  ASSERT_TRUE(judgement.news2);
  EXPECT_EQ(judgement.news2->score.total, 2);
  EXPECT_FALSE(judgement.news2->score.complete);
  EXPECT_EQ(judgement.news2->score.response, clinical::News2Response::kIncomplete);
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, kMinute, 22)));                // 2
  judgement = stream.Tell(InHospital(One(Vital::kTemperature, 2 * kMinute, 38.5)));  // 1
  EXPECT_EQ(judgement.news2->score.total, 5);
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("at least 5 (3 of 7 parameters)"));
}

TEST(MonitorNews2Test, RisesToAnEmergencyAndEnds) {
  Stream stream;
  stream.Tell(InHospital(One(Vital::kHeartRate, 0, 115)));
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, 0, 22)));
  stream.Tell(InHospital(One(Vital::kTemperature, 0, 38.5)));
  stream.Tell(InHospital(One(Vital::kOxygenFlow, kMinute, 2)));
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open", "updated news2 open"));
  EXPECT_EQ(stream.last().event.severity, Severity::kCritical);
  EXPECT_EQ(stream.last().event.value, 7);
  stream.Tell(InHospital(One(Vital::kHeartRate, kHour, 80)));
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, kHour, 16)));
  stream.Tell(InHospital(One(Vital::kTemperature, kHour, 37)));
  const auto lines = News2Lines(stream);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "closed news2 closed quietly");
}

TEST(MonitorNews2Test, ASingleThreeAsksForAWardReview) {
  Stream stream;
  stream.Tell(InHospital(One(Vital::kConsciousness, 0, 1)));
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open"));
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("urgent ward-based review"));
}

TEST(MonitorNews2Test, StaleInputsAreNotScoredAndAgesAreKept) {
  Stream stream;
  stream.Tell(InHospital(One(Vital::kHeartRate, 0, 115)));
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, 10 * kHour, 22)));
  const auto judgement = stream.Tell(InHospital(One(Vital::kTemperature, 13 * kHour, 37)));
  EXPECT_EQ(judgement.news2->score.total, 2) << "the pulse is 13 hours old";
  EXPECT_EQ(judgement.news2->input_age_s[4], std::nullopt);
  EXPECT_EQ(judgement.news2->input_age_s[0], 3 * 3600u + 2) << "when it was scored";
  EXPECT_EQ(judgement.news2->input_age_s[6], 2u);
}

TEST(MonitorNews2Test, ItIsToldAgainUntilAcknowledgedAndAfterASnooze) {
  Stream stream;
  const auto fast = [&] { stream.Tell(InHospital(One(Vital::kRespiratoryRate, 0, 30))); };
  fast();
  const Hash128 id = stream.last().event.alert_id;
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open"));
  Monitor restored = *Monitor::Restore({}, stream.monitor().Snapshot());
  EXPECT_FALSE(restored.Tick(kStart + kHour + 2 * kSecond, 0).empty()) << "also after a restart";
  stream.Wait(kHour + kSecond);
  EXPECT_THAT(News2Lines(stream), IsEmpty());
  stream.Wait(kHour + 2 * kSecond);
  EXPECT_THAT(News2Lines(stream), ElementsAre("updated news2 open"));
  EXPECT_EQ(stream.last().event.value, 3);
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("not acknowledged. NEWS2 is at least 3"));
  ASSERT_TRUE(stream.Do(Snooze{{"", "p1"}, id, "dr", kStart + 5 * kHour}, 2 * kHour));
  EXPECT_THAT(News2Lines(stream), ElementsAre("updated news2 open quietly"));
  stream.Wait(5 * kHour - kSecond);
  EXPECT_THAT(News2Lines(stream), IsEmpty());
  stream.Wait(5 * kHour);
  EXPECT_THAT(News2Lines(stream), ElementsAre("updated news2 open"));
  stream.Wait(3 * kDay);
  EXPECT_THAT(News2Lines(stream), ElementsAre("updated news2 open")) << "the third";
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("NEWS2 is at least 3"));

  Stream known;
  known.Tell(InHospital(One(Vital::kRespiratoryRate, 0, 30)));
  ASSERT_TRUE(known.Do(Acknowledge{{"", "p1"}, id, "dr"}, kMinute));
  News2Lines(known);
  known.Wait(3 * kDay);
  EXPECT_THAT(News2Lines(known), IsEmpty());
}

TEST(MonitorNews2Test, HistoryRaisesNothingAndALateScoreSaysSo) {
  Stream stream;
  const auto judgement =
      stream.Tell(InHospital(One(Vital::kRespiratoryRate, 0, 30)).Late(40 * kDay));
  EXPECT_EQ(judgement.news2->score.parameters, 0);
  EXPECT_THAT(News2Lines(stream), IsEmpty());
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, 41 * kDay, 30)).Late(3 * kHour));
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open"));
  EXPECT_EQ(stream.last().event.late_by, 3 * kHour);
  EXPECT_THAT(stream.last().event.explanation, HasSubstr("180 minutes late"));
  stream.Wait(41 * kDay + 19 * kHour);
  stream.Heard();
  // Nothing that could be scored: the alert stays as it is.
  stream.Tell(InHospital(One(Vital::kHeartRate, 41 * kDay, 80).Id("old")).Late(20 * kHour));
  EXPECT_THAT(News2Lines(stream), IsEmpty());
}

TEST(MonitorNews2Test, NoAlertOfAScoreOlderThanCriticalReadingsMayBe) {
  MonitorOptions options;
  options.late_critical_within = 2 * kHour;
  Stream stream(options);
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, 0, 30)).Late(3 * kHour));
  EXPECT_THAT(News2Lines(stream), IsEmpty());
}

TEST(MonitorNews2Test, ARetractedInputLeavesTheScore) {
  Stream stream;
  stream.Tell(InHospital(One(Vital::kHeartRate, 0, 80)));
  const Told wrong = InHospital(One(Vital::kHeartRate, kMinute, 140));
  stream.Tell(wrong);
  stream.Tell(Retracted(wrong, 2 * kMinute));
  EXPECT_EQ(stream.Tell(InHospital(One(Vital::kTemperature, 3 * kMinute, 37))).news2->score.total,
            0);
}

TEST(MonitorNews2Test, TheAlertFollowsARetraction) {
  Stream stream;
  const Told fast = InHospital(One(Vital::kRespiratoryRate, 0, 30));
  stream.Tell(fast);
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open"));
  stream.Tell(Retracted(fast, kMinute));
  EXPECT_THAT(News2Lines(stream), ElementsAre("withdrawn news2 withdrawn"));

  // Of two that count the one goes, and with it the emergency.
  stream.Tell(InHospital(One(Vital::kHeartRate, 2 * kMinute, 140)));
  const Told cold = InHospital(One(Vital::kTemperature, 3 * kMinute, 34));
  stream.Tell(cold);
  stream.Tell(InHospital(One(Vital::kOxygenFlow, 4 * kMinute, 2)));
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open", "updated news2 open"));
  EXPECT_EQ(stream.last().event.severity, Severity::kCritical);
  stream.Tell(Retracted(cold, 5 * kMinute));
  EXPECT_THAT(News2Lines(stream), ElementsAre("updated news2 open quietly"));
  EXPECT_EQ(stream.last().event.value, 5);
}

TEST(MonitorNews2Test, ACorrectionOfTheOpenerEndsItAndARetractionRaisesWhatItHid) {
  Stream stream;
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, 0, 30).Version(1)));
  stream.Tell(InHospital(One(Vital::kRespiratoryRate, 0, 16).Version(2)));
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open", "withdrawn news2 withdrawn"));
  stream.Tell(InHospital(One(Vital::kHeartRate, kMinute, 140)));
  const Told normal = InHospital(One(Vital::kHeartRate, 2 * kMinute, 80));
  stream.Tell(normal);
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open", "closed news2 closed quietly"));
  stream.Tell(Retracted(normal, 3 * kMinute));
  EXPECT_THAT(News2Lines(stream), ElementsAre("opened news2 open"));
  EXPECT_EQ(stream.last().event.opened_at, kStart + kMinute);
}

TEST(MonitorNews2Test, ScaleTwoByOrder) {
  Stream stream;
  PatientSettings settings;
  settings.oxygen_scale_two = true;
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p1"}, settings}, 0));
  const auto judgement = stream.Tell(InHospital(One(Vital::kOxygenSaturation, 0, 89)));
  EXPECT_EQ(judgement.news2->score.total, 0);
  EXPECT_EQ(judgement.news2->scale, clinical::OxygenScale::kTwo);
}

TEST(MonitorNews2Test, NotAtHomeNotUnder16NotInPregnancyNotWithoutABirthDate) {
  Stream stream;
  EXPECT_FALSE(stream.Tell(One(Vital::kHeartRate, 0, 140)).news2) << "at home";
  stream.Know("young", static_cast<int32_t>(kStart / kDay - 15 * 365));
  stream.Know("ageless", std::nullopt);
  PatientSettings settings;
  settings.pregnant = true;
  stream.Know("pregnant", -9000);
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "pregnant"}, settings}, 0));
  for (const char* who : {"young", "ageless", "pregnant", "unknown"}) {
    EXPECT_FALSE(stream.Tell(InHospital(One(Vital::kHeartRate, 0, 140)).Of(who)).news2) << who;
  }
  EXPECT_THAT(News2Lines(stream), IsEmpty());
}

}  // namespace
}  // namespace vitalake::monitor
