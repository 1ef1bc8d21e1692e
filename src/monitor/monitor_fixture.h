// What the monitor's tests share: readings in short words, and a stream that remembers what was
// said.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "monitor/monitor.h"

namespace vitalake::monitor {

inline constexpr Micros kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
// 2026-03-02T00:00:00Z, a Monday.
inline constexpr Micros kStart = Micros{1'772'409'600} * kSecond;

// A reading that owns its texts. Times are after kStart.
struct Told {
  std::string id = "r1", patient = "p1", id_space, device = "d1", model = "m1", identifier;
  Reading reading;

  Reading View() const {
    Reading view = reading;
    view.patient = {id_space, patient};
    view.id = id;
    view.device = device;
    view.device_model = model;
    view.identifier = identifier;
    return view;
  }
  Told& Late(Micros by) {
    reading.received = *reading.effective + by;
    return *this;
  }
  Told& Id(std::string text) {
    id = std::move(text);
    return *this;
  }
  Told& Of(std::string text) {
    patient = std::move(text);
    return *this;
  }
  Told& Version(int64_t version) {
    reading.rank.version = version;
    return *this;
  }
};

// A blood pressure measured at `at` that came two seconds later; its id is made of the time.
inline Told Bp(Micros at, double systolic, double diastolic) {
  Told told;
  told.id = "bp-" + std::to_string(at / kSecond);
  told.reading.vital = Vital::kBloodPressure;
  told.reading.value = systolic;
  told.reading.diastolic = diastolic;
  told.reading.effective = kStart + at;
  told.reading.received = kStart + at + 2 * kSecond;
  told.reading.critical = systolic > 180 || systolic < 70 || diastolic > 120;
  return told;
}

// Half of it, as a record of its own.
inline Told Systolic(Micros at, double value) {
  Told told = Bp(at, value, 0);
  told.id = "s-" + std::to_string(at / kSecond);
  told.reading.diastolic.reset();
  return told;
}
inline Told Diastolic(Micros at, double value) {
  Told told = Bp(at, 0, value);
  told.id = "d-" + std::to_string(at / kSecond);
  told.reading.value.reset();
  told.reading.critical = value > 120;
  return told;
}

inline Told One(Vital vital, Micros at, double value) {
  Told told = Bp(at, value, 0);
  told.id = std::string(CodeOf(vital)) + "-" + std::to_string(at / kSecond);
  told.reading.vital = vital;
  told.reading.diastolic.reset();
  told.reading.critical = false;
  return told;
}

inline Told Retracted(Told told, Micros received) {
  told.reading.status = ReadingStatus::kRetracted;
  told.reading.received = kStart + received;
  return told;
}

// An event with its texts kept.
struct Said {
  AlertEvent event;
  std::string patient, rule_version, reading_id;
  std::string line;  // "opened severe-high pending high notify"
};

inline std::string LineOf(const AlertEvent& e) {
  std::string line = std::string(ToString(e.change)) + " " + std::string(ToString(e.rule)) + " " +
                     std::string(ToString(e.state));
  if (!e.notify) line += " quietly";
  return line;
}

// A monitor with one grown-up patient "p1", and all it said.
class Stream {
 public:
  explicit Stream(const MonitorOptions& options = {})
      : options_(options), monitor_(*Monitor::Make(options)) {
    Know("p1", -10'000);  // born 1942
  }

  Judgement Tell(const Told& told) {
    const Observation seen = monitor_.Observe(told.View());
    Keep(seen.events);
    return seen.judgement;
  }
  void Tell(const std::vector<Told>& all) {
    for (const Told& told : all) Tell(told);
  }
  void Know(const std::string& patient, std::optional<int32_t> birth_day, PatientFacts facts = {}) {
    facts.birth_day = birth_day;
    Do(PatientChanged{{"", patient}, facts}, 0);
  }
  Status Do(decltype(Action::what) what, Micros at) {
    const auto events = monitor_.Apply({kStart + at, 0, std::move(what)});
    if (!events) return std::unexpected(events.error());
    Keep(*events);
    return {};
  }
  void Wait(Micros until) { Keep(monitor_.Tick(kStart + until, 0)); }

  // What was said since the last call.
  std::vector<std::string> Heard() {
    std::vector<std::string> lines;
    for (; heard_ < said_.size(); ++heard_) lines.push_back(said_[heard_].line);
    return lines;
  }
  const std::deque<Said>& said() const { return said_; }
  const Said& last() const { return said_.back(); }
  Monitor& monitor() { return monitor_; }

  void Keep(std::span<const AlertEvent> events) {
    for (const AlertEvent& event : events) {
      said_.push_back({event, std::string(event.patient.id), std::string(event.rule_version),
                       std::string(event.reading_id), LineOf(event)});
    }
  }

 private:
  MonitorOptions options_;
  Monitor monitor_;
  std::deque<Said> said_;
  size_t heard_ = 0;
};

// Four readings a day around 130/80 for `days` days; the same seed, the same readings.
inline std::vector<Told> Ordinary(int days, uint64_t seed = 1) {
  SeededRandom random(seed);
  std::vector<Told> all;
  for (int day = 0; day < days; ++day) {
    for (const int hour : {7, 12, 17, 22}) {
      const double systolic = std::round(130 + 7 * random.Normal(0, 1));
      all.push_back(Bp(day * kDay + hour * kHour, std::clamp(systolic, 112.0, 148.0),
                       std::round(80 + 4 * std::clamp(random.Normal(0, 1), -2.0, 2.0))));
    }
  }
  return all;
}

}  // namespace vitalake::monitor
