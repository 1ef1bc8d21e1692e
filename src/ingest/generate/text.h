// Appending numbers and times as FHIR spells them, fast.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace vitalake::ingest {

inline constexpr Micros kSecond = 1'000'000;
inline constexpr Micros kMinute = 60 * kSecond;
inline constexpr Micros kHour = 60 * kMinute;
inline constexpr Micros kDay = 24 * kHour;

inline void AppendInt(std::string& out, int64_t value) {
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

// `value` >= 0 with at least `digits` digits.
inline void AppendPadded(std::string& out, int64_t value, size_t digits) {
  const fmt::format_int text(value);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out.append(text.data(), text.size());
}

// Hundredths as a decimal without needless zeros: 12800 -> 128, 12850 -> 128.5, 7625 -> 76.25.
inline void AppendHundredths(std::string& out, int64_t hundredths) {
  AppendInt(out, hundredths / 100);
  const int64_t rest = hundredths % 100;
  if (rest == 0) return;
  out += '.';
  if (rest % 10 == 0) {
    AppendInt(out, rest / 10);
  } else {
    AppendPadded(out, rest, 2);
  }
}

// "2026-01-31".
inline void AppendDate(std::string& out, int64_t days_since_1970) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days_since_1970}}};
  AppendPadded(out, static_cast<int>(date.year()), 4);
  out += '-';
  AppendPadded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  AppendPadded(out, static_cast<unsigned>(date.day()), 2);
}

enum class Fraction { kNone, kMillis };

// "2026-01-31T23:59:59.000+05:45" for a time since 1970 (not before), as seen at that offset.
inline void AppendDateTime(std::string& out, Micros time, int64_t offset_minutes,
                           Fraction fraction) {
  const Micros local = time + offset_minutes * kMinute;
  AppendDate(out, local / kDay);
  const int64_t millis = local % kDay / 1000;
  out += 'T';
  AppendPadded(out, millis / 3'600'000, 2);
  out += ':';
  AppendPadded(out, millis / 60'000 % 60, 2);
  out += ':';
  AppendPadded(out, millis / 1000 % 60, 2);
  if (fraction == Fraction::kMillis) {
    out += '.';
    AppendPadded(out, millis % 1000, 3);
  }
  if (offset_minutes == 0) {
    out += 'Z';
    return;
  }
  const int64_t ahead = offset_minutes < 0 ? -offset_minutes : offset_minutes;
  out += offset_minutes < 0 ? '-' : '+';
  AppendPadded(out, ahead / 60, 2);
  out += ':';
  AppendPadded(out, ahead % 60, 2);
}

}  // namespace vitalake::ingest
