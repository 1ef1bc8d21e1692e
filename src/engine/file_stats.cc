#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "engine/file_stats_internal.h"
#include "engine/parquet_pages.h"

namespace vitalake::engine {
namespace {

constexpr size_t kMaxCharacters = 32;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Bytes of the first 32 characters.
size_t CutPoint(std::string_view text) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsContinuation(text[i])) continue;
    if (characters++ == kMaxCharacters) return i;
  }
  return text.size();
}

uint32_t DecodeCharacter(std::string_view c) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(c[i]));
  };
  switch (c.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
             (byte(3) & 0x3f);
  }
}

void AppendCharacter(uint32_t code, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

bool AllDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "2026-11-22": what every reader of a log takes for a date.
bool IsPlainDate(std::string_view text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && AllDigits(text.substr(0, 4)) &&
         AllDigits(text.substr(5, 2)) && AllDigits(text.substr(8, 2));
}

// A JSON number: refuses "inf", "nan" and the empty text.
bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == text.npos && text != "-" &&
         (text[0] == '-' || AllDigits(text.substr(0, 1)));
}

// "2026-11-22 17:00:00.25[+00]" -> "2026-11-22T17:00:00.250000Z" (no Z for times without a zone).
std::optional<std::string> IsoTimestamp(std::string_view text, bool zoned) {
  if (zoned) {
    if (!text.ends_with("+00")) return std::nullopt;
    text.remove_suffix(3);
  }
  if (text.size() < 19 || !IsPlainDate(text.substr(0, 10)) || text[10] != ' ') return std::nullopt;
  std::string fraction(text.size() > 20 ? text.substr(20) : "");
  if (text.size() > 19 && (text[19] != '.' || !AllDigits(fraction))) return std::nullopt;
  fraction.resize(6, '0');
  return std::string(text.substr(0, 10)) + "T" + std::string(text.substr(11, 8)) + "." + fraction +
         (zoned ? "Z" : "");
}

enum class Side { kLower, kUpper };

// The bound as a JSON value; nullopt when there is none that is safe.
std::optional<std::string> BoundJson(std::string_view text, const ResultColumn& column, Side side) {
  JsonWriter json;
  switch (column.kind) {
    case ValueKind::kBoolean:
      if (text != "0" && text != "1" && text != "true" && text != "false") return std::nullopt;
      json.Bool(text == "1" || text == "true");
      return json.Take();
    case ValueKind::kInteger:
    case ValueKind::kDouble:
    case ValueKind::kDecimal:
      if (!IsNumber(text)) return std::nullopt;
      return std::string(text);
    case ValueKind::kDate:
      if (!IsPlainDate(text)) return std::nullopt;
      json.String(text);
      return json.Take();
    case ValueKind::kTimestamp: {
      const auto iso = IsoTimestamp(text, column.type == "TIMESTAMP WITH TIME ZONE");
      if (!iso) return std::nullopt;
      json.String(*iso);
      return json.Take();
    }
    case ValueKind::kString: {
      if (column.type != "VARCHAR") return std::nullopt;
      if (side == Side::kLower) {
        json.String(LowerBound(text));
        return json.Take();
      }
      const auto upper = UpperBound(text);
      if (!upper) return std::nullopt;
      json.String(*upper);
      return json.Take();
    }
    case ValueKind::kOther:
      return std::nullopt;
  }
  return std::nullopt;
}

// Of the years 1 to 9999, which all readers know.
bool IsKnownDay(std::chrono::sys_days day) {
  return day >= std::chrono::sys_days(std::chrono::year(1) / 1 / 1) &&
         day < std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
}

std::optional<std::string> TimestampText(Micros at, bool zoned) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(at)};
  if (!IsKnownDay(std::chrono::floor<std::chrono::days>(time))) return std::nullopt;
  std::string text = FormatUtc(at);
  if (!zoned) text.pop_back();
  return text;
}

std::optional<std::string> DateText(int32_t days) {
  const std::chrono::sys_days day{std::chrono::days(days)};
  if (!IsKnownDay(day)) return std::nullopt;
  return FormatUtc(std::chrono::microseconds(day.time_since_epoch()).count()).substr(0, 10);
}

std::string JsonText(std::string_view text) {
  std::string json;
  AppendJsonString(json, text);
  return json;
}

