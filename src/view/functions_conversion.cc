// Conversions and boundaries. Source: FHIRPath 2.0, Conversion; lowBoundary, highBoundary.
#include <fmt/format.h>

#include <algorithm>

#include "view/functions.h"
#include "view/temporal.h"

namespace vitalake::view {
namespace {

using Args = std::span<const Item>;

bool ToBoolean(Env&, const Item& in, Args, Item& out) {
  if (in.kind == ItemKind::kBoolean) {
    out = in;
    return true;
  }
  std::string text(in.text);
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const auto number = NumberOf(in);
  const bool one = number && Compare(*number, Decimal::FromInt(1)) == 0;
  const bool zero = number && number->mantissa == 0;
  static constexpr std::string_view kTrue[] = {"true", "t", "yes", "y", "1", "1.0"};
  static constexpr std::string_view kFalse[] = {"false", "f", "no", "n", "0", "0.0"};
  const auto among = [&](const auto& words) {
    return in.kind == ItemKind::kString &&
           std::find(std::begin(words), std::end(words), text) != std::end(words);
  };
  if (one || among(kTrue))
    out = Item::Boolean(true);
  else if (zero || among(kFalse))
    out = Item::Boolean(false);
  else
    return false;
  return true;
}

bool ToInteger(Env&, const Item& in, Args, Item& out) {
  if (in.kind == ItemKind::kInteger || in.kind == ItemKind::kBoolean) {
    out = Item::Integer(in.integer);
    return true;
  }
  if (in.kind != ItemKind::kString) return false;
  const auto number = Decimal::Parse(in.text);
  if (!number || in.text.find_first_of(".eE") != std::string_view::npos) return false;
  if (number->mantissa > INT64_MAX || number->mantissa < INT64_MIN) return false;
  out = Item::Integer(static_cast<int64_t>(number->mantissa));
  return true;
}

bool ToDecimal(Env& env, const Item& in, Args, Item& out) {
  if (in.kind == ItemKind::kDecimal) {
    out = in;
    return true;
  }
  std::string_view text = in.text;
  if (in.kind == ItemKind::kInteger || in.kind == ItemKind::kBoolean) {
    text = env.Keep(std::to_string(in.integer));
  } else if (in.kind != ItemKind::kString || !Decimal::Parse(text)) {
    return false;
  }
  out = Item::Text(ItemKind::kDecimal, text);
  return true;
}

bool ToText(Env& env, const Item& in, Args, Item& out) {
  switch (in.kind) {
    case ItemKind::kNode:
      return false;
    case ItemKind::kBoolean:
      out = Item::Text(ItemKind::kString, in.integer ? "true" : "false");
      return true;
    case ItemKind::kInteger:
      out = Item::Text(ItemKind::kString,
                       in.text.empty() ? env.Keep(std::to_string(in.integer)) : in.text);
      return true;
    case ItemKind::kQuantity: {
      const bool quoted = !in.unit.empty() && in.unit.front() == '\'';
      out = Item::Text(ItemKind::kString,
                       env.Keep(quoted ? fmt::format("{} {}", in.text, in.unit)
                                       : fmt::format("{} '{}'", in.text, in.unit)));
      return true;
    }
    default:
      out = Item::Text(ItemKind::kString, in.text);
      return true;
  }
}

bool ToDate(Env& env, const Item& in, Args, Item& out) {
  if (!in.is_text() || in.kind == ItemKind::kTime) return false;
  const auto moment = ParseMoment(in.text);
  if (!moment) return false;
  out = Item::Text(ItemKind::kDate, env.Keep(in.text.substr(0, 10)));
  return true;
}

bool ToDateTime(Env&, const Item& in, Args, Item& out) {
  if (!in.is_text() || in.kind == ItemKind::kTime || !ParseMoment(in.text)) return false;
  out = Item::Text(ItemKind::kDateTime, in.text);
  return true;
}

bool ToTime(Env&, const Item& in, Args, Item& out) {
  if (!in.is_text() || !ParseTime(in.text)) return false;
  out = Item::Text(ItemKind::kTime, in.text);
  return true;
}

template <ScalarFunction convert>
bool Converts(Env& env, const Item& in, Args arguments, Item& out) {
  Item ignored;
  out = Item::Boolean(convert(env, in, arguments, ignored));
  return true;
}

// The half unit of the last digit written below (above) the value.
template <bool high>
bool NumberBoundary(Env& env, const Item& in, Item& out) {
  const auto value =
      in.kind == ItemKind::kInteger && !in.text.empty() ? Decimal::Parse(in.text) : NumberOf(in);
  if (!value) return false;
  const int scale = value->scale + 1;
  const auto step = Add({value->mantissa * 10, scale}, {high ? 5 : -5, scale});
  if (!step) return false;
  out = Item::Text(in.kind == ItemKind::kQuantity ? in.kind : ItemKind::kDecimal,
                   env.Keep(step->ToText()));
  out.unit = in.unit;
  return true;
}

// The kind of boundary: as declared, else as the text looks.
std::optional<std::string> TextBoundary(const Item& in, bool high) {
  if (in.kind == ItemKind::kTime) return TimeBoundary(in.text, high);
  if (in.kind == ItemKind::kDateTime) return DateTimeBoundary(in.text, high);
  if (in.kind == ItemKind::kDate) return DateBoundary(in.text, high);
  if (in.text.find('T') != std::string_view::npos) return DateTimeBoundary(in.text, high);
  if (in.text.find(':') != std::string_view::npos) return TimeBoundary(in.text, high);
  return DateBoundary(in.text, high);
}

template <bool high>
bool Boundary(Env& env, const Item& in, Args, Item& out) {
  if (!in.is_text()) return NumberBoundary<high>(env, in, out);
  const auto text = TextBoundary(in, high);
  if (!text) return false;
  out = Item::Text(in.kind, env.Keep(*text));
  return true;
}

constexpr StaticKind kBool = StaticKind::kBoolean, kOther = StaticKind::kNotBoolean;

constexpr ScalarEntry kEntries[] = {
    {"toBoolean", {}, ToBoolean, kBool},
    {"toInteger", {}, ToInteger, kOther},
    {"toDecimal", {}, ToDecimal, kOther},
    {"toString", {}, ToText, kOther},
    {"toDate", {}, ToDate, kOther},
    {"toDateTime", {}, ToDateTime, kOther},
    {"toTime", {}, ToTime, kOther},
    {"convertsToBoolean", {}, Converts<ToBoolean>, kBool},
    {"convertsToInteger", {}, Converts<ToInteger>, kBool},
    {"convertsToDecimal", {}, Converts<ToDecimal>, kBool},
    {"convertsToString", {}, Converts<ToText>, kBool},
    {"convertsToDate", {}, Converts<ToDate>, kBool},
    {"convertsToDateTime", {}, Converts<ToDateTime>, kBool},
    {"convertsToTime", {}, Converts<ToTime>, kBool},
    {"lowBoundary", {}, Boundary<false>, kOther},
    {"highBoundary", {}, Boundary<true>, kOther},
};

}  // namespace

std::span<const ScalarEntry> ConversionFunctions() { return kEntries; }

}  // namespace vitalake::view
