// Patients merged and parted: one person, one alert.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PatientFacts Into(const std::string& survivor) {
  PatientFacts facts;
  facts.replaced_by = survivor;
  return facts;
}

Told AsInpatient(Told told) {
  told.reading.inpatient = true;
  return told;
}

class MonitorMergeTest : public testing::Test {
 protected:
  MonitorMergeTest() {
    for (const char* patient : {"a", "b", "c"}) stream_.Know(patient, -9000);
  }
  void Merge(const std::string& patient, const std::string& survivor) {
    stream_.Know(patient, -9000, Into(survivor));
  }
  Status Acknowledge(const std::string& patient, const Hash128& alert, Micros at) {
    return stream_.Do(monitor::Acknowledge{{"", patient}, alert, "nurse-7"}, at);
  }

  Stream stream_;
};

TEST_F(MonitorMergeTest, TimersOfTheOldPatientEnd) {
  stream_.Tell(Bp(0, 185, 95).Of("a"));
  Merge("a", "b");
  stream_.Tell(Bp(5 * kMinute, 120, 80).Of("b"));
  EXPECT_THAT(stream_.Heard(),
              ElementsAre("opened severe-high pending", "closed severe-high closed quietly"));
  stream_.Wait(5 * kDay);
  EXPECT_THAT(stream_.Heard(), IsEmpty());
}

// A DELETE names no patient: what rests at the old one must not come to life.
TEST_F(MonitorMergeTest, ARetractionLeavesTheOldPatientAtRest) {
  stream_.Tell({Bp(0, 185, 95).Of("a"), Bp(kMinute, 130, 80).Of("a")});
  Merge("a", "b");
  stream_.Heard();
  stream_.Tell({Bp(2 * kMinute, 131, 80).Of("b"), Bp(3 * kMinute, 128, 80).Of("b")});
  stream_.Tell(Retracted(Bp(kMinute, 0, 0).Of(""), 4 * kMinute));
  EXPECT_THAT(stream_.Heard(), ElementsAre("updated severe-high closed quietly"));
  EXPECT_EQ(stream_.last().event.closed_at, kStart + 2 * kMinute) << "the next reading ended it";
}

TEST_F(MonitorMergeTest, IntoOneWhoWasMergedBefore) {
  stream_.Tell(Bp(0, 185, 95).Of("a"));
  Merge("b", "c");
  Merge("a", "b");
  stream_.Tell(Bp(5 * kMinute, 120, 80).Of("c"));
  EXPECT_THAT(stream_.Heard(),
              ElementsAre("opened severe-high pending", "closed severe-high closed quietly"));
  stream_.Wait(kDay);
  EXPECT_THAT(stream_.Heard(), IsEmpty());
}

TEST_F(MonitorMergeTest, PartedFromOneWhoWasMergedToo) {
  stream_.Tell(Bp(0, 185, 95).Of("a"));
  const Hash128 id = stream_.last().event.alert_id;
  Merge("a", "b");
  Merge("b", "c");
  stream_.Know("a", -9000);
  stream_.Tell(Bp(5 * kMinute, 120, 80).Of("c"));
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened severe-high pending"));
  ASSERT_TRUE(Acknowledge("a", id, 6 * kMinute));
  stream_.Tell(Bp(7 * kMinute, 120, 80).Of("a"));
  EXPECT_THAT(stream_.Heard(), ElementsAre("updated severe-high pending quietly",
                                           "closed severe-high closed quietly"));
  EXPECT_EQ(stream_.last().event.alert_id, id);
}

// Whoever stands for a circle, the alert is found and ends under either name.
TEST_F(MonitorMergeTest, ACircleIsOnePerson) {
  stream_.Tell(Bp(0, 185, 95).Of("a"));
  const Hash128 id = stream_.last().event.alert_id;
  Merge("a", "b");
  Merge("b", "c");
  Merge("c", "a");
  ASSERT_TRUE(Acknowledge("b", id, kMinute));
  stream_.Tell(Bp(5 * kMinute, 120, 80).Of("c"));
  EXPECT_THAT(stream_.Heard(),
              ElementsAre("opened severe-high pending", "updated severe-high pending quietly",
                          "closed severe-high closed quietly"));
  stream_.Tell(Bp(kHour, 186, 95).Of("a"));
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened severe-high pending"));
  stream_.Know("c", -9000);
  stream_.Tell(Bp(kHour + 5 * kMinute, 120, 80).Of("b"));
  EXPECT_THAT(stream_.Heard(), ElementsAre("closed severe-high closed quietly"));
}

// A DELETE names no patient.
TEST_F(MonitorMergeTest, ARetractionFindsTheReadingOfACircle) {
  Merge("a", "b");
  Merge("b", "c");
  Merge("c", "a");
  stream_.Tell(Bp(0, 185, 95).Of("b"));
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened severe-high pending"));
  stream_.Tell(Retracted(Bp(0, 0, 0).Of(""), kMinute));
  EXPECT_THAT(stream_.Heard(), ElementsAre("withdrawn severe-high withdrawn"));
}

