// Cells in PostgreSQL's text format: as its *_out functions write them with DateStyle ISO,
// IntervalStyle postgres, extra_float_digits 1, bytea_output hex.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "serve/postgres/types.h"

namespace vitalake::serve {
namespace {

using engine::ResultCell;
using engine::ResultType;
using engine::TypeId;

// Shortest digits that read back as the same number; positional from 1e-4 up to `fixed` digits.
template <class T>
void AppendFloat(T value, int fixed, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  std::array<char, 64> buffer;
  const auto append_plain = [&] {
    const auto plain = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::fixed);
    out.append(buffer.data(), plain.ptr);
  };
  constexpr T kNoExponent = 1000;  // whatever `fixed` is
  if (value == 0 || (std::abs(value) >= 1 && std::abs(value) < kNoExponent)) {
    return append_plain();
  }
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  const size_t mark = text.find('e');
  int exponent = 0;
  const char* const digits = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= fixed) {
    out += text;  // to_chars writes exponents as PostgreSQL does: a sign, two digits at least
    return;
  }
  append_plain();
}

void AppendInterval(const engine::IntervalValue& value, std::string& out) {
  const size_t start = out.size();
  bool after_negative = false;
  const auto part = [&](int64_t count, std::string_view unit) {
    if (count == 0) return;
    fmt::format_to(std::back_inserter(out), "{}{}{} {}{}", out.size() > start ? " " : "",
                   after_negative && count > 0 ? "+" : "", count, unit, count == 1 ? "" : "s");
    after_negative = count < 0;
  };
  part(value.months / 12, "year");
  part(value.months % 12, "mon");
  part(value.days, "day");
  if (value.micros == 0 && out.size() > start) return;
  if (out.size() > start) out += ' ';
  if (value.micros < 0) {
    out += '-';
  } else if (after_negative) {
    out += '+';
  }
  const uint64_t micros =
      value.micros < 0 ? -static_cast<uint64_t>(value.micros) : static_cast<uint64_t>(value.micros);
  const uint64_t seconds = micros / 1'000'000;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (micros % 1'000'000 == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:06}", micros % 1'000'000);
  while (out.back() == '0') out.pop_back();
}

// The engine marks years before Christ in the middle; PostgreSQL at the end.
void AppendTime(const ResultCell& cell, std::string& out) {
  constexpr std::string_view kMark = " (BC)";
  const size_t start = out.size();
  cell.AppendText(out);
  constexpr std::string_view kZone = "infinity+00";
  if (std::string_view(out).substr(start).ends_with(kZone)) out.resize(out.size() - 3);
  if (const size_t at = out.find(kMark, start); at != out.npos) {
    out.erase(at, kMark.size());
    out += " BC";
  }
}

void AppendBytea(std::string_view bytes, std::string& out) {
  out += "\\x";
  for (const unsigned char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", c);
}

// Whether an item must stand in quotes in an array.
bool NeedsQuotes(std::string_view item) {
  if (item.empty() || (item.size() == 4 &&
                       fmt::format("{}", item).find_first_not_of("nNuUlL") == std::string::npos)) {
    return true;
  }
  return item.find_first_of("{},\"\\ \t\n\r\v\f") != item.npos;
}

void AppendArray(const ResultCell& cell, const ResultType& type, std::string& out) {
  out += '{';
  std::string item;
  for (uint64_t i = 0; i < cell.items(); ++i) {
    if (i > 0) out += ',';
    const ResultCell one = cell.Item(i);
    if (one.is_null()) {
      out += "NULL";
      continue;
    }
    item.clear();
    AppendPgText(one, type.children[0], item);
    if (!NeedsQuotes(item)) {
      out += item;
      continue;
    }
    out += '"';
    for (const char c : item) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  out += '}';
}

}  // namespace

void AppendPgText(const ResultCell& cell, const ResultType& type, std::string& out) {
  constexpr int kDoubleDigits = 15, kFloatDigits = 6;
  switch (type.id) {
    case TypeId::kBoolean:
      out += cell.Bool() ? 't' : 'f';
      return;
    case TypeId::kFloat:
      return AppendFloat(static_cast<float>(cell.Double()), kFloatDigits, out);
    case TypeId::kDouble:
      return AppendFloat(cell.Double(), kDoubleDigits, out);
    case TypeId::kVarchar:
    case TypeId::kJson:
    case TypeId::kEnum:
      out += cell.String();
      return;
    case TypeId::kBlob:
      return AppendBytea(cell.String(), out);
    case TypeId::kInterval:
      return AppendInterval(cell.Interval(), out);
    case TypeId::kDate:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return AppendTime(cell, out);
    case TypeId::kList:
      if (IsPgArray(type)) return AppendArray(cell, type, out);
      return cell.AppendJson(out);
    default:
      return cell.AppendText(out);
  }
}

}  // namespace vitalake::serve
