// Alerts as they leave the monitor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "monitor/reading.h"

namespace vitalake::monitor {

// What can be alerted. The first group is found by following readings in the order of their times
// (fold.h): those alerts change when the readings behind them do. The second is not.
enum class Rule : uint8_t {
  kSevereHigh,  // a level for which someone must act: pending, confirmed or unconfirmed
  kSevereLow,
  kHigh,  // an ordinary level that a second reading confirmed
  kLow,
  kCheckReading,  // implausible: the reading should be repeated
  kSpike,         // one reading far from the patient's own baseline
  kShift,         // several readings moved to one side of it
  kDrift,         // daily medians wander off

  kSilence,     // readings stopped coming
  kNews2,       // the score of several vital signs
  kOperations,  // a critical value that no clinical rule may judge: who is it?
  kTooMany,     // alerts held back by the cap, as one
};
inline constexpr int kFoldRules = 8;
inline constexpr int kRuleCount = 12;
std::string_view ToString(Rule rule);  // "severe-high"

enum class Severity : uint8_t { kInfo, kLow, kMedium, kHigh, kCritical };
std::string_view ToString(Severity severity);  // "critical"

enum class AlertState : uint8_t {
  kPending,      // severe, a repeat is asked for
  kOpen,         // stands; of a severe reading: confirmed
  kUnconfirmed,  // severe, and no repeat came
  kClosed,       // it ended
  kWithdrawn,    // it should never have been: a reading behind it was retracted or corrected
};
std::string_view ToString(AlertState state);  // "pending"

enum class Change : uint8_t { kOpened, kUpdated, kClosed, kWithdrawn };
std::string_view ToString(Change change);  // "opened"

enum class Queue : uint8_t { kClinical, kOperations };

// Fixed for the life of an alert: the patient it was raised for, the vital sign, the rule, and the
// key of the reading that first raised it (Hash64 of the key, seeded by id_space as in the lake's
// key index). 32 hex digits.
Hash128 AlertId(PatientKey patient, Vital vital, Rule rule, uint64_t reading_key);

// One step in the life of an alert: a row of the history in ops.alert. Consumers keep the last
// event per alert_id. Texts that view (patient, reading_id, rule_version) are valid until the
// monitor's next call.
struct AlertEvent {
  Change change = Change::kOpened;
  Hash128 alert_id;
  PatientKey patient;
  Vital vital = Vital::kBloodPressure;
  Rule rule = Rule::kHigh;
  std::string_view rule_version;  // "aha-acc-2025 2025.1", "detectors 1"
  Severity severity = Severity::kMedium;
  AlertState state = AlertState::kOpen;
  Queue queue = Queue::kClinical;
  // Whether a person is to be told. False: for the record (a close, a snoozed or capped alert).
  bool notify = true;

  Micros opened_at = 0;             // start of the episode, by the readings' times
  Micros updated_at = 0;            // the monitor's time of this event
  std::optional<Micros> closed_at;  // end of the episode
  std::optional<Micros> acknowledged_at, snoozed_until;
  std::string_view actor;         // of an acknowledgement or snooze, in that event only
  std::optional<Micros> late_by;  // how old the reading was when it came, of a late alert

  // Readings used, the one that raised the alert first: Hash64 of their keys, as in the lake's key
  // index, 0 for none. `reading_id`: the key of the reading at hand, empty when a timer or an
  // action caused the event.
  uint64_t reading_keys[2] = {0, 0};
  std::string_view reading_id;
  std::optional<double> value, diastolic;  // that raised or changed it
  std::optional<double> baseline_mean, baseline_sigma;
  int baseline_readings = 0;
  uint32_t window_s = 0;    // the time within which the rule looked
  std::string explanation;  // a sentence or two for people
  int64_t position = 0;     // of the input that caused the event
};

}  // namespace vitalake::monitor
