// Reading one measured value: its number, its unit, its tier. The one place where it is decided
// whether a value can be used; Assess and the SQL functions both stand on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "clinical/codes.h"
#include "clinical/quality.h"
#include "clinical/units.h"

namespace vitalake::clinical {

// Quantity.comparator.
enum class Comparator : uint8_t { kNone, kLess, kLessOrEqual, kGreaterOrEqual, kGreater };

// "<", "<=", ">=", ">"; anything else is kNone.
Comparator ParseComparator(std::string_view text);

// What is known of a value: it is at least `least` and at most `most`, either infinite where a
// comparator leaves it open.
struct KnownValue {
  double least = 0, most = 0;
  bool is_exact() const { return least == most; }
};
KnownValue KnownOf(double value, Comparator comparator);

enum class ValueFault : uint8_t {
  kNone,
  kNotNumber,    // no number, or none that is finite
  kImpossible,   // outside `possible`
  kUnknownUnit,  // a unit was sent, but not one of this vital sign
  kAbsentUnit,   // no unit was sent and none may be assumed
};

struct Measured {
  ValueFault fault = ValueFault::kNone;
  double value = 0;            // in `unit`; meaningless unless fault is kNone or kImpossible
  Unit unit = Unit::kUnknown;  // canonical
  QualitySet quality;
  bool critical = false;  // certainly critical, the comparator considered

  bool usable() const { return fault == ValueFault::kNone; }
};

// Judges a value of one vital sign alone. `value` is the number's text (JSON number syntax, whether
// it was sent as a number or as a string); `unit` the text of UnitSent. A panel has no values:
// kUnknownUnit.
Measured Measure(const VitalCode& vital, std::string_view value, std::string_view unit,
                 Comparator comparator);

// The tokens of one reading, those of its parts included: adds kImplausible where systolic and
// diastolic do not fit (S <= D, pulse pressure < 10), kPartial when one is missing (null).
QualitySet JudgePair(const Measured* systolic, const Measured* diastolic);

// A finite number from JSON number text; nullopt for all else ("NaN", "1e999", "12 ").
std::optional<double> ParseNumber(std::string_view text);

// (S + 2D) / 3.
inline double MeanPressure(double systolic, double diastolic) {
  return (systolic + 2 * diastolic) / 3;
}

}  // namespace vitalake::clinical
