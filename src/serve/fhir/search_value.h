// The values of FHIR search parameters: prefixes, tokens, dates as ranges, numbers with the
// precision they are written in.
// Source: FHIR R4, search.html, sections 3.1.1.4 and 3.1.1.5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vitalake::serve {

enum class Prefix : uint8_t { kEq, kNe, kGt, kLt, kGe, kLe, kSa, kEb, kAp };

struct Prefixed {
  Prefix prefix = Prefix::kEq;
  std::string_view rest;
};
// "ge2020" -> {kGe, "2020"}; without one of them kEq. Only where a digit, sign or dot follows.
Prefixed TakePrefix(std::string_view text);

// Parts at `separator` where no backslash stands before it; the backslashes stay.
std::vector<std::string_view> SplitEscaped(std::string_view text, char separator);
// "a\,b" -> "a,b".
std::string Unescaped(std::string_view text);

// "system|code": no bar, any system; "|code": no system; "system|": any code of it (code empty).
struct SearchToken {
  std::optional<std::string> system;
  std::string code;
};
SearchToken ParseSearchToken(std::string_view text);

// [begin, end): what a date of its precision may mean. A day, month or year is taken in UTC, a time
// without offset, too.
struct TimeRange {
  Micros begin = 0;
  Micros end = 0;
};
// kInvalidArgument when it is no FHIR date.
Result<TimeRange> ParseSearchDate(std::string_view text);

// A number and [low, high), what rounds to it as written: 5.4 is [5.35, 5.45), 100 is [99.5,
// 100.5), 1e2 is [95, 105).
struct NumberRange {
  double value = 0;
  double low = 0;
  double high = 0;
};
// kInvalidArgument when it is no decimal.
Result<NumberRange> ParseSearchNumber(std::string_view text);

// "ge5.4|http://unitsofmeasure.org|mg", "5.4||mg", "5.4".
struct SearchQuantity {
  Prefix prefix = Prefix::kEq;
  NumberRange number;
  std::string system;
  std::string unit;  // code or unit; empty: any
};
Result<SearchQuantity> ParseSearchQuantity(std::string_view text);

}  // namespace vitalake::serve