TEST_F(MonitorMergeTest, AlertsOfNoSingleSeriesGoAlong) {
  stream_.Tell(AsInpatient(One(Vital::kRespiratoryRate, 0, 30).Of("a")));
  const auto news2 = [&] {
    std::vector<std::string> lines = stream_.Heard();
    std::erase_if(lines, [](const std::string& line) { return !line.contains("news2"); });
    return lines;
  };
  EXPECT_THAT(news2(), ElementsAre("opened news2 open"));
  const Hash128 id = stream_.last().event.alert_id;
  Merge("a", "b");
  stream_.Tell(AsInpatient(One(Vital::kRespiratoryRate, kMinute, 29).Of("b")));
  EXPECT_THAT(news2(), IsEmpty()) << "one person, one alert";
  EXPECT_TRUE(Acknowledge("a", id, 2 * kMinute));
  EXPECT_TRUE(Acknowledge("b", id, 2 * kMinute));
  stream_.Know("a", -9000);
  EXPECT_TRUE(Acknowledge("a", id, 3 * kMinute)) << "it went home";
  EXPECT_FALSE(Acknowledge("b", id, 3 * kMinute));
}

TEST_F(MonitorMergeTest, WhoIsItIsAnsweredByAMergeIntoSomebodyKnown) {
  stream_.Tell(Bp(0, 215, 135).Of("nobody"));
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened operations open"));
  stream_.Know("nobody", std::nullopt, Into("a"));
  EXPECT_THAT(stream_.Heard(), ::testing::Contains("closed operations closed quietly"));
}

// 165/95 is severe in pregnancy only.
TEST_F(MonitorMergeTest, SettingsGoAlong) {
  const auto set = [&](const std::string& patient, Micros at, bool pregnant) {
    PatientSettings settings;
    settings.from = kStart + at;
    settings.pregnant = pregnant;
    ASSERT_TRUE(stream_.Do(SettingsChanged{{"", patient}, settings}, at));
  };
  set("a", 0, true);
  Merge("a", "b");
  stream_.Tell(Bp(kMinute, 165, 95).Of("b"));
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened severe-high pending"));
  stream_.Tell(Bp(2 * kMinute, 120, 80).Of("b"));
  stream_.Heard();
  set("b", kHour, false);
  stream_.Tell(Bp(kHour + kMinute, 165, 95).Of("b"));
  EXPECT_THAT(stream_.Heard(), IsEmpty()) << "the newer ones count";
  set("a", 2 * kHour, true);
  Monitor restored = *Monitor::Restore({}, stream_.monitor().Snapshot());
  const Told severe = Bp(3 * kHour, 165, 95).Of("b");
  EXPECT_EQ(restored.Observe(severe.View()).events.size(), 1u);
  stream_.Tell(severe);
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened severe-high pending"))
      << "set under the old id after the merge";
  stream_.Tell(Bp(3 * kHour + kMinute, 120, 80).Of("b"));
  stream_.Heard();
  stream_.Know("a", -9000);
  stream_.Tell(Bp(5 * kHour, 165, 95).Of("b"));
  EXPECT_THAT(stream_.Heard(), IsEmpty());
}

// The survivor says it, the merged patient nothing.
TEST_F(MonitorMergeTest, WhoIsReplacedByTheSurvivorsWord) {
  const auto replaces = [&](const std::string& survivor, std::vector<std::string> patients) {
    PatientFacts facts;
    facts.replaces = std::move(patients);
    stream_.Know(survivor, -9000, facts);
  };
  stream_.Tell(Bp(0, 185, 95).Of("a"));
  replaces("c", {"a", "c"});
  stream_.Tell(Bp(5 * kMinute, 120, 80).Of("c"));
  EXPECT_THAT(stream_.Heard(),
              ElementsAre("opened severe-high pending", "closed severe-high closed quietly"));
  const auto follows = [&](Micros at, const std::string& survivor, const std::string& other) {
    stream_.Tell(Bp(at, 185, 95).Of("a"));
    stream_.Heard();
    stream_.Tell(Bp(at + kMinute, 120, 80).Of(other));
    EXPECT_THAT(stream_.Heard(), IsEmpty());
    stream_.Tell(Bp(at + 2 * kMinute, 120, 80).Of(survivor));
    EXPECT_THAT(stream_.Heard(), ::testing::Contains("closed severe-high closed quietly"));
    const std::string snapshot = stream_.monitor().Snapshot();
    EXPECT_EQ(Monitor::Restore({}, snapshot)->Snapshot(), snapshot);
  };
  replaces("b", {"a"});  // the smaller id
  follows(kHour, "b", "c");
  replaces("b", {});
  follows(2 * kHour, "c", "b");
  Merge("a", "b");  // its own word
  follows(3 * kHour, "b", "c");
}

TEST_F(MonitorMergeTest, ASnapshotGoesOnAlike) {
  stream_.Tell({Bp(0, 185, 95).Of("a"), AsInpatient(One(Vital::kRespiratoryRate, 0, 30).Of("a"))});
  Merge("b", "c");
  Merge("a", "b");
  const std::string snapshot = stream_.monitor().Snapshot();
  Monitor restored = *Monitor::Restore({}, snapshot);
  EXPECT_EQ(restored.Snapshot(), snapshot);
  const Told next = Bp(20 * kMinute, 120, 80).Of("c");
  stream_.monitor().Observe(next.View());
  restored.Observe(next.View());
  EXPECT_EQ(restored.Snapshot(), stream_.monitor().Snapshot());
}

}  // namespace
}  // namespace vitalake::monitor
