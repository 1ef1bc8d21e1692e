#include "serve/fhir/search_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "fhir/datetime.h"

namespace vitalake::serve {
namespace {

constexpr std::array<std::string_view, 9> kPrefixes = {"eq", "ne", "gt", "lt", "ge",
                                                       "le", "sa", "eb", "ap"};
constexpr int kMostDigits = 15;  // a double has no more
constexpr int kLargestExponent = 100;

std::unexpected<Error> NoSuchValue(std::string_view what, std::string_view text) {
  return Fail(ErrorKind::kInvalidArgument, fmt::format("{} is no {}", text.substr(0, 100), what));
}

// mantissa * 10^exponent, rounded once where the power of ten is exact.
double Scaled(int64_t mantissa, int exponent) {
  const auto number = static_cast<double>(mantissa);
  return exponent < 0 ? number / std::pow(10.0, -exponent) : number * std::pow(10.0, exponent);
}

// A decimal's parts: "-1.50e3" -> {-150, 2 decimals, exponent 3}.
struct Decimal {
  int64_t mantissa = 0;
  int decimals = 0;
  int exponent = 0;
  bool has_exponent = false;
};

std::optional<Decimal> ParseDecimal(std::string_view text) {
  Decimal decimal;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('-')) return std::nullopt;
  const size_t mark = text.find_first_of("eE");
  if (mark != text.npos) {
    std::string_view power = text.substr(mark + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(power.data(), power.data() + power.size(), decimal.exponent);
    if (error != std::errc() || end != power.data() + power.size()) return std::nullopt;
    if (std::abs(decimal.exponent) > kLargestExponent) return std::nullopt;
    decimal.has_exponent = true;
    text = text.substr(0, mark);
  }
  const size_t dot = text.find('.');
  std::string digits(text.substr(0, dot));
  if (dot != text.npos) {
    decimal.decimals = static_cast<int>(text.size() - dot - 1);
    digits += text.substr(dot + 1);
  }
  if (digits.empty() || digits.size() > kMostDigits || text.ends_with('.')) return std::nullopt;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), decimal.mantissa);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (negative) decimal.mantissa = -decimal.mantissa;
  return decimal;
}

}  // namespace

Prefixed TakePrefix(std::string_view text) {
  if (text.size() < 3) return {Prefix::kEq, text};
  const auto found = std::ranges::find(kPrefixes, text.substr(0, 2));
  const char next = text[2];
  const bool value = (next >= '0' && next <= '9') || next == '-' || next == '+' || next == '.';
  if (found == kPrefixes.end() || !value) return {Prefix::kEq, text};
  return {static_cast<Prefix>(found - kPrefixes.begin()), text.substr(2)};
}

std::vector<std::string_view> SplitEscaped(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == separator) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

SearchToken ParseSearchToken(std::string_view text) {
  const auto parts = SplitEscaped(text, '|');
  if (parts.size() == 1) return {std::nullopt, Unescaped(text)};
  return {Unescaped(parts[0]), Unescaped(text.substr(parts[0].size() + 1))};
}

Result<TimeRange> ParseSearchDate(std::string_view text) {
  const auto date = fhir::ParseDateTime(text);
  if (!date) return NoSuchValue("date", text);
  const Micros offset = Micros{date->offset_minutes.value_or(0)} * 60'000'000;
  return TimeRange{date->LocalBegin() - offset, date->LocalEnd() - offset};
}

Result<NumberRange> ParseSearchNumber(std::string_view text) {
  const auto decimal = ParseDecimal(text);
  if (!decimal) return NoSuchValue("number", text);
  // "1e2" has, by the specification's example, the precision of "1.0e2".
  int decimals = decimal->decimals;
  int64_t mantissa = decimal->mantissa;
  if (decimal->has_exponent && decimals == 0) {
    decimals = 1;
    mantissa *= 10;
  }
  const int exponent = decimal->exponent - decimals;
  return NumberRange{Scaled(mantissa, exponent), Scaled(mantissa * 10 - 5, exponent - 1),
                     Scaled(mantissa * 10 + 5, exponent - 1)};
}

Result<SearchQuantity> ParseSearchQuantity(std::string_view text) {
  const auto parts = SplitEscaped(text, '|');
  if (parts.size() != 1 && parts.size() != 3) return NoSuchValue("quantity", text);
  const Prefixed prefixed = TakePrefix(parts[0]);
  SearchQuantity quantity;
  quantity.prefix = prefixed.prefix;
  VL_TRY(quantity.number, ParseSearchNumber(prefixed.rest));
  if (parts.size() == 3) {
    quantity.system = Unescaped(parts[1]);
    quantity.unit = Unescaped(parts[2]);
  }
  return quantity;
}

}  // namespace vitalake::serve
