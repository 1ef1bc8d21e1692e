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

// Columns of a table by name; nullopt where one is not there, or its values cannot be cells
// (decimals, nested types).
std::optional<std::vector<RowColumn>> RowColumns(const delta::Schema& schema,
                                                 std::span<const std::string> names);
// The same columns, as those that make or keep rows want them.
std::vector<view::ColumnSpec> SpecsOf(std::span<const RowColumn> columns);
// All columns of a table; nullopt where the values of one cannot be cells.
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

// The same of all rows. kUnsupported, too, before anything is made of them, where the file says it
// has more than 4,294,967,295.
Status ReadAllParquetRows(
    const std::filesystem::path& file, std::span<const RowColumn> columns,
    const std::function<Status(int64_t place, std::span<const view::Cell> cells)>& row);

}  // namespace vitalake::engine
