// monitor_speed [PATIENTS [READINGS]]: how many readings a second one core judges.
//
// First it is right: of the readings told, each is taken, and the seeded spikes are found. Then it
// is timed: blood pressures of PATIENTS known adults in random order, warm baselines, one in a
// hundred out of order, one in a thousand severe. The readings are made beforehand, in slices,
// outside the time. Prints one line of JSON per round; use the median.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.h"
#include "monitor/monitor.h"

namespace vitalake::monitor {
namespace {

constexpr Micros kStart = Micros{1'772'409'600} * kSecond;
constexpr Micros kHour = 3600 * kSecond;

// As it comes out of a message: the patient's id is at hand, not looked up.
struct Made {
  std::string id, patient;
  Micros effective = 0, received = 0;
  double systolic = 0, diastolic = 0;
};

std::string Name(uint64_t i) { return fmt::format("patient-{:06}", i); }

// A slice of readings, four a day and patient on the whole.
std::vector<Made> Slice(SeededRandom& random, int patients, int count, Micros& now,
                        int64_t& serial) {
  const Micros step = 6 * kHour / patients;
  std::vector<Made> made(static_cast<size_t>(count));
  for (Made& m : made) {
    now += step;
    m.id = fmt::format("observation-{}", serial++);
    m.patient = Name(random.Below(static_cast<uint64_t>(patients)));
    m.systolic = std::round(random.Normal(130, 9));
    m.diastolic = std::round(random.Normal(80, 6));
    const double choice = random.Unit();
    if (choice < 0.001) m.systolic = 190;
    m.received = now;
    m.effective = now - (choice > 0.99 ? 600 * kSecond : 2 * kSecond);
  }
  return made;
}

double Tell(Monitor& monitor, const std::vector<Made>& slice, int64_t& events) {
  const auto begin = std::chrono::steady_clock::now();
  Reading reading;
  reading.device = "cuff";
  reading.device_model = "model";
  for (const Made& m : slice) {
    reading.patient = {"", m.patient};
    reading.id = m.id;
    reading.value = m.systolic;
    reading.diastolic = m.diastolic;
    reading.effective = m.effective;
    reading.received = m.received;
    events += static_cast<int64_t>(monitor.Observe(reading).events.size());
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int Run(int patients, int readings) {
  Monitor monitor = *Monitor::Make({});
  SeededRandom random(1);
  Micros now = kStart;
  for (int i = 0; i < patients; ++i) {
    const std::string name = Name(static_cast<uint64_t>(i));
    PatientFacts facts;
    facts.birth_day = -5000;
    if (!monitor.Apply({now, 0, PatientChanged{{"", name}, facts}})) return 1;
  }
  int64_t serial = 0, events = 0;
  constexpr int kWarm = 16, kSlice = 200'000;
  for (int64_t left = int64_t{patients} * kWarm; left > 0; left -= kSlice) {
    (void)Tell(monitor, Slice(random, patients, kSlice, now, serial), events);
  }
  for (int round = 0; round < 5; ++round) {
    const MonitorCounters before = monitor.counters();
    double seconds = 0;
    events = 0;
    for (int left = readings; left > 0; left -= kSlice) {
      const auto slice = Slice(random, patients, std::min(left, kSlice), now, serial);
      seconds += Tell(monitor, slice, events);
    }
    const MonitorCounters after = monitor.counters();
    if (after.taken - before.taken != readings) {
      fmt::print(stderr, "taken {} of {}\n", after.taken - before.taken, readings);
      return 1;
    }
    fmt::print(
        "{{\"patients\": {}, \"readings\": {}, \"seconds\": {:.3f}, \"per_second\": {:.0f}, "
        "\"events\": {}, \"late\": {}, \"state_mb\": {:.1f}}}\n",
        patients, readings, seconds, readings / seconds, events, after.late - before.late,
        static_cast<double>(monitor.state_bytes()) / 1e6);
  }
  return 0;
}

}  // namespace
}  // namespace vitalake::monitor

int main(int argc, char** argv) {
  const int patients = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const int readings = argc > 2 ? std::atoi(argv[2]) : 2'000'000;
  return vitalake::monitor::Run(patients, readings);
}
