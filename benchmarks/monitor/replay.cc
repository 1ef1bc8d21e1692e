// monitor_replay: readings of real people through the monitor, as if each arrived when it was
// taken.
//
// Standard input: lines `dataset,patient,seconds since 1970,systolic,diastolic,pregnant (0 or 1)`,
// of each patient in order. Prints a line per dataset, with commas: patients, readings, those the
// monitor flagged, alerts that call a person and how often they do, per 1,000 readings, and of
// which rules. Fed by replay.py.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "monitor/monitor.h"

namespace vitalake::monitor {
namespace {

struct Line {
  std::string dataset, patient;
  int64_t seconds = 0;
  double systolic = 0, diastolic = 0;
  bool pregnant = false;
};

// One dataset: its clock is its own.
struct Tally {
  Monitor monitor = *Monitor::Make({});
  std::set<std::string> patients;
  int64_t readings = 0, flagged = 0, told = 0;
  std::set<std::string> alerts;
  std::array<int64_t, kRuleCount> by_rule = {};
};

Line Parse(const std::string& text) {
  std::istringstream in(text);
  std::array<std::string, 6> cells;
  for (std::string& cell : cells) std::getline(in, cell, ',');
  return {cells[0],       cells[1], std::stoll(cells[2]), std::stod(cells[3]), std::stod(cells[4]),
          cells[5] == "1"};
}

class Replay {
 public:
  void Take(const Line& line) {
    Tally& tally = tallies_[line.dataset];
    const PatientName name{line.dataset, line.patient};
    if (tally.patients.insert(line.patient).second) Introduce(tally.monitor, name, line.pregnant);
    const std::string id = fmt::format("{}-{}", line.dataset, ++tally.readings);
    Reading reading;
    reading.patient = {line.dataset, line.patient};
    reading.id = id;
    reading.value = line.systolic;
    reading.diastolic = line.diastolic;
    reading.effective = reading.received = line.seconds * kSecond;
    const auto observed = tally.monitor.Observe(reading);
    tally.flagged += observed.judgement.spike || observed.judgement.shift;
    for (const AlertEvent& event : observed.events) {
      if (!event.notify) continue;
      ++tally.told;
      tally.alerts.insert(event.alert_id.ToHex());
      ++tally.by_rule[static_cast<size_t>(event.rule)];
    }
  }

  void Print() const {
    for (const auto& [dataset, tally] : tallies_) {
      const auto per_1000 = [&](int64_t count) {
        return 1000.0 * static_cast<double>(count) / static_cast<double>(tally.readings);
      };
      std::string rules;
      for (size_t i = 0; i < tally.by_rule.size(); ++i) {
        if (tally.by_rule[i] == 0) continue;
        rules += fmt::format("{}{} {:.1f}", rules.empty() ? "" : ", ",
                             ToString(static_cast<Rule>(i)), per_1000(tally.by_rule[i]));
      }
      fmt::print("{},{},{},{:.1f},{:.1f},{:.1f},{}\n", dataset, tally.patients.size(),
                 tally.readings, per_1000(tally.flagged),
                 per_1000(static_cast<int64_t>(tally.alerts.size())), per_1000(tally.told), rules);
    }
  }

 private:
  static void Introduce(Monitor& monitor, const PatientName& name, bool pregnant) {
    PatientFacts facts;
    facts.birth_day = -9000;  // an adult
    (void)monitor.Apply({0, 0, PatientChanged{name, facts}});
    if (!pregnant) return;
    PatientSettings settings;
    settings.pregnant = true;
    (void)monitor.Apply({0, 0, SettingsChanged{name, settings}});
  }

  std::map<std::string, Tally> tallies_;
};

}  // namespace
}  // namespace vitalake::monitor

int main() {
  vitalake::monitor::Replay replay;
  for (std::string line; std::getline(std::cin, line);) replay.Take(vitalake::monitor::Parse(line));
  replay.Print();
  return 0;
}
