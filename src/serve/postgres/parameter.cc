// Values of parameters as clients send them.
#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <chrono>
#include <limits>

#include "base/json_writer.h"
#include "serve/postgres/message.h"
#include "serve/postgres/types.h"

namespace vitalake::serve {
namespace {

using engine::Parameter;

constexpr int32_t kDaysTo2000 = 10'957;
constexpr int64_t kMicrosPerDay = int64_t{86'400} * 1'000'000;

std::unexpected<Error> NotA(std::string_view text, std::string_view type) {
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("invalid input syntax for type {}: \"{}\"", type, text));
}

std::unexpected<Error> BadBytes() {
  return Fail(ErrorKind::kCorrupt, "incorrect binary data format in a parameter");
}

// Bytes as the engine's text of a BLOB.
std::string BlobText(std::string_view bytes) {
  std::string text;
  for (const unsigned char c : bytes) fmt::format_to(std::back_inserter(text), "\\x{:02X}", c);
  return text;
}

Result<std::string> UnhexBytea(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return NotA(text, "bytea");
  std::string bytes;
  for (size_t i = 2; i < text.size(); i += 2) {
    unsigned value = 0;
    const char* const end = text.data() + i + 2;
    if (const auto read = std::from_chars(text.data() + i, end, value, 16); read.ptr != end) {
      return NotA(text, "bytea");
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

// The items of an array of one dimension in text, '{a,"b c",NULL}'.
Result<std::vector<Parameter>> ReadArrayText(std::string_view text) {
  std::vector<Parameter> items;
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return NotA(text, "array");
  const std::string_view inside = text.substr(1, text.size() - 2);
  size_t at = 0;
  while (at < inside.size()) {
    std::string item;
    bool quoted = false;
    for (bool open = false; at < inside.size() && (open || inside[at] != ','); ++at) {
      const char c = inside[at];
      if (c == '"') {
        open = !open;
        quoted = true;
      } else if (c == '\\' && at + 1 < inside.size()) {
        item += inside[++at];
      } else if (!open && (c == '{' || c == '}')) {
        return Fail(ErrorKind::kUnsupported, "arrays of several dimensions are not supported");
      } else {
        item += c;
      }
    }
    ++at;
    if (!quoted && (item == "NULL" || item == "null")) {
      items.emplace_back(std::monostate{});
    } else {
      items.emplace_back(std::move(item));
    }
  }
  return items;
}

Result<std::vector<Parameter>> ReadArrayBinary(std::string_view bytes) {
  MessageReader reader(bytes);
  const int32_t dimensions = reader.Int32();
  [[maybe_unused]] const int32_t nulls = reader.Int32();
  const int32_t item_type = reader.Int32();
  if (dimensions == 0) return std::vector<Parameter>{};
  if (dimensions != 1 || PgItemOf(item_type) != 0) {
    return Fail(ErrorKind::kUnsupported, "arrays of several dimensions are not supported");
  }
  const int32_t count = reader.Int32();
  [[maybe_unused]] const int32_t lower = reader.Int32();
  std::vector<Parameter> items;
  for (int32_t i = 0; i < count && !reader.ran_out(); ++i) {
    const int32_t size = reader.Int32();
    if (size < 0) {
      items.emplace_back(std::monostate{});
      continue;
    }
    VL_TRY(Parameter item, ReadPgParameter(reader.Bytes(size), PgFormat::kBinary, item_type));
    items.push_back(std::move(item));
  }
  if (!reader.Whole()) return BadBytes();
  return items;
}

// A list as the engine reads it from text.
std::string ListText(const std::vector<Parameter>& items) {
  std::string text = "[";
  for (const Parameter& item : items) {
    if (text.size() > 1) text += ", ";
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            text += "NULL";
          } else if constexpr (std::is_same_v<T, std::string>) {
            text += '"';
            for (const char c : value) {
              if (c == '"' || c == '\\') text += '\\';
              text += c;
            }
            text += '"';
          } else {
            text += fmt::format("{}", value);
          }
        },
        item);
  }
  return text + "]";
}

std::string DateText(int64_t days_since_2000) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{days_since_2000 + kDaysTo2000}}};
  const int year = static_cast<int>(date.year());
  return fmt::format("{:04}-{:02}-{:02}{}", year > 0 ? year : 1 - year,
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     year > 0 ? "" : " (BC)");
}

