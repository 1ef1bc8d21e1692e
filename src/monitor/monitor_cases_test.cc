// The hard cases, one test each, named as the case is; those about patients:
// monitor_patient_cases_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using clinical::Quality;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Twelve ordinary readings on three days, and silence about them.
Stream Warm() {
  Stream stream;
  stream.Tell(Ordinary(14));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  return stream;
}
constexpr Micros kNow = 14 * kDay + 10 * kHour;

int BaselineCount(Stream& stream, Micros at) {
  return stream.Tell(Bp(at, 130, 80)).baseline[0].readings;
}

TEST(MonitorCasesTest, SameContentAgainHasOneEffect) {
  Stream stream;
  stream.Tell({Bp(0, 184, 95), Bp(0, 184, 95)});
  Told again = Bp(0, 184, 95);
  again.reading.received = kStart + 3 * kMinute;
  EXPECT_EQ(stream.Tell(again).outcome, Outcome::kDuplicate);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"))
      << "a repeat of the record is no second reading";
  EXPECT_EQ(stream.monitor().counters().duplicates, 2);
}

TEST(MonitorCasesTest, SameContentAgainAfterARestart) {
  Stream stream;
  stream.Tell(Bp(0, 184, 95));
  Monitor restored = *Monitor::Restore({}, stream.monitor().Snapshot());
  const Told again = Bp(0, 184, 95);
  const Observation seen = restored.Observe(again.View());
  EXPECT_EQ(seen.judgement.outcome, Outcome::kDuplicate);
  EXPECT_TRUE(seen.events.empty());
}

TEST(MonitorCasesTest, SameContentAgainAfter60Days) {
  Stream stream;
  const std::vector<Told> all = Ordinary(14);
  stream.Tell(all);
  const int before = BaselineCount(stream, 14 * kDay);
  for (Told told : all) {
    told.reading.received = kStart + 60 * kDay;
    stream.Tell(told);
  }
  EXPECT_EQ(BaselineCount(stream, 14 * kDay + kHour), before) << "52 are the most";
  Stream few;  // a baseline with room
  const std::vector<Told> start = Ordinary(5);
  few.Tell(start);
  Told old = start[0];
  old.reading.received = kStart + 60 * kDay;
  few.Tell(old);
  EXPECT_EQ(BaselineCount(few, 60 * kDay + kMinute), 20);
}

TEST(MonitorCasesTest, SameVersionWithOtherContentIsANewVersionRankedByTime) {
  Stream stream;
  stream.Tell(Bp(0, 184, 95).Version(1));
  Told other = Bp(0, 134, 85).Version(1);
  other.reading.received += kMinute;
  EXPECT_EQ(stream.Tell(other).outcome, Outcome::kTaken);
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "withdrawn severe-high withdrawn"));
}

TEST(MonitorCasesTest, SameReadingUnderANewResourceId) {
  Stream stream = Warm();
  Told first = Bp(kNow, 184, 95), retry = Told(first).Id("again");
  first.identifier = retry.identifier = "device-reading-7";
  stream.Tell(first);
  const Judgement judgement = stream.Tell(retry);
  EXPECT_TRUE(judgement.quality.Has(Quality::kRepeatOf)) << "linked";
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
}

TEST(MonitorCasesTest, SameReadingUnderANewResourceIdCountsOnceInTheBaseline) {
  Stream once, twice;
  for (const Told& told : Ordinary(8)) {
    once.Tell(told);
    twice.Tell({told, Told(told).Id(told.id + "-again")});
  }
  EXPECT_EQ(BaselineCount(once, 8 * kDay), 32);
  EXPECT_EQ(BaselineCount(twice, 8 * kDay), 32) << "also when they have left the ring";
}

TEST(MonitorCasesTest, TheRepeatCountsWhenTheFirstIsRetracted) {
  Stream stream;
  stream.Tell({Bp(0, 184, 95), Bp(0, 184, 95).Id("again")});
  stream.Tell(Retracted(Bp(0, 184, 95), kMinute));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"))
      << "the repeat stands for it under the same alert";
  stream.Tell(Retracted(Bp(0, 184, 95).Id("again"), kMinute));
  EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn severe-high withdrawn"));
}

