#include "engine/result_cell.h"

#include <algorithm>

#include "engine/cell_text_internal.h"

namespace vitalake::engine {
namespace {

VectorView ViewOf(const TypeInfo* type, void* vector, const void* data, const uint64_t* validity) {
  VectorView view;
  view.type = type;
  view.vector = static_cast<duckdb_vector>(vector);
  view.data = data;
  view.validity = validity;
  return view;
}

TypeId IdOf(const TypeInfo& info) {
  switch (info.id) {
    case DUCKDB_TYPE_SQLNULL:
      return TypeId::kNull;
    case DUCKDB_TYPE_BOOLEAN:
      return TypeId::kBoolean;
    case DUCKDB_TYPE_TINYINT:
      return TypeId::kTinyInt;
    case DUCKDB_TYPE_SMALLINT:
      return TypeId::kSmallInt;
    case DUCKDB_TYPE_INTEGER:
      return TypeId::kInteger;
    case DUCKDB_TYPE_BIGINT:
      return TypeId::kBigInt;
    case DUCKDB_TYPE_UTINYINT:
      return TypeId::kUTinyInt;
    case DUCKDB_TYPE_USMALLINT:
      return TypeId::kUSmallInt;
    case DUCKDB_TYPE_UINTEGER:
      return TypeId::kUInteger;
    case DUCKDB_TYPE_UBIGINT:
      return TypeId::kUBigInt;
    case DUCKDB_TYPE_HUGEINT:
      return TypeId::kHugeInt;
    case DUCKDB_TYPE_UHUGEINT:
      return TypeId::kUHugeInt;
    case DUCKDB_TYPE_FLOAT:
      return TypeId::kFloat;
    case DUCKDB_TYPE_DOUBLE:
      return TypeId::kDouble;
    case DUCKDB_TYPE_DECIMAL:
      return TypeId::kDecimal;
    case DUCKDB_TYPE_VARCHAR:
      return info.alias == "JSON" ? TypeId::kJson : TypeId::kVarchar;
    case DUCKDB_TYPE_BLOB:
      return TypeId::kBlob;
    case DUCKDB_TYPE_ENUM:
      return TypeId::kEnum;
    case DUCKDB_TYPE_DATE:
      return TypeId::kDate;
    case DUCKDB_TYPE_TIME:
      return TypeId::kTime;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return TypeId::kTimestamp;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return TypeId::kTimestampTz;
    case DUCKDB_TYPE_INTERVAL:
      return TypeId::kInterval;
    case DUCKDB_TYPE_UUID:
      return TypeId::kUuid;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
      return TypeId::kList;
    case DUCKDB_TYPE_STRUCT:
      return TypeId::kStruct;
    case DUCKDB_TYPE_MAP:
      return TypeId::kMap;
    default:
      return TypeId::kUnknown;
  }
}

}  // namespace

ResultType TypeInfo::Public() const {
  ResultType type{.id = IdOf(*this), .width = width, .scale = scale};
  type.letters = type.id == TypeId::kEnum &&
                 std::ranges::all_of(names, [](const auto& name) { return name.size() <= 1; });
  for (const TypeInfo& child : children) type.children.push_back(child.Public());
  return type;
}

ResultCell::ResultCell(const TypeInfo* type, void* vector, uint64_t row)
    : ResultCell(type, vector, duckdb_vector_get_data(static_cast<duckdb_vector>(vector)),
                 duckdb_vector_get_validity(static_cast<duckdb_vector>(vector)), row) {}

ResultCell::ResultCell(const TypeInfo* type, void* vector, const void* data,
                       const uint64_t* validity, uint64_t row)
    : type_(type),
      vector_(vector),
      data_(data),
      validity_(validity),
      row_(row),
      is_bare_null_(type->id == DUCKDB_TYPE_SQLNULL) {}

bool ResultCell::Bool() const { return static_cast<const bool*>(data_)[row_]; }

int64_t ResultCell::Int64() const { return ViewOf(type_, nullptr, data_, validity_).Integer(row_); }

uint64_t ResultCell::UInt64() const { return static_cast<const uint64_t*>(data_)[row_]; }

Int128 ResultCell::Wide() const {
  const VectorView view = ViewOf(type_, nullptr, data_, validity_);
  if (type_->id == DUCKDB_TYPE_DECIMAL) return DecimalUnits(view, row_);
  Int128 value = JoinHugeInt(view.At<duckdb_hugeint>(row_));
  // The engine keeps UUIDs with the top bit turned, so that they sort as signed numbers.
  if (type_->id == DUCKDB_TYPE_UUID) value ^= static_cast<Int128>(1) << 127;
  return value;
}

double ResultCell::Double() const { return ViewOf(type_, nullptr, data_, validity_).Number(row_); }

std::string_view ResultCell::String() const {
  const VectorView view = ViewOf(type_, nullptr, data_, validity_);
  return type_->id == DUCKDB_TYPE_ENUM ? EnumName(view, row_) : view.String(row_);
}

IntervalValue ResultCell::Interval() const {
  const auto& value = static_cast<const duckdb_interval*>(data_)[row_];
  return {.months = value.months, .days = value.days, .micros = value.micros};
}

uint64_t ResultCell::items() const {
  if (type_->id == DUCKDB_TYPE_ARRAY) return type_->array_size;
  return static_cast<const duckdb_list_entry*>(data_)[row_].length;
}

ResultCell ResultCell::Item(uint64_t i) const {
  const auto vector = static_cast<duckdb_vector>(vector_);
  if (type_->id == DUCKDB_TYPE_ARRAY) {
    return {type_->children.data(), duckdb_array_vector_get_child(vector),
            row_ * type_->array_size + i};
  }
  return {type_->children.data(), duckdb_list_vector_get_child(vector),
          static_cast<const duckdb_list_entry*>(data_)[row_].offset + i};
}

void ResultCell::AppendText(std::string& out) const {
  AppendCellText(ViewOf(type_, vector_, data_, validity_), row_, out);
}

void ResultCell::AppendJson(std::string& out) const {
  AppendCellJson(ViewOf(type_, vector_, data_, validity_), row_, out);
}

}  // namespace vitalake::engine
