// Alerts of the operations queue that no patient holds: of records in quarantine, and of readings
// that name no patient.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MonitorOperationsTest : public testing::Test {
 protected:
  static MonitorOptions Options() {
    MonitorOptions options;
    options.most_quarantined_per_hour = 2'000;
    return options;
  }
  void Quarantine(const std::string& id, Micros at, const std::string& patient = "p1") {
    stream_.Keep(stream_.monitor().ObserveQuarantined({{"", patient}, id, kStart + at, 0}));
  }
  Status Acknowledge(const std::string& patient, const Hash128& alert, Micros at) {
    return stream_.Do(monitor::Acknowledge{{"", patient}, alert, "nurse-7"}, at);
  }

  Stream stream_{Options()};
};

TEST_F(MonitorOperationsTest, AcknowledgedTheyEnd) {
  Quarantine("q", 0);
  Quarantine("unread", 0, "");
  const Hash128 first = stream_.said()[0].event.alert_id;
  const Hash128 second = stream_.said()[1].event.alert_id;
  stream_.Tell(Bp(kMinute, 215, 135).Of(""));
  const Hash128 third = stream_.last().event.alert_id;
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened operations open", "opened operations open",
                                           "opened operations open"));
  ASSERT_TRUE(Acknowledge("p1", first, kHour));
  EXPECT_EQ(stream_.last().event.alert_id, first);
  EXPECT_EQ(stream_.last().event.acknowledged_at, kStart + kHour);
  EXPECT_EQ(stream_.last().event.queue, Queue::kOperations);
  EXPECT_EQ(stream_.last().patient, "p1");
  ASSERT_TRUE(Acknowledge("", second, kHour));
  ASSERT_TRUE(Acknowledge("", third, kHour));
  EXPECT_THAT(stream_.Heard(),
              ElementsAre("closed operations closed quietly", "closed operations closed quietly",
                          "closed operations closed quietly"));
  EXPECT_FALSE(Acknowledge("p1", first, 2 * kHour)) << "it is not on any more";
  stream_.Wait(3 * kDay);
  EXPECT_THAT(stream_.Heard(), IsEmpty());
}

TEST_F(MonitorOperationsTest, AfterADayTheyEndByThemselves) {
  Quarantine("q", 0);
  stream_.Tell(Bp(kHour, 215, 135).Of(""));
  stream_.Heard();
  EXPECT_EQ(stream_.monitor().NextTimer(), kStart + kDay);
  stream_.Wait(kDay - kMinute);
  EXPECT_THAT(stream_.Heard(), IsEmpty());
  stream_.Wait(kDay);
  EXPECT_THAT(stream_.Heard(), ElementsAre("closed operations closed quietly"));
  EXPECT_EQ(stream_.last().event.closed_at, kStart + kDay);
  stream_.Wait(3 * kDay);
  EXPECT_THAT(stream_.Heard(), ElementsAre("closed operations closed quietly"));
  EXPECT_EQ(stream_.last().event.closed_at, kStart + kDay + kHour + 2 * kSecond)
      << "when its own day was over";
}

TEST_F(MonitorOperationsTest, OneAlertPerRecord) {
  Quarantine("q", 0);
  Quarantine("q", kHour);
  const Told reading = Bp(2 * kHour, 215, 135).Of("");
  stream_.Tell({reading, reading});
  EXPECT_THAT(stream_.Heard(), ElementsAre("opened operations open", "opened operations open"));
}

TEST_F(MonitorOperationsTest, ARetractionWithdrawsIt) {
  const Told reading = Bp(0, 215, 135).Of("").Version(1);
  stream_.Tell(reading);
  stream_.Tell(Retracted(Told(reading).Version(2), kMinute));
  EXPECT_THAT(stream_.Heard(),
              ElementsAre("opened operations open", "withdrawn operations withdrawn"));
  stream_.Tell(reading);
  EXPECT_THAT(stream_.Heard(), IsEmpty());
}

TEST_F(MonitorOperationsTest, TheyAreBounded) {
  for (int i = 0; i < 1'000; ++i) Quarantine("q" + std::to_string(i), 0);
  stream_.Heard();
  Quarantine("more", kMinute);
  EXPECT_THAT(stream_.Heard(),
              ElementsAre("closed operations closed quietly", "opened operations open"));
  EXPECT_EQ(stream_.said()[stream_.said().size() - 2].event.alert_id,
            stream_.said()[0].event.alert_id);
}

TEST_F(MonitorOperationsTest, ASnapshotHoldsThem) {
  Quarantine("q", 0);
  stream_.Tell(Bp(kHour, 215, 135).Of(""));
  ASSERT_TRUE(stream_.Do(
      Snooze{{"", ""}, stream_.last().event.alert_id, "nurse-7", kStart + 3 * kHour}, 2 * kHour));
  EXPECT_EQ(stream_.last().event.snoozed_until, kStart + 3 * kHour);
  const std::string snapshot = stream_.monitor().Snapshot();
  Monitor restored = *Monitor::Restore(Options(), snapshot);
  EXPECT_EQ(restored.Snapshot(), snapshot);
  EXPECT_EQ(restored.NextTimer(), stream_.monitor().NextTimer());
  EXPECT_EQ(restored.Tick(kStart + 3 * kDay, 0).size(), 2u);
  stream_.Wait(3 * kDay);
  EXPECT_EQ(restored.Snapshot(), stream_.monitor().Snapshot());
}

}  // namespace
}  // namespace vitalake::monitor