TEST(MonitorCasesTest, TwoDifferentReadingsWithOneTimestamp) {
  Stream stream = Warm();
  const int before = BaselineCount(stream, kNow);
  ASSERT_EQ(before, 52);
  Stream fresh;
  fresh.Tell({Bp(0, 130, 80), Bp(0, 131, 80).Id("other")});
  EXPECT_EQ(fresh.monitor().counters().taken, 2);
  for (int i = 1; i < 11; ++i) fresh.Tell(Bp(i * 8 * kHour, 120 + i, 80));
  EXPECT_EQ(BaselineCount(fresh, 5 * kDay), 12) << "both kept";
}

TEST(MonitorCasesTest, TwoReadingsOfOneMomentDoNotConfirmEachOther) {
  Stream stream;
  stream.Tell({Bp(0, 165, 90), Bp(0, 166, 90).Id("other")});
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorCasesTest, LateByHoursBaselineCorrectedDetectorsQuiet) {
  Stream stream;
  std::vector<Told> all = Ordinary(8);
  const Told late = Bp(7 * kDay + 15 * kHour, 175, 85).Late(5 * kHour);
  stream.Tell(all);
  const Judgement judgement = stream.Tell(late);
  EXPECT_EQ(judgement.late_by, 5 * kHour);
  EXPECT_FALSE(judgement.spike);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  EXPECT_EQ(BaselineCount(stream, 8 * kDay + 10 * kHour), 33) << "it counts";
}

TEST(MonitorCasesTest, BulkHistoryWarmsTheBaselineAndSaysNothing) {
  Stream stream;
  std::vector<Told> history = Ordinary(28);
  history.push_back(Bp(3 * kDay, 210, 135));
  history.push_back(Bp(4 * kDay, 66, 40));
  for (Told& told : history) told.reading.received = kStart + 40 * kDay;
  stream.Tell(history);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  EXPECT_TRUE(stream.Tell(Bp(40 * kDay + kHour, 178, 80)).spike);
}

TEST(MonitorCasesTest, LateCriticalYoungerThan24HoursIsAlertedWithItsAge) {
  Stream stream;
  stream.Tell(Bp(0, 190, 95).Late(6 * kHour));
  const std::vector<std::string> heard = stream.Heard();
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(stream.said()[0].event.rule, Rule::kSevereHigh);
  EXPECT_EQ(stream.said()[0].event.late_by, 6 * kHour);
  EXPECT_TRUE(stream.said()[0].event.notify);
  EXPECT_THAT(stream.said()[0].event.explanation, HasSubstr("360 minutes late"));
}

TEST(MonitorCasesTest, LateCriticalIsNotAlertedWhenANewerReadingIsNormal) {
  Stream stream;
  stream.Tell(Bp(3 * kHour, 130, 80));
  stream.Tell(Bp(0, 190, 95).Late(6 * kHour));
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorCasesTest, LateCriticalOlderThan24HoursIsNotAlerted) {
  Stream stream;
  stream.Tell(Bp(0, 190, 95).Late(24 * kHour + kSecond));
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorCasesTest, ConstantOrDateOnlyTimeIsJudgedAtReceivedTimeByThresholds) {
  Stream stream = Warm();
  Told told = Bp(kNow, 184, 95);
  told.reading.effective.reset();
  const Judgement judgement = stream.Tell(told);
  EXPECT_TRUE(judgement.quality.Has(Quality::kTimeImprecise));
  EXPECT_FALSE(judgement.late_by);
  EXPECT_FALSE(judgement.spike) << "thresholds only";
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  EXPECT_EQ(stream.last().event.opened_at, told.reading.received);
}

