// What changes judgements besides readings. Each is recorded at a position of its own before the
// monitor is told, so that a replay tells it again at the same place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "monitor/limits.h"
#include "monitor/reading.h"

namespace vitalake::monitor {

// A patient's key that owns its texts: actions are kept and sent on.
struct PatientName {
  std::string id_space, id;
  PatientKey key() const { return {id_space, id}; }
};

// What silver.patient knows. Without it a patient is unknown: readings are kept and followed, but
// only the operations queue hears of critical ones.
struct PatientFacts {
  std::optional<int32_t> birth_day;  // days since 1970-01-01
  bool deceased = false;
  std::optional<Micros> deceased_at;  // absent: from the time of this action on
  bool is_test = false;
  std::string replaced_by;  // the survivor's id in the same id_space; empty: none
  // Whose survivor it says to be. What these say themselves goes before; of several who replace one
  // patient the smallest id counts.
  std::vector<std::string> replaces;
  bool known = true;  // false: the patient was deleted
};

// What people set for one patient. In force from `from` to before `until`; of several in force the
// one that begins last counts, as a whole.
struct PatientSettings {
  Micros from = 0;
  std::optional<Micros> until;
  bool pregnant = false;  // its 6 weeks after are the caller's `until`
  bool oxygen_scale_two = false;
  std::optional<clinical::Device> device_type;  // in place of what readings say
  std::vector<std::pair<Vital, PersonalLimits>> limits;
};

struct PatientChanged {
  PatientName patient;
  PatientFacts facts;
};
struct SettingsChanged {
  PatientName patient;
  PatientSettings settings;
};
struct Acknowledge {
  PatientName patient;
  Hash128 alert_id;
  std::string actor;
};
struct Snooze {
  PatientName patient;
  Hash128 alert_id;
  std::string actor;
  Micros until = 0;
};
struct ActivateRules {
  RuleTable rules;
};

struct Action {
  Micros time = 0;       // when it was recorded; never falls within one monitor
  int64_t position = 0;  // where; alerts carry it
  std::variant<PatientChanged, SettingsChanged, Acknowledge, Snooze, ActivateRules> what;
};

}  // namespace vitalake::monitor
