#include "view/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vitalake::view {
namespace {

constexpr int kMaxScale = 28;
constexpr int kQuotientDigits = 12;

bool Scale10(Int128& value, int digits) {
  for (; digits > 0; --digits) {
    if (__builtin_mul_overflow(value, Int128{10}, &value)) return false;
  }
  return true;
}

// Brings both to one scale; false when that does not fit.
bool Align(Decimal& a, Decimal& b) {
  if (a.scale < b.scale) {
    if (!Scale10(a.mantissa, b.scale - a.scale)) return false;
    a.scale = b.scale;
  } else if (b.scale < a.scale) {
    if (!Scale10(b.mantissa, a.scale - b.scale)) return false;
    b.scale = a.scale;
  }
  return true;
}

}  // namespace

std::optional<Decimal> Decimal::Parse(std::string_view text) {
  Decimal out;
  size_t i = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) ++i;
  bool point = false;
  size_t digits = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    if (++digits > 36) return std::nullopt;
    out.mantissa = out.mantissa * 10 + (c - '0');
    out.scale += point;
  }
  if (digits == 0 || text[i - 1] == '.') return std::nullopt;
  if (negative) out.mantissa = -out.mantissa;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    int exponent = 0;
    size_t from = i + 1;
    if (from < text.size() && text[from] == '+') ++from;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + from, last, exponent);
    if (error != std::errc() || end != last) return std::nullopt;
    if (exponent > 60 || exponent < -60) return std::nullopt;
    out.scale -= exponent;
  }
  if (out.scale < 0) {
    if (!Scale10(out.mantissa, -out.scale)) return std::nullopt;
    out.scale = 0;
  }
  if (out.scale > kMaxScale) out = out.Trimmed();
  if (out.scale > kMaxScale) return std::nullopt;
  return out;
}

std::optional<Decimal> Decimal::FromDouble(double value) {
  if (!std::isfinite(value) || std::fabs(value) > 1e20) return std::nullopt;
  auto parsed = Parse(fmt::format("{:.{}f}", value, kQuotientDigits));
  if (parsed) return parsed->Trimmed();
  return std::nullopt;
}

bool Decimal::is_whole() const { return Trimmed().scale == 0; }

double Decimal::ToDouble() const {
  double value = 0;
  const std::string text = ToText();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string Decimal::ToText() const {
  const bool negative = mantissa < 0;
  Int128 rest = mantissa;
  std::string out;
  int written = 0;
  do {
    const int digit = static_cast<int>(rest % 10);
    out += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    rest /= 10;
    if (++written == scale) out += '.';
  } while (rest != 0 || written <= scale);
  if (negative) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

Decimal Decimal::Trimmed() const {
  Decimal out = *this;
  while (out.scale > 0 && out.mantissa % 10 == 0) {
    out.mantissa /= 10;
    --out.scale;
  }
  return out;
}

std::strong_ordering Compare(const Decimal& a, const Decimal& b) {
  Decimal x = a, y = b;
  if (!Align(x, y)) {
    const double dx = a.ToDouble(), dy = b.ToDouble();
    return dx < dy   ? std::strong_ordering::less
           : dx > dy ? std::strong_ordering::greater
                     : std::strong_ordering::equal;
  }
  return x.mantissa < y.mantissa   ? std::strong_ordering::less
         : x.mantissa > y.mantissa ? std::strong_ordering::greater
                                   : std::strong_ordering::equal;
}

std::optional<Decimal> Add(const Decimal& a, const Decimal& b) {
  Decimal x = a, y = b;
  if (!Align(x, y) || __builtin_add_overflow(x.mantissa, y.mantissa, &x.mantissa)) {
    return std::nullopt;
  }
  return x;
}

std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b) {
  return Add(a, {-b.mantissa, b.scale});
}

std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b) {
  Decimal out{0, a.scale + b.scale};
  if (__builtin_mul_overflow(a.mantissa, b.mantissa, &out.mantissa)) return std::nullopt;
  if (out.scale > kMaxScale) out = Round(out, kMaxScale);
  return out;
}

std::optional<Decimal> Divide(const Decimal& a, const Decimal& b) {
  Decimal x = a, y = b;
  if (b.mantissa == 0 || !Align(x, y) || !Scale10(x.mantissa, kQuotientDigits + 1)) {
    return std::nullopt;
  }
  return Round({x.mantissa / y.mantissa, kQuotientDigits + 1}, kQuotientDigits).Trimmed();
}

std::optional<Decimal> WholeQuotient(const Decimal& a, const Decimal& b) {
  Decimal x = a, y = b;
  if (b.mantissa == 0 || !Align(x, y)) return std::nullopt;
  return Decimal{x.mantissa / y.mantissa, 0};
}

std::optional<Decimal> Remainder(const Decimal& a, const Decimal& b) {
  Decimal x = a, y = b;
  if (b.mantissa == 0 || !Align(x, y)) return std::nullopt;
  return Decimal{x.mantissa % y.mantissa, x.scale};
}

Decimal Round(const Decimal& value, int digits) {
  Decimal out = value;
  if (out.scale <= digits) return out;
  int last = 0;
  while (out.scale > digits) {
    last = static_cast<int>(out.mantissa % 10);
    out.mantissa /= 10;
    --out.scale;
  }
  if (last >= 5) ++out.mantissa;
  if (last <= -5) --out.mantissa;
  return out;
}

}  // namespace vitalake::view