std::string TimeText(int64_t micros) {
  const int64_t seconds = micros / 1'000'000;
  return fmt::format("{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     micros % 1'000'000);
}

std::string MomentText(int64_t micros_since_2000, bool zoned) {
  if (micros_since_2000 == std::numeric_limits<int64_t>::max()) return "infinity";
  if (micros_since_2000 == std::numeric_limits<int64_t>::min()) return "-infinity";
  int64_t days = micros_since_2000 / kMicrosPerDay;
  if (micros_since_2000 % kMicrosPerDay < 0) --days;
  return fmt::format("{} {}{}", DateText(days), TimeText(micros_since_2000 - days * kMicrosPerDay),
                     zoned ? "+00" : "");
}

// Source: numeric_send: digits, weight, sign, scale, then digits of base 10,000.
Result<std::string> NumericText(std::string_view bytes) {
  MessageReader reader(bytes);
  const int16_t count = reader.Int16();
  const int16_t weight = reader.Int16();
  const auto sign = static_cast<uint16_t>(reader.Int16());
  const int16_t scale = reader.Int16();
  if (sign == 0xC000) return Fail(ErrorKind::kUnsupported, "numeric NaN is not supported");
  if (sign != 0 && sign != 0x4000) {
    return Fail(ErrorKind::kUnsupported, "numeric infinity is not supported");
  }
  if (count < 0 || scale < 0 || weight > 1000 || scale > 1000) return BadBytes();
  std::vector<int16_t> digits;
  for (int16_t i = 0; i < count; ++i) digits.push_back(reader.Int16());
  if (!reader.Whole()) return BadBytes();
  const auto group = [&](int place) -> int {
    const int index = weight - place;
    return index >= 0 && index < count ? digits[static_cast<size_t>(index)] : 0;
  };
  std::string text = sign == 0 ? "" : "-";
  std::string whole;
  for (int place = weight; place >= 0; --place) whole += fmt::format("{:04}", group(place));
  whole.erase(0, whole.find_first_not_of('0'));
  text += whole.empty() ? "0" : whole;
  if (scale == 0) return text;
  std::string fraction;
  for (int place = -1; static_cast<int>(fraction.size()) < scale; --place) {
    fraction += fmt::format("{:04}", group(place));
  }
  return text + "." + fraction.substr(0, static_cast<size_t>(scale));
}

Result<Parameter> ReadText(std::string_view text, PgType type) {
  switch (type) {
    case PgType::kBytea: {
      VL_TRY(const std::string bytes, UnhexBytea(text));
      return BlobText(bytes);
    }
    default:
      return std::string(text);
  }
}

Result<Parameter> ReadBinary(std::string_view bytes, PgType type) {
  MessageReader reader(bytes);
  Parameter value;
  switch (type) {
    case PgType::kBool:
      value = reader.Byte() != 0;
      break;
    case PgType::kInt2:
      value = int64_t{reader.Int16()};
      break;
    case PgType::kInt4:
      value = int64_t{reader.Int32()};
      break;
    case PgType::kOid:
    case PgType::kXid:
    case PgType::kRegclass:
    case PgType::kRegtype:
      value = int64_t{static_cast<uint32_t>(reader.Int32())};
      break;
    case PgType::kInt8:
      value = reader.Int64();
      break;
    case PgType::kFloat4:
      value = double{std::bit_cast<float>(reader.Int32())};
      break;
    case PgType::kFloat8:
      value = std::bit_cast<double>(reader.Int64());
      break;
    case PgType::kDate:
      value = DateText(reader.Int32());
      break;
    case PgType::kTime:
      value = TimeText(reader.Int64());
      break;
    case PgType::kTimestamp:
    case PgType::kTimestampTz:
      value = MomentText(reader.Int64(), type == PgType::kTimestampTz);
      break;
    case PgType::kInterval: {
      const int64_t micros = reader.Int64();
      const int32_t days = reader.Int32();
      const int32_t months = reader.Int32();
      value = fmt::format("{} months {} days {} microseconds", months, days, micros);
      break;
    }
    case PgType::kUuid: {
      const auto high = static_cast<uint64_t>(reader.Int64());
      const auto low = static_cast<uint64_t>(reader.Int64());
      value = fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                          high & 0xffff, low >> 48, low & 0xffff'ffff'ffff);
      break;
    }
    case PgType::kNumeric: {
      VL_TRY(value, NumericText(bytes));
      return value;
    }
    case PgType::kBytea:
      return BlobText(bytes);
    case PgType::kJsonb:
      if (reader.Byte() != 1) return BadBytes();
      return std::string(reader.rest());
    default:
      return std::string(bytes);
  }
  if (!reader.Whole()) return BadBytes();
  return value;
}

}  // namespace

Result<Parameter> ReadPgParameter(std::string_view bytes, PgFormat format, int32_t oid) {
  if (PgItemOf(oid) != 0) {
    auto items = format == PgFormat::kText ? ReadArrayText(bytes) : ReadArrayBinary(bytes);
    if (!items) return std::unexpected(std::move(items).error());
    return ListText(*items);
  }
  const auto type = static_cast<PgType>(oid);
  if (format == PgFormat::kText) return ReadText(bytes, type);
  if (SqlTypeOf(oid).empty() && type != PgType::kUnspecified && type != PgType::kUnknown) {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("parameters of the type with oid {} cannot be read in binary", oid));
  }
  return ReadBinary(bytes, type);
}

}  // namespace vitalake::serve
