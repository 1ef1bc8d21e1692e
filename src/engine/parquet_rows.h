// Single rows of a Parquet file, by their places.
//
// A scan decodes every row of a file into the engine's vectors to keep a few; here a column chunk
// is unpacked no further than the wanted rows need, and row groups without one are not read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "delta/schema.h"
#include "view/view.h"

namespace vitalake::engine {

// A column to read and the type its values are wanted as.
struct RowColumn {
  std::string name;
  view::ColumnType type = view::ColumnType::kVarchar;
};

// What cells hold values of a Delta type as; nullopt: they cannot (decimals, nested types).
std::optional<view::ColumnType> ColumnTypeOf(delta::TypeKind kind);
// The cells of a table's rows, in the order of its columns; nullopt where one cannot be a cell.
std::optional<std::vector<view::ColumnSpec>> CellColumns(const delta::Schema& schema);

// Calls `row` for each of `rows` (places in the file, from 0, ascending) in order, with its cells
// in the order of `columns`; a column that the file lacks is null. Memory: one column chunk, and
// the wanted rows of one row group. Errors of `row` end it.
//   kUnsupported     the file lacks such a row, or has a column with another type, nested,
//                    encrypted, or in an encoding that is not known here: read it by other means.
//                    Some rows may have been given already.
//   kCorrupt, kIo, kNotFound
Status ReadParquetRows(
    const std::filesystem::path& file, std::span<const int64_t> rows,
    std::span<const RowColumn> columns,
    const std::function<Status(int64_t place, std::span<const view::Cell> cells)>& row);

// Rows of a file, from its footer. Errors as above.
Result<int64_t> CountParquetRows(const std::filesystem::path& file);

}  // namespace vitalake::engine
