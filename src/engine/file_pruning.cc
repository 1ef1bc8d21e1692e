// PruneFiles: which files cannot hold a wanted row. Every doubt keeps the file: values that do not
// parse, statistics that are missing, bounds that are equal after rounding.
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/json_tree.h"
#include "engine/relation.h"
#include "engine/timestamp_text_internal.h"

namespace vitalake::engine {
namespace {

using delta::TypeKind;
using Op = ColumnBound::Op;

// Where two values lie to each other; kUnsure where they may be equal or cannot be compared.
enum class Order { kLess, kEqual, kGreater, kUnsure };

template <class T>
Order OrderOf(const T& a, const T& b) {
  return a < b ? Order::kLess : b < a ? Order::kGreater : a == b ? Order::kEqual : Order::kUnsure;
}

// A value of the log (statistic or partition value): its text, whatever JSON type it had.
using LogValue = std::optional<std::string_view>;

std::optional<long double> Number(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const long double value = std::strtold(copy.c_str(), &end);
  if (copy.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<long double> BoundNumber(const ColumnBound& bound) {
  if (const auto* integer = std::get_if<int64_t>(&bound.value)) return *integer;
  if (const auto* number = std::get_if<double>(&bound.value)) return *number;
  return std::nullopt;
}

Order OrderOfNumbers(TypeKind kind, std::string_view text, const ColumnBound& bound) {
  auto value = Number(text);
  const auto wanted = BoundNumber(bound);
  if (!value || !wanted) return Order::kUnsure;
  if (kind == TypeKind::kFloat) value = static_cast<float>(*value);
  if (kind == TypeKind::kDouble) value = static_cast<double>(*value);
  // A decimal against a binary fraction: both are rounded, so only a clear distance counts.
  if (kind == TypeKind::kDecimal && std::holds_alternative<double>(bound.value)) {
    const Order order = OrderOf(static_cast<double>(*value), static_cast<double>(*wanted));
    return order == Order::kEqual ? Order::kUnsure : order;
  }
  return OrderOf(*value, *wanted);
}

Order OrderOfTimes(std::string_view text, const std::string& wanted, int64_t widen) {
  const auto a = ParseTimestampText(text);
  const auto b = ParseTimestampText(wanted);
  if (!a || !b) return Order::kUnsure;
  return OrderOf(*a + widen, *b);
}

bool IsPlainDate(std::string_view text) { return text.size() == 10 && text[4] == '-'; }

// `widen`: microseconds that a timestamp of the log may really be later (some writers cut
// statistics to milliseconds).
Order Compare(TypeKind kind, std::string_view text, const ColumnBound& bound, int64_t widen) {
  switch (kind) {
    case TypeKind::kLong:
    case TypeKind::kInteger:
    case TypeKind::kShort:
    case TypeKind::kByte:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return OrderOfNumbers(kind, text, bound);
    case TypeKind::kBoolean: {
      const auto* wanted = std::get_if<bool>(&bound.value);
      if (!wanted || (text != "true" && text != "false")) return Order::kUnsure;
      return OrderOf(text == "true" ? 1 : 0, *wanted ? 1 : 0);
    }
    default:
      break;
  }
  const auto* wanted = std::get_if<std::string>(&bound.value);
  if (!wanted) return Order::kUnsure;
  switch (kind) {
    case TypeKind::kString:
      return OrderOf(text, std::string_view(*wanted));
    case TypeKind::kDate:
      if (!IsPlainDate(text) || !IsPlainDate(*wanted)) return Order::kUnsure;
      return OrderOf(text, std::string_view(*wanted));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return OrderOfTimes(text, *wanted, widen);
    default:
      return Order::kUnsure;
  }
}

// Whether values within [lower, upper] may satisfy the bound.
bool MayHold(TypeKind kind, LogValue lower, LogValue upper, const ColumnBound& bound,
             int64_t widen) {
  const Order low = lower ? Compare(kind, *lower, bound, 0) : Order::kUnsure;
  const Order high = upper ? Compare(kind, *upper, bound, widen) : Order::kUnsure;
  switch (bound.op) {
    case Op::kEqual:
      return low != Order::kGreater && high != Order::kLess;
    case Op::kLess:
      return low != Order::kGreater && low != Order::kEqual;
    case Op::kLessEqual:
      return low != Order::kGreater;
    case Op::kGreater:
      return high != Order::kLess && high != Order::kEqual;
    case Op::kGreaterEqual:
      return high != Order::kLess;
    default:
      return true;
  }
}

LogValue Find(JsonValue stats, std::string_view group, std::string_view column) {
  const JsonValue value = stats.Find(group).Find(column);
  if (!value || value.is_null() || value.is_object() || value.is_array()) return std::nullopt;
  return value.text();
}

bool MayHoldByStats(JsonValue stats, const delta::Field& field, const ColumnBound& bound) {
  const auto rows = stats.Find("numRecords");
  const auto nulls = stats.Find("nullCount").Find(field.name);
  if (nulls && nulls.is_number()) {
    if (bound.op == Op::kIsNull) return nulls.AsInt() != 0;
    if (rows && rows.is_number() && nulls.AsInt() == rows.AsInt()) return false;
  }
  // Statistics of any writer; times may be cut to milliseconds, which lowers an upper bound.
  return MayHold(field.type.kind(), Find(stats, "minValues", field.name),
                 Find(stats, "maxValues", field.name), bound, 999);
}

bool MayHoldByPartition(const delta::PartitionValues& values, const delta::Field& field,
                        const ColumnBound& bound) {
  const auto found = values.find(field.name);
  const bool is_null = found == values.end() || !found->second;
  if (bound.op == Op::kIsNull) return is_null;
  if (is_null) return false;
  return MayHold(field.type.kind(), *found->second, *found->second, bound, 0);
}

}  // namespace

std::vector<std::string> PruneFiles(const delta::Snapshot& snapshot,
                                    std::span<const ColumnBound> bounds) {
  struct Checked {
    const ColumnBound* bound;
    const delta::Field* field;
    bool partition;
  };
  std::vector<Checked> checked;
  bool needs_stats = false;
  for (const ColumnBound& bound : bounds) {
    const delta::Field* field = snapshot.schema().FindField(bound.column);
    if (!field) continue;
    bool partition = false;
    for (const auto& name : snapshot.metadata().partition_columns) partition |= name == field->name;
    needs_stats |= !partition;
    checked.push_back({&bound, field, partition});
  }
  std::vector<std::string> left;
  JsonParser parser;
  for (const delta::AddFilePtr& file : snapshot.files()) {
    JsonValue stats;
    if (needs_stats && !file->stats.empty()) {
      if (const auto tree = parser.Parse(file->stats)) stats = *tree;
    }
    bool keep = true;
    for (const auto& [bound, field, partition] : checked) {
      keep = keep && (partition ? MayHoldByPartition(file->partition_values, *field, *bound)
                                : MayHoldByStats(stats, *field, *bound));
    }
    if (keep) left.push_back(file->path);
  }
  return left;
}

}  // namespace vitalake::engine
