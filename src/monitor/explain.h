// Alerts in words: what was seen, against what, and what to do next.
#pragma once

#include <string>

#include "monitor/alert.h"
#include "monitor/fold.h"
#include "monitor/limits.h"

namespace vitalake::monitor {

// What the words are made from. Pointers may be null: then less is said.
struct Explained {
  const VitalRule* rule = nullptr;   // of threshold alerts
  const Episode* episode = nullptr;  // its values and the detector's outcome
  bool confirm_with_cuff = false;    // the device has no cuff, or nobody knows
};

// One text behind another, either of which may be empty.
std::string Joined(std::string first, std::string_view second);

// One to four sentences in English. No names.
std::string Explain(const AlertEvent& event, const Explained& from);

// "142/90 mmHg", "38.5 Cel"; "" without values.
std::string ValueText(Vital vital, std::optional<double> value, std::optional<double> diastolic);

}  // namespace vitalake::monitor
