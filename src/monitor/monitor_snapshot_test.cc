// Snapshot, restore, replay: bit for bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

// One input of any kind.
struct Input {
  Told told;
  std::optional<Action> action;
  std::optional<Micros> tick;
};

std::string Feed(Monitor& monitor, const Input& input) {
  std::string said;
  const auto keep = [&](std::span<const AlertEvent> events) {
    for (const AlertEvent& e : events) {
      said += LineOf(e) + " " + e.alert_id.ToHex() + " " + std::to_string(e.opened_at) + " " +
              std::string(e.rule_version) + " " + e.explanation + "\n";
    }
  };
  if (input.action) {
    const auto events = monitor.Apply(*input.action);
    if (events) keep(*events);
  } else if (input.tick) {
    keep(monitor.Tick(*input.tick, 0));
  } else {
    keep(monitor.Observe(input.told.View()).events);
  }
  return said;
}

// Thirty patients, all vital signs, disorder, corrections, retractions, actions and ticks.
std::vector<Input> RandomInputs(uint64_t seed, int count) {
  SeededRandom random(seed);
  std::vector<Input> inputs;
  Micros now = kStart;
  std::vector<Told> sent;
  Hash128 some_alert;
  for (int i = 0; i < count; ++i) {
    now += static_cast<Micros>(random.Below(600)) * kSecond;
    const std::string patient = "p" + std::to_string(random.Below(30));
    const double choice = random.Unit();
    Input input;
    if (choice < 0.02) {
      PatientFacts facts;
      if (random.Unit() < 0.8) facts.birth_day = -5000;
      facts.is_test = random.Unit() < 0.1;
      if (random.Unit() < 0.1) facts.replaced_by = "p" + std::to_string(random.Below(30));
      input.action = Action{now, i, PatientChanged{{"", patient}, facts}};
    } else if (choice < 0.03) {
      PatientSettings settings;
      settings.from = now;
      settings.until = now + kDay;
      settings.pregnant = random.Unit() < 0.5;
      settings.limits = {{Vital::kBloodPressure, PersonalLimits{150, 95, {}, {}}}};
      input.action = Action{now, i, SettingsChanged{{"", patient}, settings}};
    } else if (choice < 0.035) {
      input.action = Action{
          now, i, ActivateRules{*RuleTable::Make(*clinical::RuleBook::Builtin(), "esc-2024")}};
    } else if (choice < 0.04) {
      input.action = Action{now, i, Acknowledge{{"", patient}, some_alert, "dr"}};
    } else if (choice < 0.06) {
      now += kDay;
      input.tick = now;
    } else if (choice < 0.12 && !sent.empty()) {
      input.told = sent[random.Below(sent.size())];
      input.told.reading.received = now;
      if (choice < 0.08) input.told.reading.status = ReadingStatus::kRetracted;
      if (choice > 0.10) input.told.reading.value = 150 + static_cast<double>(random.Below(60));
      input.told.reading.rank.version = static_cast<int64_t>(random.Below(4));
    } else {
      const auto vital = static_cast<Vital>(random.Below(4) == 0 ? random.Below(kVitalCount) : 0);
      const double value =
          vital == Vital::kBloodPressure ? random.Normal(140, 25) : random.Normal(80, 30);
      Told told = vital == Vital::kBloodPressure ? Bp(now - kStart, std::round(value), 85)
                                                 : One(vital, now - kStart, std::round(value));
      told.patient = patient;
      told.id += "-" + std::to_string(i);
      told.reading.inpatient = random.Unit() < 0.3;
      told.reading.received = now;
      told.reading.effective = now - static_cast<Micros>(random.Below(1200)) * kSecond;
      if (random.Unit() < 0.05) told.reading.effective = now - 3 * kDay;
      if (random.Unit() < 0.05) told.reading.effective.reset();
      if (random.Unit() < 0.03) told.reading.quality.Add(clinical::Quality::kImplausible);
      if (sent.size() < 500) sent.push_back(told);
      some_alert = AlertId({"", patient}, vital, Rule::kSevereHigh, Hash64(told.id));
      input.told = told;
    }
    inputs.push_back(input);
  }
  return inputs;
}

TEST(MonitorSnapshotTest, RestoreAndReplayIsBitIdenticalWhereverItIsCut) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const std::vector<Input> inputs = RandomInputs(seed, 6000);
    Monitor whole = *Monitor::Make({});
    SeededRandom random(seed);
    std::vector<size_t> cuts;
    for (int i = 0; i < 12; ++i) cuts.push_back(random.Below(inputs.size()));
    std::sort(cuts.begin(), cuts.end());
    std::vector<std::string> snapshots;
    std::vector<std::string> said;
    size_t next_cut = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      while (next_cut < cuts.size() && cuts[next_cut] == i) {
        snapshots.push_back(whole.Snapshot());
        ++next_cut;
      }
      said.push_back(Feed(whole, inputs[i]));
    }
    const std::string end = whole.Snapshot();
    EXPECT_GT(whole.counters().opened, 200);
    EXPECT_GT(whole.counters().withdrawn, 0);
    for (size_t c = 0; c < cuts.size(); ++c) {
      auto restored = Monitor::Restore({}, snapshots[c]);
      ASSERT_TRUE(restored) << restored.error().ToString();
      ASSERT_EQ(restored->Snapshot(), snapshots[c]);
      for (size_t i = cuts[c]; i < inputs.size(); ++i) {
        ASSERT_EQ(Feed(*restored, inputs[i]), said[i]) << "seed " << seed << " input " << i;
      }
      EXPECT_EQ(restored->Snapshot(), end) << "seed " << seed << " cut at " << cuts[c];
    }
  }
}

TEST(MonitorSnapshotTest, DamageIsNoticed) {
  Stream stream;
  stream.Tell(Ordinary(3));
  const std::string snapshot = stream.monitor().Snapshot();
  ASSERT_TRUE(Monitor::Restore({}, snapshot));
  for (const size_t length : {size_t{0}, size_t{7}, snapshot.size() / 2, snapshot.size() - 1}) {
    const auto cut = Monitor::Restore({}, snapshot.substr(0, length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().kind, ErrorKind::kCorrupt);
  }
  for (size_t at = 0; at < snapshot.size(); at += 97) {
    std::string changed = snapshot;
    changed[at] ^= 0x10;
    EXPECT_FALSE(Monitor::Restore({}, changed)) << at;
  }
}

TEST(MonitorSnapshotTest, AnotherVersionIsRefusedByName) {
  Stream stream;
  std::string snapshot = stream.monitor().Snapshot();
  snapshot[16] = 99;  // behind the magic word and its length
  const std::string body = snapshot.substr(0, snapshot.size() - 8);
  const uint64_t checksum = Hash64(body);
  const auto other =
      Monitor::Restore({}, body + std::string(reinterpret_cast<const char*>(&checksum), 8));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace vitalake::monitor
