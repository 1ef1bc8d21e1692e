// FHIR date, dateTime and instant with their precision and offset kept.
// Source: FHIR R4, Data Types, date / dateTime / instant (https://hl7.org/fhir/R4/datatypes.html).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace vitalake::fhir {

enum class DatePrecision : uint8_t { kYear, kMonth, kDay, kMinute, kSecond, kFraction };

// "year", "month", "day", "minute", "second", "fraction".
std::string_view ToString(DatePrecision precision);

struct DateTime {
  int32_t year = 0;                                              // 1 to 9999
  uint8_t month = 1, day = 1, hour = 0, minute = 0, second = 0;  // second may be 60 (leap)
  uint32_t micros = 0;                                           // digits past the 6th are cut
  DatePrecision precision = DatePrecision::kYear;
  std::optional<int16_t> offset_minutes;  // as written; "Z" is 0; absent when none was written

  // The moment, when time and offset are there. A date or a time without offset is no moment.
  std::optional<Micros> Utc() const;
  // The first microsecond of the local value taken as UTC, and the first one after it.
  Micros LocalBegin() const;
  Micros LocalEnd() const;
  // Days since 1970-01-01 of the local date as written; for kYear and kMonth its first day.
  int32_t LocalDay() const;
};

// Parses a FHIR date, dateTime or instant. nullopt when the syntax is wrong or the day does not
// exist (2023-02-29). A time needs at least hours and minutes; R4 wants seconds and an offset with
// any time: what lacks them is parsed (precision kMinute; no offset) and the validator remarks it.
std::optional<DateTime> ParseDateTime(std::string_view text);

}  // namespace vitalake::fhir