// The same of PLAIN bytes.
std::optional<std::string> BoundJson(std::string_view plain, TypeId type, Side side) {
  const auto text = [](const std::optional<std::string>& of) {
    return of ? std::optional(JsonText(*of)) : std::nullopt;
  };
  const auto number = [](double value) {
    // No reader needs to know which zero.
    return std::isfinite(value) ? std::optional(fmt::format("{}", value == 0 ? 0 : value))
                                : std::nullopt;
  };
  switch (type) {
    case TypeId::kBoolean:
      return plain[0] != 0 ? "true" : "false";
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
      return std::to_string(NumberAt<int32_t>(plain, 0));
    case TypeId::kBigInt:
      return std::to_string(NumberAt<int64_t>(plain, 0));
    case TypeId::kFloat:
      return number(static_cast<double>(NumberAt<float>(plain, 0)));
    case TypeId::kDouble:
      return number(NumberAt<double>(plain, 0));
    case TypeId::kDate:
      return text(DateText(NumberAt<int32_t>(plain, 0)));
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return text(TimestampText(NumberAt<int64_t>(plain, 0), type == TypeId::kTimestampTz));
    case TypeId::kVarchar:
      return text(side == Side::kLower ? LowerBound(plain) : UpperBound(plain));
    default:
      return std::nullopt;
  }
}

std::optional<std::string> SaidBound(JsonValue stats, const ResultColumn& column, Side side) {
  const JsonValue bound = stats.Find(side == Side::kLower ? "min" : "max");
  if (!bound.is_string() || stats.String("has_nan") == "true") return std::nullopt;
  return BoundJson(bound.text(), column, side);
}

}  // namespace

std::string LowerBound(std::string_view text) {
  return std::string(text.substr(0, CutPoint(text)));
}

std::optional<std::string> UpperBound(std::string_view text) {
  size_t end = CutPoint(text);
  if (end == text.size()) return std::string(text);
  // The last character that can grow is raised by one; what follows it is dropped.
  while (end > 0) {
    size_t begin = end - 1;
    while (begin > 0 && IsContinuation(text[begin])) --begin;
    uint32_t code = DecodeCharacter(text.substr(begin, end - begin)) + 1;
    if (code == 0xd800) code = 0xe000;  // surrogates are no characters
    if (code <= 0x10ffff) {
      std::string out(text.substr(0, begin));
      AppendCharacter(code, out);
      return out;
    }
    end = begin;
  }
  return std::nullopt;
}

ColumnBounds BoundsOf(std::string_view name, TypeId type, const std::optional<std::string>& min,
                      const std::optional<std::string>& max, int64_t nulls) {
  ColumnBounds bounds{std::string(name)};
  if (min) bounds.min_json = BoundJson(*min, type, Side::kLower);
  if (max) bounds.max_json = BoundJson(*max, type, Side::kUpper);
  bounds.nulls = nulls;
  return bounds;
}

std::vector<ColumnBounds> SaidBounds(JsonValue statistics, std::span<const ResultColumn> columns) {
  std::vector<ColumnBounds> out;
  for (const ResultColumn& column : columns) {
    const JsonValue stats = statistics.Find(QuoteName(column.name));
    if (!stats) continue;
    ColumnBounds& bounds = out.emplace_back();
    bounds.name = column.name;
    bounds.min_json = SaidBound(stats, column, Side::kLower);
    bounds.max_json = SaidBound(stats, column, Side::kUpper);
    if (AllDigits(stats.String("null_count"))) {
      bounds.nulls = std::stoll(std::string(stats.String("null_count")));
    }
  }
  return out;
}

std::string DeltaStats(int64_t rows, std::span<const ColumnBounds> columns) {
  JsonWriter json;
  json.BeginObject().Key("numRecords").Int(rows);
  json.Key("minValues").BeginObject();
  for (const ColumnBounds& column : columns) {
    if (column.min_json) json.Key(column.name).Raw(*column.min_json);
  }
  json.EndObject().Key("maxValues").BeginObject();
  for (const ColumnBounds& column : columns) {
    if (column.max_json) json.Key(column.name).Raw(*column.max_json);
  }
  json.EndObject().Key("nullCount").BeginObject();
  for (const ColumnBounds& column : columns) {
    if (column.nulls) json.Key(column.name).Int(*column.nulls);
  }
  json.EndObject().EndObject();
  return json.Take();
}

}  // namespace vitalake::engine
