// Exact decimals: what FHIRPath arithmetic and comparison of numbers needs.
// Source: FHIRPath 2.0, Literals / Decimal, Math.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitalake::view {

__extension__ using Int128 = __int128;

// mantissa / 10^scale, 0 <= scale <= 28. "1.0" is {10, 1}: the scale is part of the value as
// written, comparison ignores it.
struct Decimal {
  Int128 mantissa = 0;
  int scale = 0;

  // nullopt when `text` is no number or needs more than 36 digits.
  static std::optional<Decimal> Parse(std::string_view text);
  static Decimal FromInt(int64_t value) { return {value, 0}; }
  // Rounded to at most 12 fraction digits; nullopt when out of range.
  static std::optional<Decimal> FromDouble(double value);

  bool is_whole() const;
  double ToDouble() const;
  std::string ToText() const;  // no exponent; keeps the scale
  // Without trailing zeros behind the point.
  Decimal Trimmed() const;
};

std::strong_ordering Compare(const Decimal& a, const Decimal& b);

// nullopt: out of range; Divide also by zero. Divide gives up to 12 fraction digits, trimmed.
std::optional<Decimal> Add(const Decimal& a, const Decimal& b);
std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b);
std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b);
std::optional<Decimal> Divide(const Decimal& a, const Decimal& b);
// Quotient cut towards zero, and what it leaves.
std::optional<Decimal> WholeQuotient(const Decimal& a, const Decimal& b);
std::optional<Decimal> Remainder(const Decimal& a, const Decimal& b);
// To `digits` behind the point, halves away from zero.
Decimal Round(const Decimal& value, int digits);

}  // namespace vitalake::view
