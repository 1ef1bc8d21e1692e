// CellFile: rows of cells into one Parquet file, a row at a time, without a statement.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/result.h"
#include "engine/parquet_files.h"
#include "engine/parquet_writer.h"
#include "view/view.h"

namespace vitalake::engine {

// Not thread-safe. Memory: a row group of 20,480 rows, encoded.
class CellFile {
 public:
  // Errors as ParquetWriter's; after one the file may be there, in part.
  static Result<CellFile> Create(const std::filesystem::path& path,
                                 std::span<const view::ColumnSpec> columns);

  // A row: the cells of `row`, then those of `rest`; together one per column.
  Status Put(std::span<const view::Cell> row, std::span<const view::Cell> rest = {});
  int64_t rows() const { return writer_.rows() + static_cast<int64_t>(group_.rows()); }
  // As ParquetWriter.
  Result<WrittenFile> Finish(std::span<const std::string> stats_columns);

 private:
  CellFile(RowGroup group, ParquetWriter writer)
      : group_(std::move(group)), writer_(std::move(writer)) {}
  Status EndGroup();

  RowGroup group_;
  ParquetWriter writer_;
};

}  // namespace vitalake::engine