// Where the time judged is that of receipt, the second receipt is no second reading.
TEST(MonitorCasesTest, SameContentAgainWithoutAMomentHasOneEffect) {
  const auto date_only = [](Told told) {
    told.reading.effective.reset();
    return told;
  };
  const auto ahead = [](Told told) {
    *told.reading.effective += 20 * kHour;
    return told;
  };
  const auto soon = [](Told told) {
    *told.reading.effective += 20 * kMinute;
    return told;
  };
  const auto by_arrival = [](Told told) {
    told.reading.effective = told.reading.received;
    return told;
  };
  const auto again = [](Told told, Micros received) {
    told.reading.received = kStart + received;
    return told;
  };
  for (const auto& [first, second] :
       {std::pair(date_only(Bp(0, 185, 95)), date_only(again(Bp(0, 185, 95), kHour))),
        std::pair(ahead(Bp(0, 185, 95)), ahead(again(Bp(0, 185, 95), kHour))),
        std::pair(soon(Bp(0, 185, 95)), soon(again(Bp(0, 185, 95), kHour))),
        std::pair(by_arrival(Bp(0, 185, 95)), by_arrival(again(Bp(0, 185, 95), kHour)))}) {
    Stream stream;
    stream.Tell({first, Bp(10 * kMinute, 120, 80)});
    EXPECT_THAT(stream.Heard(),
                ElementsAre("opened severe-high pending", "closed severe-high closed quietly"));
    EXPECT_EQ(stream.Tell(second).outcome, Outcome::kDuplicate);
    EXPECT_THAT(stream.Heard(), IsEmpty());
  }
}

TEST(MonitorCasesTest, EnteredInErrorReplaysTheBaseline) {
  Stream with, without;
  std::vector<Told> all = Ordinary(6);
  without.Tell(all);
  all.push_back(Bp(5 * kDay + 18 * kHour, 145, 90).Version(1));
  with.Tell(all);
  with.Tell(Retracted(all.back().Version(2), 6 * kDay));
  const Judgement a = with.Tell(Bp(6 * kDay + kHour, 131, 80));
  const Judgement b = without.Tell(Bp(6 * kDay + kHour, 131, 80));
  EXPECT_EQ(a.baseline[0].readings, b.baseline[0].readings);
  EXPECT_EQ(a.baseline[0].mean, b.baseline[0].mean);
  EXPECT_EQ(a.baseline[0].sigma, b.baseline[0].sigma);
}

TEST(MonitorCasesTest, EnteredInErrorLongAgoLeavesTheBaselineToo) {
  Stream with, without;
  std::vector<Told> all = Ordinary(10);
  without.Tell(all);
  const Told odd = Bp(kDay + 9 * kHour, 143, 91);
  all.insert(all.begin() + 5, odd);
  with.Tell(all);
  EXPECT_NE(BaselineCount(with, 10 * kDay), BaselineCount(without, 10 * kDay));
  with.Tell(Retracted(odd, 10 * kDay + kHour));
  const Judgement a = with.Tell(Bp(10 * kDay + 2 * kHour, 131, 80));
  const Judgement b = without.Tell(Bp(10 * kDay + 2 * kHour, 131, 80));
  EXPECT_EQ(a.baseline[0].readings, b.baseline[0].readings);
  EXPECT_EQ(a.baseline[0].mean, b.baseline[0].mean);
}

TEST(MonitorCasesTest, EnteredInErrorWithdrawsTheOpenAlertUnderTheSameId) {
  Stream stream;
  stream.Tell(Bp(0, 190, 95));
  const Hash128 id = stream.last().event.alert_id;
  (void)stream.Heard();
  EXPECT_EQ(stream.Tell(Retracted(Bp(0, 190, 95), kMinute)).outcome, Outcome::kRetracted);
  EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn severe-high withdrawn"));
  EXPECT_EQ(stream.last().event.alert_id, id);
}

TEST(MonitorCasesTest, EnteredInErrorAfterManyReadingsWithdrawsTheAlertThatIsStillOpen) {
  Stream stream;
  stream.Tell(Bp(0, 210, 95));
  const Hash128 id = stream.last().event.alert_id;
  // Neither severe nor clear of it: the episode goes on while the reading leaves the ring.
  for (int i = 1; i <= 20; ++i) stream.Tell(Bp(i * 2 * kHour, 178, 95));
  (void)stream.Heard();
  stream.Tell(Retracted(Bp(0, 210, 95), 50 * kHour));
  bool withdrawn = false;
  for (const Said& said : stream.said()) {
    withdrawn |= said.event.alert_id == id && said.event.state == AlertState::kWithdrawn;
  }
  EXPECT_TRUE(withdrawn);
}

