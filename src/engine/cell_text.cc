#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "engine/cell_text_internal.h"

namespace vitalake::engine {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

__extension__ using UInt128 = unsigned __int128;

std::string SqlNameOf(duckdb_type id) {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIME_NS:
      return "TIME_NS";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_UNION:
      return "UNION";
    case DUCKDB_TYPE_BIGNUM:
      return "BIGNUM";
    case DUCKDB_TYPE_GEOMETRY:
      return "GEOMETRY";
    case DUCKDB_TYPE_VARIANT:
      return "VARIANT";
    case DUCKDB_TYPE_SQLNULL:
      return "NULL";
    default:
      return fmt::format("type {}", static_cast<int>(id));
  }
}

void FillNested(duckdb_logical_type type, TypeInfo& info) {
  auto child = [&](duckdb_logical_type raw) {
    OwnedType owned(raw);
    info.children.push_back(TypeInfo::Of(owned.get()));
  };
  switch (info.id) {
    case DUCKDB_TYPE_LIST:
      child(duckdb_list_type_child_type(type));
      info.sql = info.children[0].sql + "[]";
      break;
    case DUCKDB_TYPE_ARRAY:
      child(duckdb_array_type_child_type(type));
      info.array_size = duckdb_array_type_array_size(type);
      info.sql = fmt::format("{}[{}]", info.children[0].sql, info.array_size);
      break;
    case DUCKDB_TYPE_MAP:
      child(duckdb_map_type_key_type(type));
      child(duckdb_map_type_value_type(type));
      info.sql = fmt::format("MAP({}, {})", info.children[0].sql, info.children[1].sql);
      break;
    case DUCKDB_TYPE_STRUCT: {
      for (uint64_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        info.names.push_back(TakeText(duckdb_struct_type_child_name(type, i)));
        child(duckdb_struct_type_child_type(type, i));
        info.sql += fmt::format("{}{} {}", i ? ", " : "STRUCT(", QuoteName(info.names.back()),
                                info.children.back().sql);
      }
      info.sql += ")";
      break;
    }
    default:
      break;
  }
}

void AppendInt128(Int128 value, std::string& out) { out += fmt::format("{}", value); }

void AppendDecimal(Int128 units, uint8_t scale, std::string& out) {
  if (units < 0) {
    out += '-';
    units = -units;
  }
  std::string digits = fmt::format("{}", units);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  out.append(digits, 0, digits.size() - scale);
  if (scale == 0) return;
  out += '.';
  out.append(digits, digits.size() - scale);
}

template <class T>
void AppendFloating(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "nan";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
  } else {
    const size_t start = out.size();
    fmt::format_to(std::back_inserter(out), "{}", value);
    if (out.find_first_of(".e", start) == out.npos) out += ".0";
  }
}

// With zeros before it up to `width` digits.
void AppendPadded(uint64_t value, size_t width, std::string& out) {
  std::array<char, 20> digits;
  size_t at = digits.size();
  for (; value > 0 || digits.size() - at < width; value /= 10) {
    digits[--at] = static_cast<char>('0' + value % 10);
  }
  out.append(digits.data() + at, digits.size() - at);
}

void AppendMonthAndDay(const std::chrono::year_month_day& date, std::string& out) {
  out += '-';
  AppendPadded(static_cast<unsigned>(date.month()), 2, out);
  out += '-';
  AppendPadded(static_cast<unsigned>(date.day()), 2, out);
}

std::chrono::year_month_day DateOf(int64_t days) {
  // std::chrono's years end at 32767; DuckDB's do not, but no record lies there.
  return std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}};
}

void AppendDate(int64_t days, std::string& out) {
  const std::chrono::year_month_day date = DateOf(days);
  const int year = static_cast<int>(date.year());
  AppendPadded(static_cast<unsigned>(year > 0 ? year : 1 - year), 4, out);
  AppendMonthAndDay(date, out);
  if (year <= 0) out += " (BC)";
}

// By ISO 8601 the year before 1 is 0000, the one before that -0001.
void AppendIsoDate(int64_t days, std::string& out) {
  const std::chrono::year_month_day date = DateOf(days);
  const int year = static_cast<int>(date.year());
  if (year < 0) out += '-';
  AppendPadded(static_cast<unsigned>(std::abs(year)), 4, out);
  AppendMonthAndDay(date, out);
}

void AppendFraction(int64_t micros, std::string& out) {
  if (micros == 0) return;
  out += '.';
  AppendPadded(static_cast<uint64_t>(micros), 6, out);
  while (out.back() == '0') out.pop_back();
}

