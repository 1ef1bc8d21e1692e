// ParquetWriter: flat columns as a Parquet file, row group by row group, without the engine.
//
// Rows go into a RowGroup (one per thread that makes them), a full one goes into the file. Columns
// are optional, compressed with zstd, their values in the order of the rows put.
// Source: Apache Parquet, "File Format" and parquet.thrift.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/column_encoder.h"
#include "engine/parquet_files.h"
#include "engine/result_cell.h"
#include "engine/thrift_compact.h"
#include "storage/posix_file.h"
#include "view/view.h"

namespace vitalake::engine {

// The type that SQL writes so ("BIGINT", "TIMESTAMP WITH TIME ZONE"), if columns of it can be
// written: BOOLEAN, TINYINT to BIGINT, FLOAT, DOUBLE, VARCHAR, BLOB, DATE, TIMESTAMP with and
// without time zone (microseconds).
std::optional<TypeId> WritableType(std::string_view sql_type);

// The columns for cells of these (view::Cell).
std::vector<ParquetColumn> ColumnsOfCells(std::span<const view::ColumnSpec> specs);

// The rows of one row group, column by column. Not thread-safe.
class RowGroup {
 public:
  RowGroup(std::span<const ParquetColumn> columns, bool values_repeat);

  // One row is put by a value into each column.
  ColumnEncoder& column(size_t i) { return columns_[i]; }
  // The value of one, where the columns are ColumnsOfCells.
  void PutCell(size_t i, const view::Cell& cell);
  size_t rows() const { return columns_.empty() ? 0 : columns_.front().rows(); }
  // Ends it; the next row begins another.
  Result<std::vector<EncodedChunk>> Finish();

 private:
  std::unique_ptr<PageCodec> codec_;
  std::vector<TypeId> types_;
  std::vector<ColumnEncoder> columns_;
};

// Not thread-safe. Errors: kNoSpace, kIo, kPermission, ...
class ParquetWriter {
 public:
  static Result<ParquetWriter> Create(const std::filesystem::path& path,
                                      std::vector<ParquetColumn> columns);

  // A row group: a chunk per column.
  Status Add(std::vector<EncodedChunk> chunks);
  int64_t rows() const { return rows_; }
  // The file is complete then, but not durable. Statistics are given for `stats_columns`.
  Result<WrittenFile> Finish(std::span<const std::string> stats_columns);

 private:
  // What is known of a column over all row groups.
  struct Bounds {
    bool known = true;  // no chunk with values was without bounds
    int64_t nulls = 0;
    std::optional<std::string> min = std::nullopt;
    std::optional<std::string> max = std::nullopt;
  };

  ParquetWriter(std::filesystem::path path, std::vector<ParquetColumn> columns, storage::Fd file);

  Status Write(std::string_view bytes);
  Status Flush();
  void Widen(size_t column, const EncodedChunk& chunk);
  ThriftValue Metadata(size_t column, const EncodedChunk& chunk) const;
  ThriftValue Footer();

  std::filesystem::path path_;
  std::vector<ParquetColumn> columns_;
  storage::Fd file_;
  storage::PosixCalls calls_ = storage::PosixCalls::Real();
  std::string waiting_;  // to be written
  int64_t at_ = 0;       // of the file, with what waits
  int64_t rows_ = 0;
  std::vector<Bounds> bounds_;
  std::vector<ThriftValue> groups_;
};

}  // namespace vitalake::engine