// A DELETE entry names no patient.
TEST(MonitorCasesTest, ADeleteIsLookedForInEverySeries) {
  const auto deleted = [](Told told) { return Retracted(told.Of(""), 30 * kMinute); };
  Stream stream;
  stream.Know("p2", -10'000);
  stream.Tell({Bp(0, 190, 95), Bp(kMinute, 191, 95).Of("p2").Id("other")});
  stream.Heard();
  EXPECT_EQ(stream.Tell(deleted(Bp(kMinute, 0, 0).Id("other"))).outcome, Outcome::kRetracted);
  EXPECT_EQ(stream.last().patient, "p2");
  EXPECT_EQ(stream.last().event.state, AlertState::kWithdrawn);
  EXPECT_EQ(stream.Tell(deleted(Bp(kMinute, 0, 0).Id("other"))).outcome, Outcome::kDuplicate);
  EXPECT_EQ(stream.Tell(deleted(Bp(0, 0, 0).Id("later"))).outcome, Outcome::kRetracted);
  EXPECT_EQ(stream.Tell(Bp(31 * kMinute, 190, 95).Of("p2").Id("later")).outcome,
            Outcome::kSuperseded);
}

TEST(MonitorCasesTest, RetractionOfAReadingNotSeenYet) {
  Stream stream;
  EXPECT_EQ(stream.Tell(Retracted(Bp(0, 210, 95).Version(2), 0)).outcome, Outcome::kRetracted);
  EXPECT_EQ(stream.Tell(Bp(0, 210, 95).Version(1)).outcome, Outcome::kSuperseded);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  EXPECT_EQ(stream.Tell(Bp(0, 210, 95).Version(3)).outcome, Outcome::kTaken)
      << "a higher version is a new statement";
}

TEST(MonitorCasesTest, ARetractionWithoutVersionIsFinal) {
  Stream stream;
  stream.Tell(Bp(0, 190, 95).Version(5));
  stream.Tell(Retracted(Bp(0, 190, 95), kMinute));
  EXPECT_EQ(stream.Tell(Bp(0, 190, 95).Version(9)).outcome, Outcome::kSuperseded);
}

TEST(MonitorCasesTest, ARetractedReadingStaysRetractedWhenItHasLeftTheRing) {
  Stream stream;
  stream.Tell(Bp(0, 130, 80).Version(1));
  stream.Tell(Retracted(Bp(0, 130, 80).Version(2), kMinute));
  for (int i = 1; i <= 20; ++i) stream.Tell(Bp(i * kHour, 130 + i % 3, 80));
  EXPECT_EQ(stream.Tell(Bp(0, 130, 80).Version(1)).outcome, Outcome::kSuperseded);
}

TEST(MonitorCasesTest, AmendedAlertsAreWithdrawnKeptOrRaised) {
  Stream withdrawn;
  withdrawn.Tell({Bp(0, 190, 95).Version(1), Bp(0, 130, 80).Version(2)});
  EXPECT_THAT(withdrawn.Heard(),
              ElementsAre("opened severe-high pending", "withdrawn severe-high withdrawn"));
  Stream kept;
  kept.Tell({Bp(0, 190, 95).Version(1), Bp(0, 192, 95).Version(2)});
  EXPECT_THAT(kept.Heard(), ElementsAre("opened severe-high pending"));
  Stream raised;
  raised.Tell({Bp(0, 130, 80).Version(1), Bp(0, 192, 95).Version(2)});
  EXPECT_THAT(raised.Heard(), ElementsAre("opened severe-high pending"));
  Stream graver;
  graver.Tell({Bp(0, 190, 95).Version(1), Bp(0, 205, 95).Version(2)});
  EXPECT_THAT(graver.Heard(),
              ElementsAre("opened severe-high pending", "updated severe-high open"));
}

TEST(MonitorCasesTest, CorrectedToAnotherPatient) {
  Stream stream;
  stream.Know("other", -10'000);
  stream.Tell(Bp(0, 190, 95).Version(1));
  stream.Tell(Bp(0, 190, 95).Version(2).Of("other"));
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "withdrawn severe-high withdrawn",
                          "opened severe-high pending"));
  EXPECT_EQ(stream.said()[1].patient, "p1");
  EXPECT_EQ(stream.said()[2].patient, "other");
  EXPECT_EQ(stream.Tell(Bp(0, 190, 95).Version(1)).outcome, Outcome::kSuperseded);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  // Retracted under the name of the first.
  stream.Tell(Retracted(Bp(0, 190, 95).Version(3), kMinute));
  EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn severe-high withdrawn"));
  EXPECT_EQ(stream.last().patient, "other");

  Stream backwards;
  backwards.Know("other", -10'000);
  backwards.Tell(Bp(0, 190, 95).Version(2).Of("other"));
  EXPECT_EQ(backwards.Tell(Bp(0, 190, 95).Version(1)).outcome, Outcome::kSuperseded);
  EXPECT_THAT(backwards.Heard(), ElementsAre("opened severe-high pending"));
}

TEST(MonitorCasesTest, CorrectedToAnotherPatientWhenItHasLeftTheRing) {
  Stream stream;
  stream.Know("other", -10'000);
  stream.Tell(Bp(0, 210, 95).Version(1));
  for (int i = 1; i <= 10; ++i) stream.Tell(Bp(i * kMinute, 178, 95));
  Monitor restored = *Monitor::Restore({}, stream.monitor().Snapshot());
  stream.Heard();
  const Told moved = Bp(0, 210, 95).Version(2).Of("other");
  stream.Tell(moved);
  EXPECT_EQ(stream.Heard()[0], "withdrawn severe-high withdrawn");
  (void)restored.Observe(moved.View());
  EXPECT_EQ(restored.Snapshot(), stream.monitor().Snapshot()) << "a restored one knows it, too";
}

TEST(MonitorCasesTest, CorrectedToAnotherVitalSign) {
  Stream stream;
  stream.Tell(One(Vital::kGlucoseMass, 0, 40).Id("g").Version(1));
  stream.Tell(One(Vital::kGlucoseMolar, 0, 6.5).Id("g").Version(2));
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-low open", "withdrawn severe-low withdrawn"));
}

TEST(MonitorCasesTest, CorrectedToHaveNoValue) {
  Stream stream;
  Told gone = One(Vital::kOxygenSaturation, 0, 0).Version(2);
  gone.reading.value.reset();
  gone.reading.status = ReadingStatus::kQuiet;
  stream.Tell({One(Vital::kOxygenSaturation, 0, 80).Version(1), gone});
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-low open", "withdrawn severe-low withdrawn"));
  EXPECT_EQ(stream.Tell(One(Vital::kOxygenSaturation, 0, 80).Version(1)).outcome,
            Outcome::kSuperseded);
  Stream backwards;
  backwards.Tell({gone, One(Vital::kOxygenSaturation, 0, 80).Version(1)});
  EXPECT_THAT(backwards.Heard(), IsEmpty());
}

// One record with several vital signs: none of them takes the others back, but a version without
// one of them takes that back.
TEST(MonitorCasesTest, ARecordOfSeveralVitalSigns) {
  Stream stream;
  const auto of = [](Told told, int64_t version, std::vector<Vital> vitals) {
    told.Id("panel").Version(version);
    for (const Vital vital : vitals) {
      told.reading.vitals |= static_cast<uint16_t>(1 << static_cast<int>(vital));
    }
    return told;
  };
  const std::vector<Vital> both = {Vital::kHeartRate, Vital::kOxygenSaturation};
  for (int i = 0; i < 2; ++i) {
    stream.Tell({of(One(Vital::kHeartRate, 0, 140), 1, both),
                 of(One(Vital::kOxygenSaturation, 0, 80), 1, both)});
  }
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high open", "opened severe-low open"));
  stream.Tell(of(One(Vital::kHeartRate, 0, 140), 2, {Vital::kHeartRate}));
  EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn severe-low withdrawn"));
}

TEST(MonitorCasesTest, ARetractionTakesBackAllVitalSignsOfARecord) {
  Stream stream;
  for (Told told : {One(Vital::kHeartRate, 0, 140), Bp(0, 210, 95)}) {
    told.reading.vitals =
        1 << static_cast<int>(Vital::kHeartRate) | 1 << static_cast<int>(Vital::kBloodPressure);
    stream.Tell(told.Id("panel").Version(1));
  }
  for (int i = 1; i <= 10; ++i) {  // none of them ends the alerts
    stream.Tell({One(Vital::kHeartRate, i * kMinute, 128), Bp(i * kMinute, 178, 95)});
  }
  stream.Heard();
  stream.Tell(Retracted(Bp(0, 210, 95).Id("panel").Version(2), kHour));
  std::vector<std::string> heard = stream.Heard();
  EXPECT_EQ(std::ranges::count(heard, "withdrawn severe-high withdrawn"), 2);
}

TEST(MonitorCasesTest, AmendedDaysLaterKeepsItsPlaceInTime) {
  Stream stream;
  std::vector<Told> all = Ordinary(6);
  stream.Tell(all);
  Told amended = all[22].Version(2);
  amended.reading.value = 141;
  amended.reading.received = kStart + 6 * kDay;
  stream.Tell(amended);
  EXPECT_EQ(BaselineCount(stream, 6 * kDay + kHour), 24) << "replaced, not added";
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorCasesTest, VersionsArrivingBackwards) {
  Stream stream;
  stream.Tell(Bp(0, 130, 80).Version(2));
  EXPECT_EQ(stream.Tell(Bp(0, 190, 95).Version(1)).outcome, Outcome::kSuperseded);
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorCasesTest, PreliminaryThenFinalWithTheSameValue) {
  Stream stream;
  stream.Tell({Bp(0, 190, 95).Version(1), Bp(0, 190, 95).Version(2)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  EXPECT_EQ(ParseStatus("preliminary"), ReadingStatus::kAlerts);
  EXPECT_EQ(ParseStatus("final"), ReadingStatus::kAlerts);
}

TEST(MonitorCasesTest, RegisteredOrUnknownStatusAlertsNobody) {
  for (const char* status : {"registered", "unknown", ""}) {
    Stream stream;
    Told told = Bp(0, 210, 135);
    told.reading.status = ParseStatus(status);
    stream.Tell(told);
    EXPECT_THAT(stream.Heard(), IsEmpty()) << status;
  }
}

TEST(MonitorCasesTest, AComparatorAtACriticalLevelStillAlerts) {
  Stream stream = Warm();
  Told told = Bp(kNow, 180, 90);
  told.reading.comparator = clinical::Comparator::kGreater;
  told.reading.quality.Add(Quality::kOffScale);
  const Judgement judgement = stream.Tell(told);
  EXPECT_EQ(judgement.code, "HH") << "more than 180 is above 180";
  EXPECT_FALSE(judgement.spike);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
}

TEST(MonitorCasesTest, AComparatorThatLeavesEverythingOpenSaysNothing) {
  Stream stream;
  Told told = Bp(0, 100, 60);
  told.reading.diastolic.reset();
  told.reading.comparator = clinical::Comparator::kGreater;
  EXPECT_EQ(stream.Tell(told).code, "");
  told = Bp(kHour, 70, 60);
  told.reading.diastolic.reset();
  told.reading.comparator = clinical::Comparator::kLess;
  EXPECT_EQ(stream.Tell(told).code, "LL");
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-low open"));
}

TEST(MonitorCasesTest, MissingComponentScoresWhatIsThere) {
  Stream stream;
  Told systolic = Bp(0, 190, 0), diastolic = Bp(2 * kDay, 0, 125), none = Bp(4 * kDay, 0, 0);
  systolic.reading.diastolic.reset();
  diastolic.reading.value.reset();
  none.reading.value.reset();
  none.reading.diastolic.reset();
  EXPECT_EQ(stream.Tell(systolic).code, "HH");
  EXPECT_EQ(stream.Tell(diastolic).code, "HH");
  EXPECT_EQ(stream.Tell(none).code, "") << "an absent value is never 0";
}

TEST(MonitorCasesTest, SwappedComponentsAreImplausibleAndAskForARepeat) {
  Stream stream = Warm();
  Told told = Bp(kNow, 80, 130);
  told.reading.quality.Add(Quality::kImplausible);
  const Judgement judgement = stream.Tell(told);
  EXPECT_FALSE(judgement.spike);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened check-reading open"));
}

TEST(MonitorCasesTest, FutureTimeIsJudgedAtReceivedTimeAndMovesNothing) {
  Stream stream = Warm();
  Told ahead = Bp(kNow, 184, 95);
  ahead.reading.effective = *ahead.reading.effective + 20 * kHour;
  const Judgement judgement = stream.Tell(ahead);
  EXPECT_TRUE(judgement.quality.Has(Quality::kClockAhead));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
  EXPECT_EQ(stream.last().event.opened_at, ahead.reading.received);
  EXPECT_FALSE(stream.Tell(Bp(kNow + kMinute, 183, 95)).late_by) << "others are not aged by it";
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high open", "opened high open quietly"));
}

TEST(MonitorCasesTest, OneBadDeviceClockCannotStallOrAgeOthers) {
  Stream stream;
  stream.Know("p2", -9000);
  for (int i = 0; i < 5; ++i) {
    Told slow = Bp(kNow + i * kMinute, 130, 80).Of("p2").Id("slow" + std::to_string(i));
    slow.reading.effective = *slow.reading.effective - 400 * kDay;
    slow.device = "slow";
    Told fast = Bp(kNow + i * kMinute, 130, 80).Of("p2").Id("fast" + std::to_string(i));
    fast.reading.effective = *fast.reading.effective + 25 * kHour;
    fast.device = "fast";
    EXPECT_TRUE(stream.Tell(slow).late_by);
    EXPECT_TRUE(stream.Tell(fast).quality.Has(Quality::kClockAhead));
    EXPECT_FALSE(stream.Tell(Bp(kNow + i * kMinute, 130 + i, 80)).late_by);
  }
  stream.Tell({Bp(kNow + 6 * kMinute, 184, 95), Bp(kNow + 10 * kMinute, 184, 95)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending", "updated severe-high open",
                                          "opened high open quietly"));
}

TEST(MonitorCasesTest, YearOneAndOtherFarTimesAreHistory) {
  Stream stream;
  Told told = Bp(0, 190, 95);
  told.reading.effective = Micros{-62'135'596'800} * kSecond;
  EXPECT_TRUE(stream.Tell(told).late_by);
  EXPECT_THAT(stream.Heard(), IsEmpty());
}

TEST(MonitorCasesTest, SilentPatient) {
  Stream stream;
  stream.Tell(Ordinary(5));
  const Micros last = 4 * kDay + 22 * kHour;
  stream.Wait(last + 36 * kHour - kSecond);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  stream.Wait(last + 36 * kHour);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened silence open"));
  EXPECT_EQ(stream.last().event.opened_at, kStart + last + 36 * kHour);
  stream.Wait(last + 90 * kHour);
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "once";
  stream.Tell(Bp(last + 91 * kHour, 130, 80));
  EXPECT_THAT(stream.Heard(), ElementsAre("closed silence closed quietly"));
}

TEST(MonitorCasesTest, ASecondSilenceAfterTheSameReadingIsAnAlertOfItsOwn) {
  Stream stream;
  stream.Tell(Ordinary(5));
  const Micros last = 4 * kDay + 22 * kHour;
  stream.Wait(last + 40 * kHour);
  // A reading of before comes late and ends the silence; nothing comes after it.
  stream.Tell(Bp(last - kHour, 130, 80).Late(42 * kHour));
  stream.Wait(last + 90 * kHour);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened silence open", "closed silence closed quietly",
                                          "opened silence open"));
  EXPECT_NE(stream.said()[0].event.alert_id, stream.said()[2].event.alert_id);
  for (const Said& said : stream.said()) {
    EXPECT_EQ(said.event.reading_keys[0], Hash64("bp-" + std::to_string(last / kSecond)));
  }
}

TEST(MonitorCasesTest, IdlePartitionTimeGoesOnByTicks) {
  Stream stream;
  stream.Tell(Bp(0, 184, 95));
  stream.Wait(kHour);
  EXPECT_THAT(stream.Heard(),
              ElementsAre("opened severe-high pending", "updated severe-high unconfirmed"));
  EXPECT_EQ(stream.last().event.updated_at, kStart + 15 * kMinute) << "when it was due";
}

TEST(MonitorCasesTest, QuarantinedCriticalValueGoesToTheOperationsQueue) {
  MonitorOptions options;
  options.most_quarantined_per_hour = 2;
  Stream stream(options);
  for (int i = 0; i < 5; ++i) {
    const std::string id = "q" + std::to_string(i);
    stream.Keep(stream.monitor().ObserveQuarantined({{"", "p1"}, id, kStart, i}));
  }
  EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open", "opened operations open",
                                          "opened too-many open"));
  stream.Keep(stream.monitor().ObserveQuarantined({{"", "p1"}, "q9", kStart + kHour, 9}));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened operations open"));
}

TEST(MonitorCasesTest, RuleChangedWhileRunningNoBurstForOldData) {
  Stream stream;
  stream.Tell({Bp(0, 170, 115), Bp(2 * kHour, 170, 112), Bp(4 * kHour, 170, 115)});
  EXPECT_THAT(stream.Heard(), IsEmpty()) << "high, but never two within an hour";
  ASSERT_TRUE(stream.Do(ActivateRules{*RuleTable::Make(*clinical::RuleBook::Builtin(), "esc-2024")},
                        5 * kHour));
  stream.Wait(5 * kHour + kMinute);
  EXPECT_THAT(stream.Heard(), IsEmpty());
  const Judgement judgement = stream.Tell(Bp(6 * kHour, 150, 112));
  EXPECT_EQ(judgement.rule_version, "esc-2024 2024.1");
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending")) << "110 is severe there";
}

TEST(MonitorCasesTest, RuleChangedWhileRunningOldAlertsKeepTheirVersion) {
  Stream stream;
  stream.Tell({Bp(0, 184, 95), Bp(5 * kMinute, 184, 95)});
  ASSERT_TRUE(stream.Do(ActivateRules{*RuleTable::Make(*clinical::RuleBook::Builtin(), "esc-2024")},
                        kHour));
  (void)stream.Heard();
  stream.Tell(Bp(2 * kHour, 120, 80));
  for (const Said& said : stream.said()) {
    EXPECT_EQ(said.rule_version, "aha-acc-2025 2025.1") << said.line;
  }
}

TEST(MonitorCasesTest, RulesAreChosenByEffectiveTime) {
  const std::string head =
      "name: a\nguideline: g\npopulation: p\n"
      "interpretation: {systolic: [{code: N}], diastolic: [{code: N}]}\n";
  const std::string one =
      head + "version: \"1\"\neffective: 2020-01-01\nalerts: {severe: {systolic: {above: 180}}}\n";
  const std::string two =
      head + "version: \"2\"\neffective: 2026-03-03\nalerts: {severe: {systolic: {above: 170}}}\n";
  const EmbeddedFile files[] = {{"one.yaml", one}, {"two.yaml", two}};
  MonitorOptions options;
  options.rules = *clinical::RuleBook::Make(files);
  options.pressure_rules = "a";
  Stream stream(options);
  stream.Tell(Bp(23 * kHour, 175, 90));
  EXPECT_THAT(stream.Heard(), IsEmpty());
  EXPECT_EQ(stream.Tell(Bp(25 * kHour, 175, 90)).rule_version, "a 2");
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending"));
}

TEST(MonitorCasesTest, PregnancyHasATimeOfItsOwnToWaitForARepeat) {
  const std::string text =
      "name: a\nguideline: g\npopulation: p\nversion: \"1\"\neffective: 2020-01-01\n"
      "interpretation: {systolic: [{code: N}], diastolic: [{code: N}]}\n"
      "alerts: {severe: {systolic: {above: 180}}, escalate_after_minutes: 15,"
      " pregnancy: {severe: {systolic: {at_least: 160}}, escalate_after_minutes: 40}}\n";
  const EmbeddedFile files[] = {{"a.yaml", text}};
  MonitorOptions options;
  options.rules = *clinical::RuleBook::Make(files);
  options.pressure_rules = "a";
  Stream stream(options);
  PatientSettings settings;
  settings.pregnant = true;
  stream.Know("p2", -9000);
  ASSERT_TRUE(stream.Do(SettingsChanged{{"", "p2"}, settings}, 0));
  stream.Tell({Bp(0, 190, 90), Bp(0, 165, 90).Of("p2").Id("other")});
  stream.Heard();
  stream.Wait(39 * kMinute);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high unconfirmed"));
  EXPECT_EQ(stream.last().patient, "p1");
  stream.Wait(40 * kMinute);
  EXPECT_THAT(stream.Heard(), ElementsAre("updated severe-high unconfirmed"));
  EXPECT_EQ(stream.last().patient, "p2");
}

TEST(MonitorCasesTest, NoNamesInTheWordsOfAnAlert) {
  Stream stream;
  stream.Know("jane-doe", -9000);
  stream.Tell(Bp(0, 190, 95).Of("jane-doe"));
  EXPECT_THAT(stream.last().event.explanation, ::testing::Not(HasSubstr("jane")));
}

}  // namespace
}  // namespace vitalake::monitor