void AppendTimeOfDay(int64_t micros, std::string& out) {
  const auto seconds = static_cast<uint64_t>(micros / kMicrosPerSecond);
  AppendPadded(seconds / 3600, 2, out);
  out += ':';
  AppendPadded(seconds / 60 % 60, 2, out);
  out += ':';
  AppendPadded(seconds % 60, 2, out);
  AppendFraction(micros % kMicrosPerSecond, out);
}

bool AppendInfinity(int64_t value, int64_t infinity, std::string& out) {
  if (value != infinity && value != -infinity) return false;
  out += value < 0 ? "-infinity" : "infinity";
  return true;
}

int64_t FloorDiv(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

void AppendTimestamp(int64_t micros, std::string& out) {
  if (AppendInfinity(micros, std::numeric_limits<int64_t>::max(), out)) return;
  const int64_t days = FloorDiv(micros, kMicrosPerDay);
  AppendDate(days, out);
  out += ' ';
  AppendTimeOfDay(micros - days * kMicrosPerDay, out);
}

// "2026-11-22T17:00:00.25Z"; without Z for times that have no zone.
void AppendIsoTimestamp(int64_t micros, bool zoned, std::string& out) {
  if (AppendInfinity(micros, std::numeric_limits<int64_t>::max(), out)) return;
  const int64_t days = FloorDiv(micros, kMicrosPerDay);
  AppendIsoDate(days, out);
  out += 'T';
  AppendTimeOfDay(micros - days * kMicrosPerDay, out);
  if (zoned) out += 'Z';
}

void AppendInterval(const duckdb_interval& interval, std::string& out) {
  const size_t start = out.size();
  auto part = [&](int64_t count, const char* unit) {
    if (count == 0) return;
    if (out.size() > start) out += ' ';
    fmt::format_to(std::back_inserter(out), "{} {}{}", count, unit,
                   count == 1 || count == -1 ? "" : "s");
  };
  part(interval.months / 12, "year");
  part(interval.months % 12, "month");
  part(interval.days, "day");
  if (interval.micros == 0 && out.size() > start) return;
  if (out.size() > start) out += ' ';
  if (interval.micros < 0) out += '-';
  AppendTimeOfDay(interval.micros < 0 ? -interval.micros : interval.micros, out);
}

void AppendUuid(duckdb_hugeint value, std::string& out) {
  const uint64_t high = static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63);
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                 high >> 16 & 0xffff, high & 0xffff, value.lower >> 48,
                 value.lower & 0xffff'ffff'ffff);
}

void AppendBlob(std::string_view bytes, std::string& out) {
  for (const unsigned char c : bytes) {
    if (c >= 32 && c < 127 && c != '\\' && c != '\'' && c != '"') {
      out += static_cast<char>(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", c);
    }
  }
}

bool IsNested(duckdb_type id) {
  return id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_ARRAY || id == DUCKDB_TYPE_MAP ||
         id == DUCKDB_TYPE_STRUCT;
}

void AppendItems(const VectorView& child, uint64_t begin, uint64_t count, std::string& out) {
  out += '[';
  for (uint64_t i = begin; i < begin + count; ++i) {
    if (i > begin) out += ',';
    AppendCellJson(child, i, out);
  }
  out += ']';
}

void AppendMapJson(const VectorView& view, uint64_t row, std::string& out) {
  const auto entry = view.At<duckdb_list_entry>(row);
  duckdb_vector pairs = duckdb_list_vector_get_child(view.vector);
  const VectorView keys(view.type->children[0], duckdb_struct_vector_get_child(pairs, 0));
  const VectorView values(view.type->children[1], duckdb_struct_vector_get_child(pairs, 1));
  out += '{';
  for (uint64_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    if (i > entry.offset) out += ',';
    std::string key;
    AppendCellText(keys, i, key);
    AppendJsonString(out, key);
    out += ':';
    AppendCellJson(values, i, out);
  }
  out += '}';
}

void AppendStructJson(const VectorView& view, uint64_t row, std::string& out) {
  out += '{';
  for (size_t i = 0; i < view.type->children.size(); ++i) {
    if (i) out += ',';
    AppendJsonString(out, view.type->names[i]);
    out += ':';
    const VectorView child(view.type->children[i], duckdb_struct_vector_get_child(view.vector, i));
    AppendCellJson(child, row, out);
  }
  out += '}';
}

void AppendNestedJson(const VectorView& view, uint64_t row, std::string& out) {
  switch (view.type->id) {
    case DUCKDB_TYPE_LIST: {
      const auto entry = view.At<duckdb_list_entry>(row);
      const VectorView child(view.type->children[0], duckdb_list_vector_get_child(view.vector));
      return AppendItems(child, entry.offset, entry.length, out);
    }
    case DUCKDB_TYPE_ARRAY: {
      const VectorView child(view.type->children[0], duckdb_array_vector_get_child(view.vector));
      return AppendItems(child, row * view.type->array_size, view.type->array_size, out);
    }
    case DUCKDB_TYPE_MAP:
      return AppendMapJson(view, row, out);
    default:
      return AppendStructJson(view, row, out);
  }
}

bool IsTimestamp(duckdb_type id) {
  return id == DUCKDB_TYPE_TIMESTAMP || id == DUCKDB_TYPE_TIMESTAMP_TZ ||
         id == DUCKDB_TYPE_TIMESTAMP_S || id == DUCKDB_TYPE_TIMESTAMP_MS ||
         id == DUCKDB_TYPE_TIMESTAMP_NS;
}

}  // namespace

