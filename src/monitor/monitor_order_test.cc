// Order of arrival inside the window does not matter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using ::testing::ElementsAre;

// What must be equal: patient, vital, rule, episode start and end, severity, state.
std::multiset<std::string> Alerts(const Stream& stream) {
  std::map<std::string, std::string> last;
  for (const Said& said : stream.said()) {
    const AlertEvent& e = said.event;
    last[e.alert_id.ToHex()] =
        e.state == AlertState::kWithdrawn
            ? ""
            : said.patient + " " + std::string(ToString(e.vital)) + " " +
                  std::string(ToString(e.rule)) + " " + std::to_string(e.opened_at) + " " +
                  std::to_string(e.closed_at.value_or(0)) + " " +
                  std::string(ToString(e.severity)) + " " + std::string(ToString(e.state));
  }
  std::multiset<std::string> alerts;
  for (const auto& [id, line] : last) {
    if (!line.empty()) alerts.insert(line);
  }
  return alerts;
}

// A history, then a lively afternoon: severe, high, low, implausible readings and spikes, some
// retracted or corrected, from 6 to 9 minutes apart.
std::vector<Told> Afternoon(uint64_t seed) {
  SeededRandom random(seed);
  std::vector<Told> all;
  Micros at = 14 * kDay + 12 * kHour;
  for (int i = 0; i < 40; ++i) {
    at += 6 * kMinute + static_cast<Micros>(random.Below(180)) * kSecond;
    const double choice = random.Unit();
    double systolic = std::round(130 + 6 * random.Normal(0, 1)), diastolic = 82;
    if (choice < 0.15) systolic = 181 + static_cast<double>(random.Below(25));
    if (choice > 0.80) systolic = 158 + static_cast<double>(random.Below(15));
    if (choice > 0.15 && choice < 0.22) systolic = 86;
    if (choice > 0.22 && choice < 0.25) diastolic = 101;
    Told told = Bp(at, systolic, diastolic).Version(1);
    if (choice > 0.25 && choice < 0.29) {
      told.reading.quality.Add(clinical::Quality::kImplausible);
    }
    all.push_back(told);
    if (choice > 0.7 && choice < 0.75) all.push_back(told);  // a repeat
    if (choice > 0.75 && choice < 0.8) all.push_back(Told(told).Version(2));
    if (choice > 0.94) {
      Told corrected = Told(told).Version(2);
      corrected.reading.value = 128;
      all.push_back(corrected);
    }
    if (choice < 0.05) {
      Told retracted = Told(told).Version(3);
      retracted.reading.status = ReadingStatus::kRetracted;
      all.push_back(retracted);
    }
  }
  return all;
}

// The same readings with each delayed by up to 14 minutes, in the order of arrival.
std::vector<Told> Shuffled(std::vector<Told> all, SeededRandom& random) {
  for (Told& told : all) {
    told.Late(static_cast<Micros>(random.Below(14 * 60)) * kSecond);
  }
  std::stable_sort(all.begin(), all.end(), [](const Told& a, const Told& b) {
    return a.reading.received < b.reading.received;
  });
  return all;
}

TEST(MonitorOrderTest, AnyOrderInsideTheWindowGivesTheSameAlerts) {
  size_t alerts = 0, withdrawn = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const std::vector<Told> history = Ordinary(14, seed);
    const std::vector<Told> afternoon = Afternoon(seed);
    MonitorOptions options;
    options.most_alerts_per_day = 1000;
    Stream in_order(options);
    in_order.Tell(history);
    in_order.Tell(afternoon);
    in_order.Wait(15 * kDay);
    const auto expected = Alerts(in_order);
    alerts += expected.size();
    SeededRandom random(seed * 977);
    for (int round = 0; round < 25; ++round) {
      Stream shuffled(options);
      shuffled.Tell(history);
      shuffled.Tell(Shuffled(afternoon, random));
      shuffled.Wait(15 * kDay);
      ASSERT_EQ(Alerts(shuffled), expected) << "seed " << seed << " round " << round;
      withdrawn += static_cast<size_t>(shuffled.monitor().counters().withdrawn);
    }
  }
  EXPECT_GT(alerts, 200u);
  EXPECT_GT(withdrawn, 100u) << "or the orders have tested nothing";
}

// Of one second, in the order of their keys: high, clear, high. What raises an alert then is the
// one behind the clear one; the first, whose alert was withdrawn, raises none again.
TEST(MonitorOrderTest, AnAlertOfOneSecondIsNotOpenedAgainUnderTheIdOfAnother) {
  std::vector<std::string> ids = {"a", "b", "c"};
  std::ranges::sort(ids, {}, [](const std::string& id) { return Hash64(id); });
  Stream stream;
  stream.Tell({Bp(0, 162, 90).Id(ids[0]), Bp(kSecond, 164, 90)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
  stream.Tell(Bp(0, 130, 80).Id(ids[1]));
  EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn high withdrawn"));
  stream.Tell(Bp(0, 163, 90).Id(ids[2]));
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
  EXPECT_EQ(stream.last().event.reading_keys[0], Hash64(ids[2]));
  EXPECT_NE(stream.last().event.alert_id, stream.said()[0].event.alert_id);
}

TEST(MonitorOrderTest, AnAlertRaisedAtOnceIsCorrectedByAnEarlierReading) {
  Stream stream;
  stream.Tell(Bp(0, 162, 90));
  Told later = Bp(10 * kMinute, 163, 90);
  stream.Tell(later);
  EXPECT_THAT(stream.Heard(), ElementsAre("opened high open"));
  // A clear reading between the two comes last: there were never two in a row.
  stream.Tell(Bp(5 * kMinute, 130, 80).Late(10 * kMinute));
  EXPECT_THAT(stream.Heard(), ElementsAre("withdrawn high withdrawn"));
}

TEST(MonitorOrderTest, AStartThatMovesKeepsItsId) {
  Stream stream;
  stream.Tell({Bp(10 * kMinute, 185, 90), Bp(4 * kMinute, 184, 90).Late(8 * kMinute)});
  EXPECT_THAT(stream.Heard(), ElementsAre("opened severe-high pending", "updated severe-high open",
                                          "opened high open quietly"));
  EXPECT_EQ(stream.said()[0].event.alert_id, stream.said()[1].event.alert_id);
  EXPECT_EQ(stream.said()[1].event.opened_at, kStart + 4 * kMinute);
}

TEST(MonitorOrderTest, AnyOrderOfVersionsLeavesTheSameAlerts) {
  Told first = Bp(0, 190, 95).Version(1);
  Told second = Bp(0, 135, 85).Version(2);
  Told third = Bp(0, 188, 95).Version(3);
  Told retraction = Retracted(Bp(0, 188, 95).Version(4), 3 * kSecond);
  std::vector<Told> all = {first, second, third, retraction};
  std::vector<size_t> order = {0, 1, 2, 3};
  do {
    Stream stream;
    for (const size_t i : order) stream.Tell(all[i]);
    EXPECT_TRUE(Alerts(stream).empty());
  } while (std::next_permutation(order.begin(), order.end()));
  order = {0, 1, 2};
  do {
    Stream stream;
    for (const size_t i : order) stream.Tell(all[i]);
    ASSERT_EQ(Alerts(stream).size(), 1u);
    EXPECT_TRUE(Alerts(stream).begin()->ends_with("high pending"));
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace vitalake::monitor
