#include "engine/parquet_chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/column_encoder.h"
#include "engine/parquet_fields_internal.h"

namespace vitalake::engine {
namespace {

constexpr int64_t kMaxRows = int64_t{1} << 27;
constexpr std::string_view kFlags("\0\1", 2);

std::unexpected<Error> Corrupt(std::string_view what) {
  return Fail(ErrorKind::kCorrupt, fmt::format("a damaged Parquet column chunk: {}", what));
}
std::unexpected<Error> Unsupported(std::string_view what) {
  return Fail(ErrorKind::kUnsupported, std::string(what));
}

}  // namespace

// `count` values of a PLAIN page to the end of the pool.
Status ColumnChunk::AddPlain(std::string_view bytes, int64_t count) {
  VL_TRY(const int64_t width, WidthOf(shape_));
  const auto wanted = static_cast<size_t>(count);
  if (shape_.type == ParquetType::kBoolean) {
    if (bytes.size() < (wanted + 7) / 8) return Corrupt("too few values");
    for (size_t i = 0; i < wanted; ++i) {
      pool_.push_back(kFlags.substr(static_cast<uint8_t>(bytes[i / 8]) >> (i % 8) & 1, 1));
    }
    return {};
  }
  if (width > 0) {
    if (bytes.size() / static_cast<size_t>(width) < wanted) return Corrupt("too few values");
    for (size_t i = 0; i < wanted; ++i) {
      pool_.push_back(bytes.substr(i * static_cast<size_t>(width), static_cast<size_t>(width)));
    }
    return {};
  }
  for (size_t i = 0; i < wanted; ++i) {
    if (bytes.size() < 4) return Corrupt("too few values");
    const auto size = NumberAt<uint32_t>(bytes, 0);
    bytes.remove_prefix(4);
    if (size > bytes.size()) return Corrupt("a value that is cut off");
    pool_.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return {};
}

Status ColumnChunk::AddDictionary(const RawPage& page, PageCodec& codec) {
  const ThriftValue* head = page.header.Find(page::kDictionary);
  if (!head || !pool_.empty() || !places_.empty()) return Corrupt("a dictionary out of place");
  const int64_t encoding = head->Int(page_head::kEncoding).value_or(-1);
  if (encoding != encoding::kPlain && encoding != encoding::kPlainDictionary) {
    return Unsupported("a dictionary in another encoding than PLAIN");
  }
  const int64_t count = head->Int(page_head::kValues).value_or(-1);
  if (count < 0) return Corrupt("its dictionary has no size");
  VL_TRY(buffers_.emplace_back(),
         codec.Decompress(shape_.codec, page.bytes,
                          page.header.Int(page::kUncompressedSize).value_or(-1)));
  dictionary_ = true;
  return AddPlain(buffers_.back(), count);
}

Status ColumnChunk::AddData(const RawPage& page, PageCodec& codec) {
  const ThriftValue* head = page.header.Find(page::kData);
  if (!head) return Corrupt("a data page without its header");
  const int64_t count = head->Int(page_head::kValues).value_or(-1);
  if (count < 0 || count > static_cast<int64_t>(places_.capacity() - places_.size())) {
    return Corrupt("more values than rows");
  }
  VL_TRY(buffers_.emplace_back(),
         codec.Decompress(shape_.codec, page.bytes,
                          page.header.Int(page::kUncompressedSize).value_or(-1)));
  std::string_view body = buffers_.back();
  std::vector<uint32_t> defined(static_cast<size_t>(count), 1);
  if (shape_.optional) {
    if (head->Int(page_head::kDefinitionEncoding) != encoding::kRle) {
      return Unsupported("levels in another encoding than RLE");
    }
    if (body.size() < 4 || NumberAt<uint32_t>(body, 0) > body.size() - 4) {
      return Corrupt("its levels are cut off");
    }
    const size_t level_bytes = NumberAt<uint32_t>(body, 0);
    VL_TRY(defined, DecodeHybrid(body.substr(4, level_bytes), 1, count));
    body.remove_prefix(4 + level_bytes);
  }
  const auto values = static_cast<int64_t>(std::ranges::count(defined, 1u));
  const int64_t encoding = head->Int(page_head::kEncoding).value_or(-1);
  if (encoding == encoding::kPlain) {
    auto next = static_cast<uint32_t>(pool_.size());
    if (values > 0) dictionary_ = false;
    VL_RETURN_IF_ERROR(AddPlain(body, values));
    for (const uint32_t is : defined) places_.push_back(is ? next++ : kNull);
    return {};
  }
  if (encoding != encoding::kPlainDictionary && encoding != encoding::kRleDictionary) {
    return Unsupported("another encoding than PLAIN and dictionary");
  }
  std::vector<uint32_t> indexes;
  if (values > 0) {
    if (body.empty()) return Corrupt("too few values");
    VL_TRY(indexes, DecodeHybrid(body.substr(1), static_cast<uint8_t>(body[0]), values));
  }
  auto next = indexes.begin();
  for (const uint32_t is : defined) {
    if (is && *next >= pool_.size()) return Corrupt("a value that its dictionary lacks");
    places_.push_back(is ? *next++ : kNull);
  }
  return {};
}

Result<ColumnChunk> ColumnChunk::Decode(const ChunkShape& shape, int64_t rows,
                                        std::string_view pages, PageCodec& codec) {
  ColumnChunk chunk(shape);
  // No writer makes such row groups; memory is taken by what the footer says.
  if (rows < 0 || rows > kMaxRows) return Unsupported("a row group of so many rows");
  chunk.places_.reserve(static_cast<size_t>(rows));
  VL_TRY(const auto split, SplitPages(pages));
  for (const RawPage& page : split) {
    const int64_t type = page.header.Int(page::kType).value_or(-1);
    if (type == page::kDictionaryPage) {
      VL_RETURN_IF_ERROR(chunk.AddDictionary(page, codec));
    } else if (type == page::kDataPage) {
      VL_RETURN_IF_ERROR(chunk.AddData(page, codec));
    } else {
      return Unsupported("pages of another version");
    }
  }
  if (chunk.rows() != rows) return Corrupt("fewer values than rows");
  return chunk;
}

std::optional<std::string_view> ColumnChunk::At(int64_t row) const {
  const uint32_t place = places_[static_cast<size_t>(row)];
  if (place == kNull) return std::nullopt;
  return pool_[place];
}

bool ColumnChunk::Set(int64_t row, std::optional<std::string_view> value) {
  if (At(row) == value) return false;
  uint32_t& place = places_[static_cast<size_t>(row)];
  if (!value) {
    VL_CHECK(shape_.optional);
    place = kNull;
    return true;
  }
  const auto width = WidthOf(shape_);
  VL_CHECK(width && (*width == 0 || *width == static_cast<int64_t>(value->size())));
  place = static_cast<uint32_t>(pool_.size());
  pool_.push_back(*value);
  return true;
}

Result<EncodedChunk> ColumnChunk::Encode(PageCodec& codec) const {
  VL_TRY(ColumnEncoder encoder, ColumnEncoder::Make(shape_, dictionary_, codec));
  for (const uint32_t place : places_) {
    if (place == kNull) {
      encoder.PutNulls(1);
    } else {
      encoder.PutPlain(pool_[place]);
    }
  }
  return encoder.Finish();
}

}  // namespace vitalake::engine