Int128 JoinHugeInt(duckdb_hugeint value) {
  return static_cast<Int128>(static_cast<UInt128>(value.upper) << 64 | value.lower);
}

Int128 DecimalUnits(const VectorView& view, uint64_t row) {
  switch (view.type->storage) {
    case DUCKDB_TYPE_SMALLINT:
      return view.At<int16_t>(row);
    case DUCKDB_TYPE_INTEGER:
      return view.At<int32_t>(row);
    case DUCKDB_TYPE_BIGINT:
      return view.At<int64_t>(row);
    default:
      return JoinHugeInt(view.At<duckdb_hugeint>(row));
  }
}

std::string_view EnumName(const VectorView& view, uint64_t row) {
  switch (view.type->storage) {
    case DUCKDB_TYPE_UTINYINT:
      return view.type->names[view.At<uint8_t>(row)];
    case DUCKDB_TYPE_USMALLINT:
      return view.type->names[view.At<uint16_t>(row)];
    default:
      return view.type->names[view.At<uint32_t>(row)];
  }
}

TypeInfo TypeInfo::Of(duckdb_logical_type type) {
  TypeInfo info;
  info.id = duckdb_get_type_id(type);
  info.alias = TakeText(duckdb_logical_type_get_alias(type));
  info.sql = IsNested(info.id) ? "" : SqlNameOf(info.id);
  if (info.id == DUCKDB_TYPE_DECIMAL) {
    info.width = duckdb_decimal_width(type);
    info.scale = duckdb_decimal_scale(type);
    info.storage = duckdb_decimal_internal_type(type);
    info.sql = fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), info.scale);
  } else if (info.id == DUCKDB_TYPE_ENUM) {
    info.storage = duckdb_enum_internal_type(type);
    for (uint32_t i = 0; i < duckdb_enum_dictionary_size(type); ++i) {
      info.names.push_back(TakeText(duckdb_enum_dictionary_value(type, i)));
    }
    info.sql = "ENUM";
  }
  FillNested(type, info);
  if (!info.alias.empty()) info.sql = info.alias;
  return info;
}

std::string TypeInfo::Unshowable() const {
  switch (id) {
    case DUCKDB_TYPE_TIME_TZ:
    case DUCKDB_TYPE_TIME_NS:
    case DUCKDB_TYPE_BIT:
    case DUCKDB_TYPE_UNION:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_GEOMETRY:
    case DUCKDB_TYPE_VARIANT:
      return sql;
    default:
      break;
  }
  for (const TypeInfo& child : children) {
    if (std::string name = child.Unshowable(); !name.empty()) return name;
  }
  return {};
}

VectorView::VectorView(const TypeInfo& type_info, duckdb_vector raw)
    : type(&type_info),
      vector(raw),
      data(duckdb_vector_get_data(raw)),
      validity(duckdb_vector_get_validity(raw)) {}

std::string_view VectorView::String(uint64_t row) const {
  const auto& value = At<duckdb_string_t>(row);
  if (value.value.inlined.length <= 12) {
    return {value.value.inlined.inlined, value.value.inlined.length};
  }
  return {value.value.pointer.ptr, value.value.pointer.length};
}

