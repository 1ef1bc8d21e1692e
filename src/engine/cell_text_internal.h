// Cells of DuckDB's vectors as text and as JSON. For this module alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/duckdb_internal.h"
#include "engine/result_cell.h"

namespace vitalake::engine {

// A logical type, taken apart once per column.
struct TypeInfo {
  duckdb_type id = DUCKDB_TYPE_INVALID;
  std::string alias;                          // "JSON"; else empty
  uint8_t width = 0;                          // DECIMAL
  uint8_t scale = 0;                          // DECIMAL
  duckdb_type storage = DUCKDB_TYPE_INVALID;  // DECIMAL, ENUM: the integer type beneath
  uint64_t array_size = 0;                    // ARRAY
  std::vector<std::string> names;             // STRUCT: members; ENUM: values
  std::vector<TypeInfo> children;             // LIST, ARRAY: 1; MAP: key, value; STRUCT: members
  std::string sql;                            // the type as SQL writes it

  static TypeInfo Of(duckdb_logical_type type);
  // The name of the first type in it that cannot be shown as text; "" when all can.
  std::string Unshowable() const;
  // For those outside this module.
  ResultType Public() const;
};

// One vector with its data pointers looked up.
struct VectorView {
  const TypeInfo* type = nullptr;
  duckdb_vector vector = nullptr;
  const void* data = nullptr;
  const uint64_t* validity = nullptr;  // null: no NULL in it

  VectorView() = default;
  VectorView(const TypeInfo& type, duckdb_vector vector);
  bool IsNull(uint64_t row) const { return validity && !(validity[row / 64] >> (row % 64) & 1); }
  template <class T>
  const T& At(uint64_t row) const {
    return static_cast<const T*>(data)[row];
  }
  std::string_view String(uint64_t row) const;
  // Any integer type, DATE, TIMESTAMP types in microseconds.
  int64_t Integer(uint64_t row) const;
  double Number(uint64_t row) const;  // FLOAT, DOUBLE, DECIMAL
};

Int128 JoinHugeInt(duckdb_hugeint value);
// DECIMAL: value * 10^scale.
Int128 DecimalUnits(const VectorView& view, uint64_t row);
std::string_view EnumName(const VectorView& view, uint64_t row);

// See QueryResult::Text and AppendJson. NULL appends nothing / "null".
void AppendCellText(const VectorView& view, uint64_t row, std::string& out);
void AppendCellJson(const VectorView& view, uint64_t row, std::string& out);

}  // namespace vitalake::engine
