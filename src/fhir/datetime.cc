#include "fhir/datetime.h"

#include <chrono>

namespace vitalake::fhir {
namespace {

constexpr Micros kSecondMicros = 1'000'000;
constexpr Micros kMinuteMicros = 60 * kSecondMicros;
constexpr Micros kDayMicros = 24 * 60 * kMinuteMicros;

// Reads a text from left to right; a failed read leaves the place unchanged.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` digits whose value lies in [low, high].
  template <class T>
  bool Number(size_t digits, int low, int high, T& out) {
    if (rest_.size() < digits) return false;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!IsDigit(c)) return false;
      value = value * 10 + (c - '0');
    }
    if (value < low || value > high) return false;
    out = static_cast<T>(value);
    rest_.remove_prefix(digits);
    return true;
  }
  // One or more digits behind a decimal point, in millionths; those past the 6th are dropped.
  bool Fraction(uint32_t& micros) {
    uint32_t unit = 100'000;
    size_t count = 0;
    for (; count < rest_.size() && IsDigit(rest_[count]); ++count, unit /= 10) {
      micros += static_cast<uint32_t>(rest_[count] - '0') * unit;
    }
    rest_.remove_prefix(count);
    return count > 0;
  }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  std::string_view rest_;
};

std::chrono::year_month_day Date(const DateTime& at) {
  return std::chrono::year_month_day(std::chrono::year(at.year), std::chrono::month(at.month),
                                     std::chrono::day(at.day));
}

Micros DayBegin(std::chrono::sys_days day) { return day.time_since_epoch().count() * kDayMicros; }

bool ParseOffset(Scanner& scan, DateTime& out) {
  if (scan.done()) return true;
  if (scan.Take('Z')) {
    out.offset_minutes = 0;
    return scan.done();
  }
  const bool negative = scan.Take('-');
  if (!negative && !scan.Take('+')) return false;
  int hours = 0, minutes = 0;
  if (!scan.Number(2, 0, 14, hours) || !scan.Take(':')) return false;
  if (!scan.Number(2, 0, hours == 14 ? 0 : 59, minutes)) return false;
  const int total = hours * 60 + minutes;
  out.offset_minutes = static_cast<int16_t>(negative ? -total : total);
  return scan.done();
}

bool ParseTime(Scanner& scan, DateTime& out) {
  if (!scan.Number(2, 0, 23, out.hour) || !scan.Take(':')) return false;
  if (!scan.Number(2, 0, 59, out.minute)) return false;
  out.precision = DatePrecision::kMinute;
  if (scan.Take(':')) {
    if (!scan.Number(2, 0, 60, out.second)) return false;
    out.precision = DatePrecision::kSecond;
    if (scan.Take('.')) {
      if (!scan.Fraction(out.micros)) return false;
      out.precision = DatePrecision::kFraction;
    }
  }
  return ParseOffset(scan, out);
}

}  // namespace

std::string_view ToString(DatePrecision precision) {
  switch (precision) {
    case DatePrecision::kYear:
      return "year";
    case DatePrecision::kMonth:
      return "month";
    case DatePrecision::kDay:
      return "day";
    case DatePrecision::kMinute:
      return "minute";
    case DatePrecision::kSecond:
      return "second";
    case DatePrecision::kFraction:
      return "fraction";
  }
  return "year";
}

std::optional<DateTime> ParseDateTime(std::string_view text) {
  Scanner scan(text);
  DateTime out;
  if (!scan.Number(4, 1, 9999, out.year)) return std::nullopt;
  if (scan.done()) return out;
  if (!scan.Take('-') || !scan.Number(2, 1, 12, out.month)) return std::nullopt;
  out.precision = DatePrecision::kMonth;
  if (scan.done()) return out;
  if (!scan.Take('-') || !scan.Number(2, 1, 31, out.day)) return std::nullopt;
  if (!Date(out).ok()) return std::nullopt;
  out.precision = DatePrecision::kDay;
  if (scan.done()) return out;
  if (!scan.Take('T') || !ParseTime(scan, out)) return std::nullopt;
  return out;
}

std::optional<Micros> DateTime::Utc() const {
  if (!offset_minutes || precision < DatePrecision::kMinute) return std::nullopt;
  return LocalBegin() - *offset_minutes * kMinuteMicros;
}

Micros DateTime::LocalBegin() const {
  return DayBegin(Date(*this)) + (hour * 60 + minute) * kMinuteMicros + second * kSecondMicros +
         micros;
}

Micros DateTime::LocalEnd() const {
  switch (precision) {
    case DatePrecision::kYear:
      return DayBegin(Date(*this) + std::chrono::years(1));
    case DatePrecision::kMonth:
      return DayBegin(Date(*this) + std::chrono::months(1));
    case DatePrecision::kDay:
      return LocalBegin() + kDayMicros;
    case DatePrecision::kMinute:
      return LocalBegin() + kMinuteMicros;
    case DatePrecision::kSecond:
      return LocalBegin() + kSecondMicros;
    case DatePrecision::kFraction:
      break;
  }
  return LocalBegin() + 1;
}

int32_t DateTime::LocalDay() const {
  return static_cast<int32_t>(std::chrono::sys_days(Date(*this)).time_since_epoch().count());
}

}  // namespace vitalake::fhir