int64_t VectorView::Integer(uint64_t row) const {
  switch (type->id) {
    case DUCKDB_TYPE_TINYINT:
      return At<int8_t>(row);
    case DUCKDB_TYPE_SMALLINT:
      return At<int16_t>(row);
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
      return At<int32_t>(row);
    case DUCKDB_TYPE_UTINYINT:
      return At<uint8_t>(row);
    case DUCKDB_TYPE_USMALLINT:
      return At<uint16_t>(row);
    case DUCKDB_TYPE_UINTEGER:
      return At<uint32_t>(row);
    case DUCKDB_TYPE_TIMESTAMP_S:
      return At<int64_t>(row) * kMicrosPerSecond;
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return At<int64_t>(row) * 1000;
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return FloorDiv(At<int64_t>(row), 1000);
    default:
      return At<int64_t>(row);
  }
}

double VectorView::Number(uint64_t row) const {
  switch (type->id) {
    case DUCKDB_TYPE_FLOAT:
      return At<float>(row);
    case DUCKDB_TYPE_DECIMAL:
      return static_cast<double>(DecimalUnits(*this, row)) / std::pow(10.0, type->scale);
    default:
      return At<double>(row);
  }
}

void AppendCellText(const VectorView& view, uint64_t row, std::string& out) {
  if (view.IsNull(row)) return;
  switch (view.type->id) {
    case DUCKDB_TYPE_SQLNULL:
      return;
    case DUCKDB_TYPE_BOOLEAN:
      out += view.At<bool>(row) ? "true" : "false";
      return;
    case DUCKDB_TYPE_FLOAT:
      return AppendFloating(view.At<float>(row), out);
    case DUCKDB_TYPE_DOUBLE:
      return AppendFloating(view.At<double>(row), out);
    case DUCKDB_TYPE_DECIMAL:
      return AppendDecimal(DecimalUnits(view, row), view.type->scale, out);
    case DUCKDB_TYPE_HUGEINT:
      return AppendInt128(JoinHugeInt(view.At<duckdb_hugeint>(row)), out);
    case DUCKDB_TYPE_UHUGEINT: {
      const auto& value = view.At<duckdb_uhugeint>(row);
      out += fmt::format("{}", static_cast<UInt128>(value.upper) << 64 | value.lower);
      return;
    }
    case DUCKDB_TYPE_UBIGINT:
      out += fmt::format("{}", view.At<uint64_t>(row));
      return;
    case DUCKDB_TYPE_VARCHAR:
      out += view.String(row);
      return;
    case DUCKDB_TYPE_BLOB:
      return AppendBlob(view.String(row), out);
    case DUCKDB_TYPE_ENUM:
      out += EnumName(view, row);
      return;
    case DUCKDB_TYPE_UUID:
      return AppendUuid(view.At<duckdb_hugeint>(row), out);
    case DUCKDB_TYPE_INTERVAL:
      return AppendInterval(view.At<duckdb_interval>(row), out);
    case DUCKDB_TYPE_TIME:
      return AppendTimeOfDay(view.At<int64_t>(row), out);
    case DUCKDB_TYPE_DATE:
      if (AppendInfinity(view.Integer(row), std::numeric_limits<int32_t>::max(), out)) return;
      return AppendDate(view.Integer(row), out);
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_STRUCT:
      return AppendNestedJson(view, row, out);
    default:
      break;
  }
  if (IsTimestamp(view.type->id)) {
    AppendTimestamp(view.Integer(row), out);
    if (view.type->id == DUCKDB_TYPE_TIMESTAMP_TZ) out += "+00";
    return;
  }
  out += fmt::format("{}", view.Integer(row));
}

void AppendCellJson(const VectorView& view, uint64_t row, std::string& out) {
  if (view.IsNull(row)) {
    out += "null";
    return;
  }
  switch (view.type->id) {
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      if (!std::isfinite(view.Number(row))) {
        out += "null";
        return;
      }
      [[fallthrough]];
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_DECIMAL:
      return AppendCellText(view, row, out);
    case DUCKDB_TYPE_SQLNULL:
      out += "null";
      return;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_STRUCT:
      return AppendNestedJson(view, row, out);
    default:
      break;
  }
  if (view.type->alias == "JSON") {
    out += view.String(row);
    return;
  }
  std::string text;
  if (IsTimestamp(view.type->id)) {
    AppendIsoTimestamp(view.Integer(row), view.type->id == DUCKDB_TYPE_TIMESTAMP_TZ, text);
  } else {
    AppendCellText(view, row, text);
  }
  AppendJsonString(out, text);
}

}  // namespace vitalake::engine
