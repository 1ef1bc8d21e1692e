// Parquet files in which some rows get other values in some columns.
//
// Of each row group only the columns in which a value differs are decoded and encoded anew;
// everything else is copied byte for byte. Of a wide table with a few changed columns that is a
// small part of the work, and it needs the memory of one column chunk.
// Source: Apache Parquet, "File Format" and parquet.thrift.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "view/view.h"

namespace vitalake::engine {

// The values that `rows` of a file get in one column.
struct ColumnPatch {
  std::string column;
  // As SQL names it: BOOLEAN, INTEGER, BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP WITH TIME ZONE.
  std::string type;
  // One per row: its PLAIN bytes (ColumnChunk), nullopt for null.
  std::vector<std::optional<std::string>> values;
};

struct RowPatch {
  std::vector<int64_t> rows;  // places in the file, from 0, ascending
  std::vector<ColumnPatch> columns;
};

// From the rest of a result: its first column is the place of each row, in order, the others are
// named and typed as those of the file.
Result<RowPatch> ReadPatch(QueryResult& rows);

// A value of a ColumnPatch.
std::optional<std::string> PatchValue(const view::Cell& cell, view::ColumnType type);

struct SplicedFile {
  int64_t size_bytes = 0;
  int64_t rows = 0;
};

// Writes `target`: the rows of `base` in their order, with the values of `patch`. `target` is
// complete then, but not durable; no file is left after an error.
//   kUnsupported     the file lacks such a row or column, or has it with another type, nested,
//                    encrypted, or in an encoding that is not known here: the rows must be written
//                    by other means
//   kCorrupt, kIo, kNoSpace, kNotFound
Result<SplicedFile> SpliceParquet(const std::filesystem::path& base, const RowPatch& patch,
                                  const std::filesystem::path& target);

}  // namespace vitalake::engine
