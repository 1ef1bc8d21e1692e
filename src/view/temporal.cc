#include "view/temporal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace vitalake::view {
namespace {

using fhir::DatePrecision;
using fhir::DateTime;

bool TwoDigits(std::string_view text, size_t at, int limit, int& out) {
  if (at + 2 > text.size()) return false;
  const unsigned tens = static_cast<unsigned>(text[at] - '0');
  const unsigned ones = static_cast<unsigned>(text[at + 1] - '0');
  if (tens > 9 || ones > 9) return false;
  out = static_cast<int>(tens * 10 + ones);
  return out < limit;
}

// Year, month, day, hour, minute, seconds in micros.
using Parts = std::array<int64_t, 6>;

Parts PartsOf(const DateTime& at) {
  const int64_t micros = at.second * int64_t{1'000'000} + at.micros;
  return {at.year, at.month, at.day, at.hour, at.minute, micros};
}

Parts UtcParts(Micros utc) {
  const std::chrono::microseconds time(utc);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const int64_t rest = (time - day).count();
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          rest / 3'600'000'000,
          rest / 60'000'000 % 60,
          rest % 60'000'000};
}

size_t Known(DatePrecision precision) {
  const size_t hour = precision >= DatePrecision::kMinute;  // has no precision of its own
  return std::min<size_t>(static_cast<size_t>(precision) + hour + 1, 6);
}

int LastDay(int year, int month) {
  const auto last = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
                    std::chrono::last;
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

std::string Offset(const DateTime& at, bool high) {
  const int minutes = at.offset_minutes.value_or(high ? -12 * 60 : 14 * 60);
  if (at.offset_minutes == 0) return "Z";
  const int size = minutes < 0 ? -minutes : minutes;
  return fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

}  // namespace

std::optional<TimeOfDay> ParseTime(std::string_view text) {
  TimeOfDay out;
  int hour = 0, minute = 0, second = 0;
  if (!TwoDigits(text, 0, 24, hour)) return std::nullopt;
  out.precision = 1;
  size_t at = 2;
  if (at < text.size() && text[at] == ':') {
    if (!TwoDigits(text, at + 1, 60, minute)) return std::nullopt;
    out.precision = 2;
    at += 3;
    if (at < text.size() && text[at] == ':') {
      if (!TwoDigits(text, at + 1, 60, second)) return std::nullopt;
      out.precision = 3;
      at += 3;
    }
  }
  out.micros = ((hour * 60 + minute) * int64_t{60} + second) * 1'000'000;
  if (out.precision == 3 && at + 1 < text.size() && text[at] == '.') {
    Micros unit = 100'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      out.micros += (text[at] - '0') * unit;
    }
  }
  if (at != text.size()) return std::nullopt;
  return out;
}

std::optional<DateTime> ParseMoment(std::string_view text) {
  if (!text.empty() && text.back() == 'T') text.remove_suffix(1);
  if (auto parsed = fhir::ParseDateTime(text)) return parsed;
  // FHIRPath alone knows hours without minutes: taken as minute 00.
  int hour = 0;
  if (text.size() < 13 || text[10] != 'T' || !TwoDigits(text, 11, 24, hour)) return std::nullopt;
  if (text.size() > 13 && text[13] == ':') return std::nullopt;
  return fhir::ParseDateTime(fmt::format("{}:00{}", text.substr(0, 13), text.substr(13)));
}

bool LooksLikeDate(std::string_view text) {
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  return text.size() >= 7 && text[4] == '-' && digit(0) && digit(1) && digit(2) && digit(3) &&
         digit(5) && digit(6);
}

std::optional<std::strong_ordering> CompareMoments(const DateTime& a, const DateTime& b) {
  Parts x = PartsOf(a), y = PartsOf(b);
  const size_t shared = std::min(Known(a.precision), Known(b.precision));
  if (shared > 3) {
    if (a.offset_minutes.has_value() != b.offset_minutes.has_value()) return std::nullopt;
    const auto utc_a = a.Utc(), utc_b = b.Utc();
    if (utc_a && utc_b) {
      x = UtcParts(*utc_a);
      y = UtcParts(*utc_b);
    }
  }
  for (size_t i = 0; i < shared; ++i) {
    if (x[i] != y[i]) return x[i] <=> y[i];
  }
  if (Known(a.precision) != Known(b.precision)) return std::nullopt;
  return std::strong_ordering::equal;
}

std::optional<std::strong_ordering> CompareTimes(const TimeOfDay& a, const TimeOfDay& b) {
  static constexpr Micros kUnit[] = {1, 3'600'000'000, 60'000'000, 1};
  const Micros unit = kUnit[std::min(a.precision, b.precision)];
  if (a.micros / unit != b.micros / unit) return a.micros / unit <=> b.micros / unit;
  if (a.precision != b.precision) return std::nullopt;
  return std::strong_ordering::equal;
}

std::optional<std::string> DateBoundary(std::string_view text, bool high) {
  const auto at = ParseMoment(text);
  if (!at) return std::nullopt;
  const bool has_month = at->precision >= DatePrecision::kMonth;
  const int month = has_month ? at->month : (high ? 12 : 1);
  const int day =
      at->precision >= DatePrecision::kDay ? at->day : (high ? LastDay(at->year, month) : 1);
  return fmt::format("{:04}-{:02}-{:02}", at->year, month, day);
}

std::optional<std::string> DateTimeBoundary(std::string_view text, bool high) {
  const auto at = ParseMoment(text);
  if (!at) return std::nullopt;
  const bool has_time = at->precision >= DatePrecision::kMinute;
  const int hour = has_time ? at->hour : (high ? 23 : 0);
  const int minute = has_time ? at->minute : (high ? 59 : 0);
  const bool has_second = at->precision >= DatePrecision::kSecond;
  const int second = has_second ? at->second : (high ? 59 : 0);
  const uint32_t millis =
      at->precision == DatePrecision::kFraction ? at->micros / 1000 : (high ? 999u : 0u);
  return fmt::format("{}T{:02}:{:02}:{:02}.{:03}{}", *DateBoundary(text, high), hour, minute,
                     second, millis, Offset(*at, high));
}

std::optional<std::string> TimeBoundary(std::string_view text, bool high) {
  const auto at = ParseTime(text);
  if (!at) return std::nullopt;
  static constexpr Micros kOpen[] = {0, 3'599'999'000, 59'999'000, 999'000};
  const bool fraction = text.find('.') != std::string_view::npos;
  const Micros millis = (at->micros + (high && !fraction ? kOpen[at->precision] : 0)) / 1000;
  return fmt::format("{:02}:{:02}:{:02}.{:03}", millis / 3'600'000, millis / 60'000 % 60,
                     millis / 1000 % 60, millis % 1000);
}

}  // namespace vitalake::view
