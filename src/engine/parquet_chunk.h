// ColumnChunk: the values of one flat column in one row group of a Parquet file, in memory.
//
// A value is known by its PLAIN bytes (a string without its length, an integer little-endian, a
// boolean as one byte 0 or 1), so all types are one: rows point into a pool of such values, which
// is the chunk's dictionary or simply the values in their order. What was a dictionary stays one.
// Source: Apache Parquet, "Encodings", "Nested Encoding".
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/parquet_pages.h"

namespace vitalake::engine {

class ColumnChunk {
 public:
  // From the bytes of the chunk's pages. kUnsupported: version 2 pages, encodings other than PLAIN
  // and dictionary; kCorrupt.
  static Result<ColumnChunk> Decode(const ChunkShape& shape, int64_t rows, std::string_view pages,
                                    PageCodec& codec);

  int64_t rows() const { return static_cast<int64_t>(places_.size()); }
  // nullopt: null. Lives as long as the chunk.
  std::optional<std::string_view> At(int64_t row) const;
  // Returns whether that changes the row. The bytes must live as long as the chunk. A null in a
  // required column, or a value of another width, is a bug.
  bool Set(int64_t row, std::optional<std::string_view> value);

  // With a dictionary where that was one and is still worth it.
  Result<EncodedChunk> Encode(PageCodec& codec) const;

 private:
  explicit ColumnChunk(const ChunkShape& shape) : shape_(shape) {}

  Status AddPlain(std::string_view bytes, int64_t count);
  Status AddDictionary(const RawPage& page, PageCodec& codec);
  Status AddData(const RawPage& page, PageCodec& codec);

  static constexpr uint32_t kNull = UINT32_MAX;

  ChunkShape shape_;
  std::deque<std::string> buffers_;     // what the pool points into
  std::vector<std::string_view> pool_;  // values
  std::vector<uint32_t> places_;        // by row: in pool_, or kNull
  bool dictionary_ = false;             // pool_ was one
};

}  // namespace vitalake::engine
