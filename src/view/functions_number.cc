// Math functions. Source: FHIRPath 2.0, Math.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "view/functions.h"

namespace vitalake::view {
namespace {

using Args = std::span<const Item>;

bool Number(Env& env, const Item& item, Decimal& out) {
  const auto number = NumberOf(item);
  if (!number) return env.Fail(fmt::format("expected a number, not {}", TypeName(item)));
  out = *number;
  return true;
}

bool GiveWhole(const Decimal& value, Item& out) {
  if (value.mantissa > INT64_MAX || value.mantissa < INT64_MIN) return false;
  out = Item::Integer(static_cast<int64_t>(value.mantissa));
  return true;
}

// Like `in`: an integer stays one, a Quantity keeps its unit.
bool GiveLike(Env& env, const Item& in, const Decimal& value, Item& out) {
  if (in.kind == ItemKind::kInteger) return GiveWhole(value, out);
  out = Item::Text(in.kind, env.Keep(value.ToText()));
  out.unit = in.unit;
  return true;
}

bool GiveDouble(Env& env, double value, Item& out) {
  const auto decimal = Decimal::FromDouble(value);
  if (!decimal) return false;
  out = Item::Text(ItemKind::kDecimal, env.Keep(decimal->ToText()));
  return true;
}

template <double (*function)(double)>
bool OfDouble(Env& env, const Item& in, Args, Item& out) {
  Decimal value;
  return Number(env, in, value) && GiveDouble(env, function(value.ToDouble()), out);
}

// Rounded down (-1), towards zero (0), up (1).
template <int direction>
bool ToWhole(Env& env, const Item& in, Args, Item& out) {
  Decimal value;
  if (!Number(env, in, value)) return false;
  Decimal cut = *WholeQuotient(value, Decimal::FromInt(1));
  const auto order = Compare(value, cut);
  if (direction < 0 && order < 0) --cut.mantissa;
  if (direction > 0 && order > 0) ++cut.mantissa;
  return GiveWhole(cut, out);
}

bool Power(Env& env, const Item& in, Args arguments, Item& out) {
  Decimal base, exponent;
  if (!Number(env, in, base) || !Number(env, arguments[0], exponent)) return false;
  const double result = std::pow(base.ToDouble(), exponent.ToDouble());
  const auto decimal = Decimal::FromDouble(result);
  if (!decimal) return false;
  const bool whole = in.kind == ItemKind::kInteger && arguments[0].kind == ItemKind::kInteger;
  if (whole && decimal->is_whole()) return GiveWhole(*decimal, out);
  return GiveDouble(env, result, out);
}

constexpr StaticKind kOther = StaticKind::kNotBoolean;

constexpr ScalarEntry kEntries[] = {
    {"abs",
     {},
     [](Env& env, const Item& in, Args, Item& out) {
       Decimal value;
       if (!Number(env, in, value)) return false;
       if (value.mantissa < 0) value.mantissa = -value.mantissa;
       return GiveLike(env, in, value, out);
     },
     kOther},
    {"floor", {}, ToWhole<-1>, kOther},
    {"truncate", {}, ToWhole<0>, kOther},
    {"ceiling", {}, ToWhole<1>, kOther},
    {"round",
     {0, 1},
     [](Env& env, const Item& in, Args a, Item& out) {
       Decimal value;
       if (!Number(env, in, value)) return false;
       if (!a.empty() && (a[0].kind != ItemKind::kInteger || a[0].integer < 0)) {
         return env.Fail("round() takes a number of digits");
       }
       const int digits = a.empty() ? 0 : static_cast<int>(std::min<int64_t>(a[0].integer, 28));
       return GiveLike(env, in, Round(value, digits), out);
     },
     kOther},
    {"sqrt", {}, OfDouble<+[](double x) { return std::sqrt(x); }>, kOther},
    {"exp", {}, OfDouble<+[](double x) { return std::exp(x); }>, kOther},
    {"ln", {}, OfDouble<+[](double x) { return std::log(x); }>, kOther},
    {"log",
     {1, 1},
     [](Env& env, const Item& in, Args a, Item& out) {
       Decimal value, base;
       return Number(env, in, value) && Number(env, a[0], base) &&
              GiveDouble(env, std::log(value.ToDouble()) / std::log(base.ToDouble()), out);
     },
     kOther},
    {"power", {1, 1}, Power, kOther},
};

}  // namespace

std::span<const ScalarEntry> NumberFunctions() { return kEntries; }

}  // namespace vitalake::view
