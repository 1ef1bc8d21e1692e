// monitor_detection: the table of detectors in docs/monitoring.md, as Markdown.
//
// Every detector sees the same simulated home patients (home_simulation_fixture.h), five seeds; the
// interval is the 95 % bootstrap over patients. The monitor is measured through Observe. Besides:
// the alerts that call a person, per 1,000 readings of both pressures.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "monitor/home_simulation_fixture.h"
#include "rival_detectors.h"

namespace vitalake::monitor {
namespace {

constexpr uint64_t kSeeds = 5;
constexpr int kResamples = 1000;

struct Rates {
  double false_per_1000 = 0, spike = 0, shift = 0;
};

Rates RatesOf(const std::vector<Found>& found, const std::vector<size_t>& which) {
  double readings = 0, episodes = 0, spikes = 0, shifts = 0;
  for (const size_t i : which) {
    readings += found[i].clean_readings;
    episodes += found[i].false_episodes;
    spikes += found[i].spike;
    shifts += found[i].shift;
  }
  const auto n = static_cast<double>(which.size());
  return {1000 * episodes / readings, spikes / n, shifts / n};
}

std::string Interval(const char* format, double rate, std::vector<double> resampled) {
  std::sort(resampled.begin(), resampled.end());
  const auto at = [&](double share) {
    return resampled[static_cast<size_t>(share * static_cast<double>(resampled.size()))];
  };
  return fmt::format(fmt::runtime(format), rate, at(0.025), at(0.975));
}

template <class Detect>
void Row(const std::string& name, const std::vector<HomePatient>& patients, Detect detect) {
  std::vector<Found> found;
  for (const HomePatient& patient : patients) found.push_back(Measure(patient, detect));
  std::vector<size_t> which(patients.size());
  for (size_t i = 0; i < which.size(); ++i) which[i] = i;
  const Rates rates = RatesOf(found, which);
  SeededRandom random(1);
  std::vector<double> false_per_1000, spike, shift;
  for (int i = 0; i < kResamples; ++i) {
    for (size_t& one : which) one = random.Below(patients.size());
    const Rates again = RatesOf(found, which);
    false_per_1000.push_back(again.false_per_1000);
    spike.push_back(again.spike);
    shift.push_back(again.shift);
  }
  fmt::print("| {} | {} | {} | {} |\n", name,
             Interval("{:.1f} ({:.1f}-{:.1f})", rates.false_per_1000, false_per_1000),
             Interval("{:.3f} ({:.3f}-{:.3f})", rates.spike, spike),
             Interval("{:.3f} ({:.3f}-{:.3f})", rates.shift, shift));
}

// Events that call a person, and flagged readings, over clean readings of both pressures.
void Burden(const std::vector<HomePatient>& patients) {
  MonitorOptions options;
  int64_t readings = 0, told = 0;
  int64_t by_rule[kRuleCount] = {};
  for (const HomePatient& patient : patients) {
    Monitor monitor = *Monitor::Make(options);
    PatientFacts facts;
    facts.birth_day = -9000;
    (void)monitor.Apply({0, 0, PatientChanged{{"", "p"}, facts}});
    Micros time = Micros{1'772'409'600} * kSecond;
    const auto count = [&](std::span<const AlertEvent> events) {
      for (const AlertEvent& event : events) {
        if (!event.notify) continue;
        ++told;
        ++by_rule[static_cast<int>(event.rule)];
      }
    };
    for (size_t i = 0; i < kHomeReadings; ++i) {
      time += Micros{6} * 3600 * kSecond;
      const std::string id = std::to_string(i);
      Reading reading;
      reading.patient = {"", "p"};
      reading.id = id;
      reading.value = patient.systolic[i];
      reading.diastolic = std::min(patient.diastolic[i], patient.systolic[i] - 12);
      reading.effective = reading.received = time;
      count(monitor.Observe(reading).events);
      ++readings;
    }
  }
  fmt::print("\nTold to a person, per 1,000 readings: {:.1f}",
             1000.0 * static_cast<double>(told) / static_cast<double>(readings));
  for (int i = 0; i < kRuleCount; ++i) {
    if (by_rule[i] == 0) continue;
    fmt::print(", {} {:.1f}", ToString(static_cast<Rule>(i)),
               1000.0 * static_cast<double>(by_rule[i]) / static_cast<double>(readings));
  }
  fmt::print("\n");
}

}  // namespace
}  // namespace vitalake::monitor

int main() {
  using namespace vitalake::monitor;
  std::vector<HomePatient> patients;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (HomePatient& patient : SimulateHome(seed)) patients.push_back(std::move(patient));
  }
  fmt::print("| detector | false episodes per 1,000 | spike found | shift found in 8 |\n");
  fmt::print("|---|---|---|---|\n");
  Row("kernel density 95 %", patients, [](const auto& v) { return KernelDensity(v, 0.95); });
  Row("kernel density 99 %", patients, [](const auto& v) { return KernelDensity(v, 0.99); });
  Row("Shewhart, 3 sigma", patients, Shewhart);
  Row("robust z, 3.5", patients, RobustZ);
  Row("EWMA 0.2, L 3", patients, Ewma);
  Row("CUSUM k 0.75, h 5", patients, Cusum);
  Row("Vitalake", patients, MonitorFlags);
  Burden(patients);
  return 0;
}
