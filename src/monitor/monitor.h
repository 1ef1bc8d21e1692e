// Monitor: watches every reading of one stream partition and says what people must know.
//
//   Monitor monitor = *Monitor::Make({});
//   for each input, in the order of its position:
//     const Observation seen = monitor.Observe(reading);   // or Apply(action), Tick(time)
//     publish(seen.events);                                // valid until the next call
//   now and then: store(monitor.Snapshot(), position)
//   after a crash: Monitor::Restore(options, bytes), then the inputs behind that position again
//
// Promises, each tested in monitor_*_test.cc:
//   Pure.       No I/O, no clock, no randomness. The same inputs give the same events and the same
//               state, byte for byte, wherever a snapshot and restore lie between.
//   Order.      Readings that come within `late_after` of their effective times may come in any
//               order: once it has passed, alerts are what they would have been in order (apart
//               from ids), each raised at once and then updated or withdrawn. Later ones correct
//               the baseline only, except that critical ones younger than `late_critical_within`
//               raise an alert marked late. That holds for up to 8 readings of a vital sign within
//               the window; of faster devices the last 8 can be put in order.
//   Versions.   The highest rank of a key counts, in whatever order versions come. The same content
//               again does nothing. What is retracted never counted.
//   Ids.        An alert keeps its id for life; a replay gives the same ids.
//   Size.       At most 1 KB per patient and vital sign, about 150 bytes per patient, and at most
//   18
//               bytes for finding each reading that can be changed.
//
// There is no shared watermark that one bad clock could stall: lateness is that of each reading
// alone, and timers run on receive times, which readings and Tick bring along. A time in the future
// moves nothing.
//
// Owned by one thread at a time. A patient's readings must all come to the same monitor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "clinical/news2.h"
#include "clinical/rule_set.h"
#include "monitor/action.h"
#include "monitor/alert.h"
#include "monitor/limits.h"
#include "monitor/reading.h"

namespace vitalake::monitor {

inline constexpr Micros kSecond = 1'000'000;

struct MonitorOptions {
  std::shared_ptr<const clinical::RuleBook> rules = clinical::RuleBook::Builtin();
  std::string pressure_rules = std::string(clinical::RuleBook::kDefault);

  Micros late_after = 15 * 60 * kSecond;              // older: late
  Micros late_critical_within = 24 * 3600 * kSecond;  // older: alerts nobody
  Micros remind_severe_after = 3600 * kSecond;        // open, not acknowledged: told again
  Micros remind_after = 24 * 3600 * kSecond;          // the same for ordinary levels
  int most_reminders = 3;                             // per alert
  int most_alerts_per_day = 6;                        // per patient and device model, not severe
  Micros silence_least = 36 * 3600 * kSecond;         // and at least 4 times the usual gap
  Micros news2_input_age = 12 * 3600 * kSecond;       // older inputs are stale
  int most_quarantined_per_hour = 100;                // alerts on quarantined critical records
};

// What became of a reading.
enum class Outcome : uint8_t {
  kTaken,       // counts
  kDuplicate,   // the same content is there already
  kSuperseded,  // a higher version is there, or a retraction
  kRetracted,   // took a reading back, or waits for it
  kUnwatched,   // no patient, or nothing the monitor could watch
};

// NEWS2 from the newest inputs of a patient.
struct News2Reading {
  clinical::News2 score;
  clinical::OxygenScale scale = clinical::OxygenScale::kOne;
  // Age of each input when it was scored, in seconds, in the order of clinical::News2Input; absent
  // and stale inputs have none.
  std::optional<uint32_t> input_age_s[7];
};

// What is to be said beside a reading where it goes on.
struct Judgement {
  Outcome outcome = Outcome::kUnwatched;
  std::string_view code;          // computed v3-ObservationInterpretation; empty: no rule applies
  std::string_view rule_version;  // of the rule that judged; empty: none
  clinical::QualitySet quality;   // as given, with repeat_of, time_imprecise, clock_ahead
  std::optional<Micros> late_by;  // came after the window
  bool age_unknown = false;
  bool reached = false;  // a limit, whether it has a code or not
  bool spike = false, shift = false;
  // The baseline before the reading (systolic or only value, diastolic); no readings: no judgement.
  struct Baseline {
    int readings = 0;
    double mean = 0, sigma = 0, z = 0;
  } baseline[2];
  std::optional<News2Reading> news2;
};

struct Observation {
  Judgement judgement;
  std::span<const AlertEvent> events;  // valid until the monitor's next call
};

// A critical value in a record that could not be used.
struct QuarantinedCritical {
  PatientKey patient;   // empty where it cannot be read
  std::string_view id;  // of the record, or what stands for it: one alert per id
  Micros received = 0;
  int64_t position = 0;
};

// Counts since Make or Restore; of a Restore those of the snapshot go on.
struct MonitorCounters {
  int64_t readings = 0, taken = 0, duplicates = 0, superseded = 0, retracted = 0, unwatched = 0;
  int64_t late = 0, without_rule = 0, suppressed = 0;  // suppressed: test patient or deceased
  int64_t spikes = 0, shifts = 0;
  int64_t opened = 0, updated = 0, closed = 0, withdrawn = 0, notified = 0, capped = 0;
};

class Monitor {
 public:
  // Errors are those of RuleTable::Make.
  static Result<Monitor> Make(const MonitorOptions& options);
  // From Snapshot's bytes; rules are those of the snapshot, `options` must be as before. kCorrupt
  // when bytes are missing or changed, kUnsupported when they are of another version.
  static Result<Monitor> Restore(const MonitorOptions& options, std::string_view snapshot);
  Monitor(Monitor&&) noexcept;
  Monitor& operator=(Monitor&&) noexcept;
  ~Monitor();

  // One reading, a new version of one, or its retraction. Timers that are due at `received` run
  // first. About 1 microsecond; allocates only for new patients, new series and events. A
  // retraction without a patient (a DELETE names none) is looked for in every series.
  Observation Observe(const Reading& reading);

  // The events it causes. kNotFound: no such alert is on (it may have ended); kInvalidArgument: a
  // low limit that is not below the high one. Then nothing has changed.
  Result<std::span<const AlertEvent>> Apply(const Action& action);

  // Time passes without readings. Due timers cause events: a repeat that did not come, a reminder,
  // silence.
  std::span<const AlertEvent> Tick(Micros time, int64_t position);

  // When the first timer is due, if there is any; a Tick then may have events.
  std::optional<Micros> NextTimer() const;

  // Its alert ends after a day, or when it is acknowledged; so does that of a reading without a
  // patient. At most 1,000 such are on: then the oldest ends.
  std::span<const AlertEvent> ObserveQuarantined(const QuarantinedCritical& record);

  // The whole state: versioned, with a checksum, the same bytes for the same inputs.
  std::string Snapshot() const;

  const MonitorCounters& counters() const;
  size_t patients() const;
  size_t series() const;
  // Bytes that patients, series, alerts and the index of readings hold.
  size_t state_bytes() const;

 private:
  class State;
  explicit Monitor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitalake::monitor
