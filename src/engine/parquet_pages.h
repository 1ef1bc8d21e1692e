// The pages of a Parquet column chunk: encodings and compression; and the ends of a file.
// Source: Apache Parquet, "Encodings" and parquet.thrift (PageHeader).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/thrift_compact.h"

namespace vitalake::engine {

// CompressionCodec of parquet.thrift, as far as it is known here.
enum class ParquetCodec : int64_t { kNone = 0, kZstd = 6 };

// Type of parquet.thrift.
enum class ParquetType : int64_t {
  kBoolean = 0,
  kInt32 = 1,
  kInt64 = 2,
  kInt96 = 3,
  kFloat = 4,
  kDouble = 5,
  kByteArray = 6,
  kFixed = 7
};

// How the values of a flat column lie in its chunks.
struct ChunkShape {
  ParquetType type = ParquetType::kByteArray;
  int64_t fixed_bytes = 0;  // kFixed
  bool optional = true;     // else required
  ParquetCodec codec = ParquetCodec::kZstd;
};

// Bytes of a value of that shape; 0: each has its own.
Result<int64_t> WidthOf(const ChunkShape& shape);

// A column chunk ready for a file.
struct EncodedChunk {
  std::string bytes;               // pages
  int64_t dictionary_bytes = 0;    // of them a dictionary page in front; 0: none
  int64_t uncompressed_bytes = 0;  // with headers
  int64_t rows = 0;
  int64_t nulls = 0;
  // PLAIN bytes of the least and the greatest value, in the order of the type (strings by
  // unsigned bytes). Nothing: no value, no such order, NaN, or more than 256 bytes.
  std::optional<std::string> min = std::nullopt;
  std::optional<std::string> max = std::nullopt;
};

// Compresses and decompresses pages, keeping the memory this takes. Not thread-safe.
class PageCodec {
 public:
  PageCodec();
  ~PageCodec();

  // kCorrupt when the result would not have `size` bytes.
  Result<std::string> Decompress(ParquetCodec codec, std::string_view bytes, int64_t size);
  // Lives until the next call; kNone: `bytes` themselves.
  Result<std::string_view> Compress(ParquetCodec codec, std::string_view bytes);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

// A page cut out of a chunk: its header and its bytes as they lie, compressed.
struct RawPage {
  ThriftValue header;
  std::string_view bytes;
};

// Appends a page with its header, of which `head` is the part of its kind (field `head_id`).
// Returns its size without compression. kUnsupported: 2 GB.
Result<int64_t> AppendPage(std::string& out, int64_t type, int16_t head_id, ThriftValue head,
                           std::string_view body, ParquetCodec codec, PageCodec& pages);

// Sets what the metadata of a chunk says of its pages, but for their places.
void DescribeChunk(const EncodedChunk& encoded, ThriftValue& metadata);

// What a file begins with, and what it ends with.
inline constexpr std::string_view kParquetMagic = "PAR1";
std::string EndOfParquet(const ThriftValue& footer);

// The pages of a chunk in order. kCorrupt when they do not fill it.
Result<std::vector<RawPage>> SplitPages(std::string_view chunk);

// The hybrid of runs and packed bits that levels and dictionary indexes are written in: the first
// `count` values of `width` bits (0 to 32) in `bytes`. kCorrupt when there are fewer.
Result<std::vector<uint32_t>> DecodeHybrid(std::string_view bytes, int width, int64_t count);
// Values need not fit `width` bits by themselves: a value that does not is a bug.
std::string EncodeHybrid(const std::vector<uint32_t>& values, int width);
// The same of one value, `count` times, and of the bits `from` to `to` of words, lowest first.
std::string EncodeRun(uint32_t value, size_t count, int width);
std::string EncodeBits(std::span<const uint64_t> words, size_t from, size_t to);

}  // namespace vitalake::engine
