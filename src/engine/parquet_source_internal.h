// A Parquet file to take column chunks from: its footer, and where the chunks lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/parquet_chunk.h"
#include "engine/thrift_compact.h"

namespace vitalake::engine {

// Bytes [begin, begin + size) of a file.
struct ChunkPlace {
  int64_t begin = 0;
  int64_t size = 0;
};

// Not thread-safe.
class ParquetSource {
 public:
  // kNotFound, kIo; kCorrupt when there is no readable footer; kUnsupported when encrypted.
  static Result<ParquetSource> Open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  ThriftValue& footer() { return footer_; }
  std::vector<ThriftValue>& groups();
  const std::vector<ThriftValue>& groups() const;
  // The schema element of a flat column; null when there is none of that name or it is nested.
  const ThriftValue* FlatElement(std::string_view name) const;

  // Whether there is a column of that name, flat or nested.
  bool HasColumn(std::string_view name) const;

  // Where a column chunk's pages lie. kUnsupported when that is outside the file, or encrypted.
  Result<ChunkPlace> PlaceOf(const ThriftValue& column) const;
  Result<std::string> Read(const ChunkPlace& place);
  // The values of a flat column's chunk in a row group of `rows`.
  Result<ColumnChunk> Decode(const ThriftValue& column, int64_t rows, PageCodec& codec);

 private:
  std::filesystem::path path_;
  std::ifstream in_;
  int64_t data_end_ = 0;  // where the footer begins
  ThriftValue footer_;
};

// The name of a flat column's chunk, "" for a nested one's.
std::string ColumnOf(const ThriftValue& column);

// Whether a column's values are those of the SQL type as Vitalake writes it: BOOLEAN, INTEGER,
// BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP WITH TIME ZONE (microseconds).
bool HoldsType(const ThriftValue& element, std::string_view sql_type);

}  // namespace vitalake::engine
