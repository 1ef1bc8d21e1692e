// The pages of a Parquet column chunk: encodings and compression, no footer.
// Source: Apache Parquet, "Encodings" and parquet.thrift (PageHeader).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/thrift_compact.h"

namespace vitalake::engine {

// CompressionCodec of parquet.thrift, as far as it is known here.
enum class ParquetCodec : int64_t { kNone = 0, kZstd = 6 };

// Compresses and decompresses pages, keeping the memory this takes. Not thread-safe.
class PageCodec {
 public:
  PageCodec();
  ~PageCodec();

  // kCorrupt when the result would not have `size` bytes.
  Result<std::string> Decompress(ParquetCodec codec, std::string_view bytes, int64_t size);
  Result<std::string> Compress(ParquetCodec codec, std::string_view bytes);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

// A page cut out of a chunk: its header and its bytes as they lie, compressed.
struct RawPage {
  ThriftValue header;
  std::string_view bytes;
};

// The pages of a chunk in order. kCorrupt when they do not fill it.
Result<std::vector<RawPage>> SplitPages(std::string_view chunk);

// The hybrid of runs and packed bits that levels and dictionary indexes are written in: the first
// `count` values of `width` bits (0 to 32) in `bytes`. kCorrupt when there are fewer.
Result<std::vector<uint32_t>> DecodeHybrid(std::string_view bytes, int width, int64_t count);
// Values need not fit `width` bits by themselves: a value that does not is a bug.
std::string EncodeHybrid(const std::vector<uint32_t>& values, int width);

}  // namespace vitalake::engine
