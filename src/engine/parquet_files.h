// Writing query results as Parquet files with the statistics a Delta log wants of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::engine {

struct ParquetColumn {
  std::string name;
  TypeId type = TypeId::kVarchar;
};

struct ParquetOptions {
  int64_t max_rows_per_file = 0;  // 0: one file; else about so many rows a file (a multiple of
                                  // row_group_rows)
  int64_t row_group_rows = 122'880;
  std::vector<std::string> sort_by = {};  // SQL expressions; empty: rows in any order
  // Minimum, maximum and null count are given for these columns alone.
  std::vector<std::string> stats_columns = {};
  bool values_repeat = true;  // false: no dictionary is tried for columns of several values
  // WritableColumns of the statement, where they are known; else it is asked for them first.
  std::vector<ParquetColumn> columns = {};
  std::string name_prefix = "part";  // files are named "<prefix>-<n>-<random>.parquet"
};

struct WrittenFile {
  std::filesystem::path path;
  int64_t size_bytes = 0;
  int64_t rows = 0;
  // Delta's per-file statistics: {"numRecords":..,"minValues":{..},"maxValues":{..},
  // "nullCount":{..}}. Bounds are left out where they are not exact and safe: NaN or infinity,
  // binary, nested; strings are cut to 32 characters (the upper bound rounded up, or left out).
  // Source: Delta PROTOCOL, "Per-file Statistics".
  std::string stats_json;
};

// Options of COPY for Parquet files that DuckDB writes: zstd at its quickest level, which is no
// larger on such data; a dictionary only where values repeat a lot, and no Bloom filter for it.
inline constexpr std::string_view kParquetFormat =
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 4096, "
    "WRITE_BLOOM_FILTER false";

// Runs `select_sql` and writes its rows to new files in `folder` (made on demand): zstd, dictionary
// where it pays; by ParquetWriter, or by DuckDB where a column is of a type that it does not write.
// The files are complete (size and footer checked) but not durable: PutFile does that. No row: no
// file, an empty list. After an error no file is left behind. Errors as Connection's; kNoSpace when
// the disk is full.
Result<std::vector<WrittenFile>> WriteParquet(Connection& connection, const std::string& select_sql,
                                              const std::filesystem::path& folder,
                                              const ParquetOptions& options, const Wait& wait = {});

// The columns of a statement; none when one is of a type that ParquetWriter does not write.
Result<std::vector<ParquetColumn>> WritableColumns(Connection& connection,
                                                   const std::string& select_sql,
                                                   const Wait& wait = {});

// kCorrupt unless `file` has `size_bytes` and ends (and begins) as a Parquet file does.
Status CheckParquetFile(const std::filesystem::path& file, int64_t size_bytes);

}  // namespace vitalake::engine
