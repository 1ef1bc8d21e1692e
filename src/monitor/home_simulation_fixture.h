// Simulated home patients with labels: what the detectors are measured on (docs/monitoring.md).
//
// A patient has four readings a day for 28 days. Systolic: an own mean (N(132, 14)); a standard
// deviation of 8.9 mmHg that differs by 5 % between patients; a slow wave besides (autoregressive,
// 0.91 from reading to reading, 3.8 mmHg); whole numbers. Diastolic: the same, at 0.67 of the
// widths and with noise of its own. A spike is one reading 45 mmHg up or down; a shift is 25 mmHg
// from one reading on. Spikes and shifts begin after the 12 readings of the warm-up, shifts at
// least 8 readings before the end. The widths are chosen so that well-known detectors do here what
// they do on the simulation that our targets come from.
#pragma once

#include <cmath>
#include <vector>

#include "base/random.h"
#include "monitor/monitor.h"

namespace vitalake::monitor {

struct HomePatient {
  std::vector<double> systolic, diastolic;
  size_t spike_at = 0, shift_at = 0;
  double spike = 0;
};

inline constexpr int kHomePatients = 400, kHomeDays = 28, kHomePerDay = 4;
inline constexpr size_t kHomeReadings = kHomeDays * kHomePerDay;
inline constexpr size_t kHomeWarmUp = 12, kShiftWindow = 8;
inline constexpr double kHomeSpike = 45, kHomeShift = 25;

inline std::vector<double> HomeValues(SeededRandom& random, double mean, double width) {
  constexpr double kSigma = 8.9, kSpread = 0.05, kWave = 3.8, kKeep = 0.91;
  const double sigma = width * kSigma * std::exp(random.Normal(0, kSpread));
  double wave = random.Normal(0, width * kWave);
  std::vector<double> values;
  for (size_t i = 0; i < kHomeReadings; ++i) {
    wave = kKeep * wave + std::sqrt(1 - kKeep * kKeep) * random.Normal(0, width * kWave);
    values.push_back(std::round(mean + wave + random.Normal(0, sigma)));
  }
  return values;
}

inline std::vector<HomePatient> SimulateHome(uint64_t seed) {
  SeededRandom random(seed);
  std::vector<HomePatient> patients(kHomePatients);
  for (HomePatient& patient : patients) {
    patient.systolic = HomeValues(random, random.Normal(132, 14), 1);
    patient.diastolic = HomeValues(random, random.Normal(80, 8), 0.67);
    patient.spike_at = kHomeWarmUp + random.Below(kHomeReadings - kHomeWarmUp);
    patient.spike = random.Below(2) == 0 ? kHomeSpike : -kHomeSpike;
    patient.shift_at = kHomeWarmUp + random.Below(kHomeReadings - kHomeWarmUp - kShiftWindow);
  }
  return patients;
}

inline std::vector<double> WithSpike(const HomePatient& patient) {
  std::vector<double> values = patient.systolic;
  values[patient.spike_at] += patient.spike;
  return values;
}
inline std::vector<double> WithShift(const HomePatient& patient) {
  std::vector<double> values = patient.systolic;
  for (size_t i = patient.shift_at; i < values.size(); ++i) values[i] += kHomeShift;
  return values;
}

// What was found of one patient.
struct Found {
  int clean_readings = 0;  // after the warm-up
  int false_episodes = 0;  // runs of flags among them
  bool spike = false;      // flagged at the spike
  bool shift = false;      // flagged within 8 readings from the shift on
};

// `detect`: systolic values -> one flag per value, made from earlier values only.
template <class Detect>
Found Measure(const HomePatient& patient, Detect detect) {
  Found found;
  const std::vector<bool> clean = detect(patient.systolic);
  for (size_t i = kHomeWarmUp; i < clean.size(); ++i) {
    ++found.clean_readings;
    if (clean[i] && !clean[i - 1]) ++found.false_episodes;
  }
  found.spike = detect(WithSpike(patient))[patient.spike_at];
  const std::vector<bool> shifted = detect(WithShift(patient));
  for (size_t i = 0; i < kShiftWindow; ++i) found.shift |= shifted[patient.shift_at + i];
  return found;
}

// The monitor's own spike and shift flags, through its front door.
inline std::vector<bool> MonitorFlags(const std::vector<double>& values) {
  Monitor monitor = *Monitor::Make({});
  PatientFacts facts;
  facts.birth_day = -9000;
  (void)monitor.Apply({0, 0, PatientChanged{{"", "p"}, facts}});
  std::vector<bool> flags;
  Micros time = Micros{1'772'409'600} * kSecond;
  for (size_t i = 0; i < values.size(); ++i) {
    time += Micros{6} * 3600 * kSecond;
    const std::string id = std::to_string(i);
    Reading reading;
    reading.patient = {"", "p"};
    reading.id = id;
    reading.value = values[i];
    reading.effective = reading.received = time;
    const Judgement judgement = monitor.Observe(reading).judgement;
    flags.push_back(judgement.spike || judgement.shift);
  }
  return flags;
}

}  // namespace vitalake::monitor
