// How much the monitor keeps.
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"
#include "monitor/series.h"

namespace vitalake::monitor {
namespace {

TEST(MonitorSizeTest, OneKilobytePerPatientAndVitalSign) {
  EXPECT_LE(sizeof(Series) + kMostAlerts * sizeof(AlertRecord), 1024u);

  constexpr int kPatients = 200;
  Monitor monitor = *Monitor::Make({});
  SeededRandom random(3);
  Micros now = kStart;
  size_t most = 0;
  for (int i = 0; i < kPatients; ++i) {
    PatientFacts facts;
    facts.birth_day = -9000;
    ASSERT_TRUE(monitor.Apply({now, 0, PatientChanged{{"", "p" + std::to_string(i)}, facts}}));
  }
  // As restless as can be: every kind of alert, all the time.
  for (int i = 0; i < 60'000; ++i) {
    now += 20 * kSecond;
    Told told =
        Bp(now - kStart, std::round(random.Normal(150, 45)), std::round(random.Normal(90, 25)));
    told.patient = "p" + std::to_string(i % kPatients);
    if (random.Unit() < 0.1) told.reading.quality.Add(clinical::Quality::kImplausible);
    told.Late(static_cast<Micros>(random.Below(900)) * kSecond);
    told.reading.received = now;
    told.reading.effective = now - static_cast<Micros>(random.Below(900)) * kSecond;
    (void)monitor.Observe(told.View());
    if (i % 1000 == 0) most = std::max(most, monitor.state_bytes());
  }
  EXPECT_EQ(monitor.series(), size_t{kPatients});
  EXPECT_GT(monitor.counters().opened, 5000);
  EXPECT_LE(most, kPatients * (1024u + 256u)) << "a series with its alerts, and the patient";
  EXPECT_LE(monitor.Snapshot().size(), kPatients * (1024u + 256u) + 8192);
}

TEST(MonitorSizeTest, AMillionReadingsOfOnePatientTakeNoMoreRoom) {
  Stream stream;
  stream.Tell(Ordinary(3));
  const size_t before = stream.monitor().state_bytes();
  for (int i = 0; i < 1'000'000; ++i) {
    Told told = Bp(3 * kDay + i * kSecond, 120 + i % 7, 80);
    (void)stream.monitor().Observe(told.View());
  }
  EXPECT_EQ(stream.monitor().counters().taken, 1'000'012);
  EXPECT_LE(stream.monitor().state_bytes(), before + kMostAlerts * sizeof(AlertRecord));
}

}  // namespace
}  // namespace vitalake::monitor
