#include "clinical/plausibility.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "fhir/validate_primitives.h"

namespace vitalake::clinical {
namespace {

constexpr double kLeastPulsePressure = 10;

// Whether every value that (comparator, value) can stand for is outside `bounds`.
bool CertainlyOutside(const Bounds& bounds, double value, Comparator comparator) {
  const bool low = bounds.low_open ? value <= bounds.low : value < bounds.low;
  const bool high = bounds.high_open ? value >= bounds.high : value > bounds.high;
  switch (comparator) {
    case Comparator::kNone:
      return low || high;
    case Comparator::kLess:
      return value <= bounds.low;
    case Comparator::kLessOrEqual:
      return low;
    case Comparator::kGreaterOrEqual:
      return high;
    case Comparator::kGreater:
      return value >= bounds.high;
  }
  return false;
}

void Judge(const VitalCode::Measure& measure, Comparator comparator, Measured& out) {
  if (!measure.possible.Contains(out.value)) {
    out.fault = ValueFault::kImpossible;
    return;
  }
  if (!measure.plausible.Contains(out.value)) {
    out.quality.Add(Quality::kImplausible);
  } else if (!measure.usual.Contains(out.value)) {
    out.quality.Add(Quality::kUnusual);
  }
  out.critical = CertainlyOutside(measure.uncritical, out.value, comparator);
}

}  // namespace

Comparator ParseComparator(std::string_view text) {
  if (text == "<") return Comparator::kLess;
  if (text == "<=") return Comparator::kLessOrEqual;
  if (text == ">=") return Comparator::kGreaterOrEqual;
  if (text == ">") return Comparator::kGreater;
  return Comparator::kNone;
}

KnownValue KnownOf(double value, Comparator comparator) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (comparator) {
    case Comparator::kLess:
      return {-kInfinity, std::nextafter(value, -kInfinity)};
    case Comparator::kLessOrEqual:
      return {-kInfinity, value};
    case Comparator::kGreater:
      return {std::nextafter(value, kInfinity), kInfinity};
    case Comparator::kGreaterOrEqual:
      return {value, kInfinity};
    case Comparator::kNone:
      break;
  }
  return {value, value};
}

std::optional<double> ParseNumber(std::string_view text) {
  if (!fhir::IsNumberText(text)) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too small is 0; too large is no number that can be used.
    value = std::strtod(std::string(text).c_str(), nullptr);
  }
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

Measured Measure(const VitalCode& vital, std::string_view value, std::string_view unit,
                 Comparator comparator) {
  Measured out;
  const auto number = ParseNumber(value);
  if (!number) {
    out.fault = ValueFault::kNotNumber;
    return out;
  }
  out.value = *number;
  if (comparator != Comparator::kNone) out.quality.Add(Quality::kOffScale);
  Unit sent = ParseUnit(unit);
  if (unit.empty() && vital.absent_unit) {
    if (!vital.absent_unit->Contains(*number)) {
      out.fault = vital.measures[0].possible.Contains(*number) ? ValueFault::kAbsentUnit
                                                               : ValueFault::kImpossible;
      return out;
    }
    sent = vital.measures[0].unit;
    out.quality.Add(Quality::kUnitAssumed);
  }
  const VitalCode::Measure* measure = vital.MeasureFor(sent);
  if (measure == nullptr) {
    out.fault = unit.empty() ? ValueFault::kAbsentUnit : ValueFault::kUnknownUnit;
    return out;
  }
  out.unit = measure->unit;
  if (sent != measure->unit) {
    out.value = *Convert(*number, sent, measure->unit);
    out.quality.Add(Quality::kConverted);
  }
  Judge(*measure, comparator, out);
  return out;
}

QualitySet JudgePair(const Measured* systolic, const Measured* diastolic) {
  QualitySet quality;
  const bool both = systolic != nullptr && diastolic != nullptr;
  if (!both) quality.Add(Quality::kPartial);
  if (both && systolic->usable() && diastolic->usable() &&
      systolic->value - diastolic->value < kLeastPulsePressure) {
    quality.Add(Quality::kImplausible);
  }
  if (systolic != nullptr) quality.Add(systolic->quality);
  if (diastolic != nullptr) quality.Add(diastolic->quality);
  if (quality.Has(Quality::kImplausible)) quality.Remove(Quality::kUnusual);
  return quality;
}

}  // namespace vitalake::clinical
