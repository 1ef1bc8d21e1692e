#include "view/cell.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json_writer.h"
#include "fhir/datetime.h"

namespace vitalake::view {
namespace {

void AppendNode(JsonValue value, std::string& out) {
  switch (value.type()) {
    case JsonType::kString:
      AppendJsonString(out, value.text());
      return;
    case JsonType::kObject:
    case JsonType::kArray: {
      const bool object = value.is_object();
      out += object ? '{' : '[';
      bool first = true;
      for (JsonValue child : value.children()) {
        if (object && child.is_null()) continue;  // no member at all; in an array it keeps a place
        if (!std::exchange(first, false)) out += ',';
        if (object) {
          AppendJsonString(out, child.key());
          out += ':';
        }
        AppendNode(child, out);
      }
      out += object ? '}' : ']';
      return;
    }
    default:
      out += value.text();
      return;
  }
}

bool Mismatch(const ColumnSpec& column, const Item& item, Env& env) {
  static constexpr std::string_view kNames[] = {"boolean", "integer", "bigint",   "number",
                                                "text",    "date",    "timestamp"};
  return env.Fail(fmt::format("found {}, but the column is {}", TypeName(item),
                              kNames[static_cast<size_t>(column.type)]));
}

bool IsPrimitiveType(std::string_view fhir_type) {
  return !fhir_type.empty() && fhir_type[0] >= 'a' && fhir_type[0] <= 'z' &&
         fhir_type.find('/') == std::string_view::npos;
}

bool FillText(const ColumnSpec& column, const Item& item, Env& env, Cell& cell) {
  switch (item.kind) {
    case ItemKind::kNode: {
      const JsonValue value = item.value();
      if (value.is_string() || value.is_number() || value.is_bool()) {
        cell.text = value.text();
        return true;
      }
      if (IsPrimitiveType(column.fhir_type)) return Mismatch(column, item, env);
      std::string json;
      AppendNode(value, json);
      cell.text = env.Keep(json);
      return true;
    }
    case ItemKind::kBoolean:
      cell.text = item.integer != 0 ? "true" : "false";
      return true;
    case ItemKind::kInteger:
      cell.text = item.text.empty() ? env.Keep(std::to_string(item.integer)) : item.text;
      return true;
    case ItemKind::kQuantity:
      cell.text = env.Keep(fmt::format("{} '{}'", item.text, item.unit));
      return true;
    default:
      cell.text = item.text;
      return true;
  }
}

// The characters of a number or of a text that may hold one.
std::string_view Digits(const Item& item) {
  if (item.kind == ItemKind::kNode) {
    const JsonValue value = item.value();
    return value.is_string() || value.is_number() ? value.text() : std::string_view();
  }
  return item.kind == ItemKind::kDecimal || item.kind == ItemKind::kString ? item.text
                                                                           : std::string_view();
}

bool FillInteger(const ColumnSpec& column, const Item& item, Env& env, Cell& cell) {
  if (item.kind == ItemKind::kInteger) {
    cell.integer = item.integer;
  } else {
    const std::string_view digits = Digits(item);
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, cell.integer);
    if (digits.empty() || error != std::errc() || at != end) return Mismatch(column, item, env);
  }
  const bool fits = column.type == ColumnType::kBigint ||
                    (cell.integer >= INT32_MIN && cell.integer <= INT32_MAX);
  return fits || env.Fail("an integer out of the column's range");
}

bool FillNumber(const ColumnSpec& column, const Item& item, Env& env, Cell& cell) {
  if (item.kind == ItemKind::kInteger) {
    cell.number = static_cast<double>(item.integer);
    return true;
  }
  const std::string_view digits = Digits(item);
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, cell.number);
  return (!digits.empty() && error == std::errc() && at == end && std::isfinite(cell.number)) ||
         Mismatch(column, item, env);
}

bool FillBoolean(const ColumnSpec& column, const Item& item, Env& env, Cell& cell) {
  if (item.kind == ItemKind::kBoolean) {
    cell.boolean = item.integer != 0;
    return true;
  }
  if (!item.value().is_bool()) return Mismatch(column, item, env);
  cell.boolean = item.node->type == JsonType::kTrue;
  return true;
}

bool FillMoment(const ColumnSpec& column, const Item& item, Env& env, Cell& cell) {
  const bool node_text = item.kind == ItemKind::kNode && item.value().is_string();
  if (!node_text && !item.is_text()) return Mismatch(column, item, env);
  const auto moment = fhir::ParseDateTime(node_text ? item.value().text() : item.text);
  cell.is_null = true;
  if (!moment) return true;
  if (column.type == ColumnType::kDate) {
    if (moment->precision < fhir::DatePrecision::kDay) return true;
    cell.integer = moment->LocalDay();
  } else {
    const auto utc = moment->Utc();
    if (!utc) return true;
    cell.integer = *utc;
  }
  cell.is_null = false;
  return true;
}

}  // namespace

bool FillCell(const ColumnSpec& column, const Item& item, Env& env, Cell& cell) {
  cell.is_null = false;
  switch (column.type) {
    case ColumnType::kVarchar:
      return FillText(column, item, env, cell);
    case ColumnType::kBoolean:
      return FillBoolean(column, item, env, cell);
    case ColumnType::kInteger:
    case ColumnType::kBigint:
      return FillInteger(column, item, env, cell);
    case ColumnType::kDouble:
      return FillNumber(column, item, env, cell);
    case ColumnType::kDate:
    case ColumnType::kTimestamp:
      return FillMoment(column, item, env, cell);
  }
  return true;
}

void AppendJson(const Item& item, std::string& out) {
  switch (item.kind) {
    case ItemKind::kNode:
      AppendNode(item.value(), out);
      return;
    case ItemKind::kBoolean:
      out += item.integer != 0 ? "true" : "false";
      return;
    case ItemKind::kInteger:
      out += std::to_string(item.integer);
      return;
    case ItemKind::kDecimal:
      out += item.text;
      return;
    case ItemKind::kQuantity:
      out += "{\"value\":";
      out += item.text;
      out += ",\"code\":";
      AppendJsonString(out, item.unit);
      out += '}';
      return;
    default:
      AppendJsonString(out, item.text);
      return;
  }
}

}  // namespace vitalake::view
