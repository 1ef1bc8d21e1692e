// What is to be alerted on: the parts `alerts` (blood pressure) and `limits` (other vital signs) of
// a rule file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "clinical/bounds.h"
#include "clinical/news2.h"
#include "clinical/units.h"
#include "clinical/yaml_reader.h"

namespace vitalake::clinical {

// A bound per value of a blood pressure; an absent one is never reached.
struct PressureBounds {
  std::optional<Bounds> systolic, diastolic, mean;
};

// Blood-pressure alerts of one population. `low` and `high` are ordinary: a second reading has to
// confirm them. `severe` opens at once and asks for a repeat. Times in minutes.
struct PressureLevels {
  PressureBounds low, high, severe;
  double repeat_in = 5;        // a severe reading should be repeated this soon
  double escalate_after = 15;  // no repeat by then: it counts as unconfirmed and is told again
};

struct PressureAlerts {
  PressureLevels adult;
  std::optional<PressureLevels> pregnancy;  // in pregnancy and 6 weeks after; `low` is the adults'
  // Beyond these nothing waits for a second reading.
  double at_once_systolic = 200, at_once_diastolic = 130, at_once_systolic_below = 70;
  double hysteresis = 0;                     // mmHg
  double confirm_within = 60;                // minutes
  std::optional<double> fall_from_baseline;  // mmHg below the own baseline that is flagged
};

// Limits of one vital sign in one unit.
struct VitalLimits {
  // One direction; an absent bound is never reached.
  struct Side {
    std::optional<Bounds> noted;     // has the code L or H, but alerts nobody
    std::optional<Bounds> ordinary;  // a second reading has to confirm it
    std::optional<Bounds> at_once;
  };
  std::vector<std::string> codes;  // canonical LOINC
  Unit unit = Unit::kUnknown;
  OxygenScale scale = OxygenScale::kOne;  // of oxygen saturation: for which patients
  Side low, high;
  double hysteresis = 0;       // in `unit`
  double confirm_within = 60;  // minutes
};

// kInvalidArgument with file, line and key.
Result<PressureAlerts> ReadPressureAlerts(const YamlReader& yaml);
Result<std::vector<VitalLimits>> ReadVitalLimits(const YamlReader& yaml);

}  // namespace vitalake::clinical
