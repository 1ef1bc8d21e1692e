// FHIRPath date, dateTime and time: comparison under partial precision, and boundaries.
// Source: FHIRPath 2.0, Equality and Comparison of Date/Time; lowBoundary, highBoundary.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/datetime.h"

namespace vitalake::view {

// A time of day "hh[:mm[:ss[.f]]]".
struct TimeOfDay {
  Micros micros = 0;  // since midnight
  int precision = 0;  // 1 hour, 2 minute, 3 second (with or without fraction)
};
std::optional<TimeOfDay> ParseTime(std::string_view text);

// Parses a FHIRPath or FHIR date or dateTime: also with hours only, and a trailing "T".
std::optional<fhir::DateTime> ParseMoment(std::string_view text);

// Starts like a date: four digits and '-' and two digits.
bool LooksLikeDate(std::string_view text);

// nullopt: equal as far as both say, but not equally precise; or only one has an offset.
std::optional<std::strong_ordering> CompareMoments(const fhir::DateTime& a,
                                                   const fhir::DateTime& b);
std::optional<std::strong_ordering> CompareTimes(const TimeOfDay& a, const TimeOfDay& b);

// The earliest (latest) value the text may stand for, to the millisecond; nullopt for bad text.
// A dateTime without offset gets +14:00 (-12:00).
std::optional<std::string> DateBoundary(std::string_view text, bool high);
std::optional<std::string> DateTimeBoundary(std::string_view text, bool high);
std::optional<std::string> TimeBoundary(std::string_view text, bool high);

}  // namespace vitalake::view
