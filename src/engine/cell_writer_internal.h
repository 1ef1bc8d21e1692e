// Writing view cells into DuckDB's vectors. For this module alone.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/duckdb_internal.h"
#include "view/view.h"

namespace vitalake::engine {

duckdb_type NativeType(view::ColumnType type);

// One column of a chunk being filled. Cheap to make; make anew after the chunk was reset.
class CellWriter {
 public:
  CellWriter(view::ColumnType type, duckdb_vector vector)
      : type_(type), vector_(vector), data_(duckdb_vector_get_data(vector)) {}

  // `cell.text` must be UTF-8.
  void Put(uint64_t row, const view::Cell& cell) {
    if (cell.is_null) {
      PutNull(row);
      return;
    }
    switch (type_) {
      case view::ColumnType::kBoolean:
        As<bool>()[row] = cell.boolean;
        break;
      case view::ColumnType::kInteger:
      case view::ColumnType::kDate:
        As<int32_t>()[row] = static_cast<int32_t>(cell.integer);
        break;
      case view::ColumnType::kBigint:
      case view::ColumnType::kTimestamp:
        As<int64_t>()[row] = cell.integer;
        break;
      case view::ColumnType::kDouble:
        As<double>()[row] = cell.number;
        break;
      case view::ColumnType::kVarchar:
        PutText(row, cell.text);
        break;
    }
  }

  void PutNull(uint64_t row) {
    if (!validity_) {
      duckdb_vector_ensure_validity_writable(vector_);
      validity_ = duckdb_vector_get_validity(vector_);
    }
    validity_[row / 64] &= ~(uint64_t{1} << (row % 64));
  }

 private:
  template <class T>
  T* As() {
    return static_cast<T*>(data_);
  }

  // Short strings lie in the cell itself and need no call.
  void PutText(uint64_t row, std::string_view text) {
    if (text.size() > 12) {
      duckdb_unsafe_vector_assign_string_element_len(vector_, row, text.data(), text.size());
      return;
    }
    duckdb_string_t value;
    std::memset(&value, 0, sizeof(value));
    value.value.inlined.length = static_cast<uint32_t>(text.size());
    if (!text.empty()) std::memcpy(value.value.inlined.inlined, text.data(), text.size());
    As<duckdb_string_t>()[row] = value;
  }

  view::ColumnType type_;
  duckdb_vector vector_;
  void* data_;
  uint64_t* validity_ = nullptr;
};

}  // namespace vitalake::engine
