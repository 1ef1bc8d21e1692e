#include "engine/parquet_chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "engine/parquet_fields_internal.h"

namespace vitalake::engine {
namespace {

static_assert(std::endian::native == std::endian::little);

// A dictionary of more values is none.
constexpr size_t kMaxDictionary = 4096;
constexpr size_t kMaxBoundBytes = 256;
constexpr int64_t kMaxRows = int64_t{1} << 27;
constexpr std::string_view kFlags("\0\1", 2);

std::unexpected<Error> Corrupt(std::string_view what) {
  return Fail(ErrorKind::kCorrupt, fmt::format("a damaged Parquet column chunk: {}", what));
}
std::unexpected<Error> Unsupported(std::string_view what) {
  return Fail(ErrorKind::kUnsupported, std::string(what));
}

template <class T>
T ValueOf(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

template <class T>
bool Less(std::string_view a, std::string_view b) {
  return ValueOf<T>(a) < ValueOf<T>(b);
}

bool IsNan(ParquetType type, std::string_view value) {
  if (type == ParquetType::kFloat) return std::isnan(ValueOf<float>(value));
  return type == ParquetType::kDouble && std::isnan(ValueOf<double>(value));
}

int BitsFor(size_t values) { return values < 2 ? 0 : std::bit_width(values - 1); }

void AppendSize(std::string& out, size_t size) {
  const auto bytes = static_cast<uint32_t>(size);
  out.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
}

ThriftValue Int32(int64_t value) { return ThriftInt(ThriftType::kI32, value); }

// Appends a page with its header; returns its size without compression.
Result<int64_t> AppendPage(std::string& out, int64_t type, int16_t head_id, ThriftValue head,
                           std::string_view body, ParquetCodec codec, PageCodec& pages) {
  if (body.size() > std::numeric_limits<int32_t>::max()) return Unsupported("a page of 2 GB");
  VL_TRY(const std::string compressed, pages.Compress(codec, body));
  ThriftValue header;
  header.Put(page::kType, Int32(type));
  header.Put(page::kUncompressedSize, Int32(static_cast<int64_t>(body.size())));
  header.Put(page::kCompressedSize, Int32(static_cast<int64_t>(compressed.size())));
  header.Put(head_id, std::move(head));
  const std::string bytes = WriteThriftStruct(header);
  out += bytes;
  out += compressed;
  return static_cast<int64_t>(bytes.size() + body.size());
}

}  // namespace

// Bytes of a value; 0: each has its own.
Result<int64_t> ColumnChunk::Width() const {
  switch (shape_.type) {
    case ParquetType::kBoolean:
      return 1;
    case ParquetType::kInt32:
    case ParquetType::kFloat:
      return 4;
    case ParquetType::kInt64:
    case ParquetType::kDouble:
      return 8;
    case ParquetType::kInt96:
      return 12;
    case ParquetType::kByteArray:
      return 0;
    case ParquetType::kFixed:
      if (shape_.fixed_bytes > 0) return shape_.fixed_bytes;
  }
  return Unsupported("a physical type that is not known");
}

// `count` values of a PLAIN page to the end of the pool.
Status ColumnChunk::AddPlain(std::string_view bytes, int64_t count) {
  VL_TRY(const int64_t width, Width());
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
    const auto size = ValueOf<uint32_t>(bytes);
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
    if (body.size() < 4 || ValueOf<uint32_t>(body) > body.size() - 4) {
      return Corrupt("its levels are cut off");
    }
    const size_t level_bytes = ValueOf<uint32_t>(body);
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
  const auto width = Width();
  VL_CHECK(width && (*width == 0 || *width == static_cast<int64_t>(value->size())));
  auto next = static_cast<uint32_t>(pool_.size());
  if (dictionary_) {
    if (known_.empty()) {
      for (uint32_t i = 0; i < next; ++i) known_.emplace(pool_[i], i);
    }
    next = known_.emplace(*value, next).first->second;
  }
  if (next == pool_.size()) pool_.push_back(*value);
  place = next;
  return true;
}

std::string ColumnChunk::PlainBytes(const std::vector<std::string_view>& values) const {
  std::string out;
  if (shape_.type == ParquetType::kBoolean) {
    out.resize((values.size() + 7) / 8, '\0');
    for (size_t i = 0; i < values.size(); ++i) {
      out[i / 8] = static_cast<char>(out[i / 8] | values[i][0] << (i % 8));
    }
    return out;
  }
  size_t size = 0;
  for (const std::string_view value : values) size += value.size() + 4;
  out.reserve(size);
  for (const std::string_view value : values) {
    if (shape_.type == ParquetType::kByteArray) AppendSize(out, value.size());
    out += value;
  }
  return out;
}

void ColumnChunk::FindBounds(const std::vector<std::string_view>& values, Encoded& out) const {
  if (values.empty()) return;
  const auto keep = [&](const auto& less) {
    const auto [min, max] = std::ranges::minmax_element(values, less);
    if (std::max(min->size(), max->size()) > kMaxBoundBytes) return;
    out.min = *min;
    out.max = *max;
  };
  switch (shape_.type) {
    case ParquetType::kBoolean:
    case ParquetType::kByteArray:
      return keep(std::less<std::string_view>());
    case ParquetType::kInt32:
      return keep(Less<int32_t>);
    case ParquetType::kInt64:
      return keep(Less<int64_t>);
    case ParquetType::kFloat:
    case ParquetType::kDouble:
      if (std::ranges::any_of(values, [&](auto value) { return IsNan(shape_.type, value); })) {
        return;
      }
      return shape_.type == ParquetType::kFloat ? keep(Less<float>) : keep(Less<double>);
    case ParquetType::kInt96:
    case ParquetType::kFixed:
      return;
  }
}

Result<ColumnChunk::Encoded> ColumnChunk::Encode(PageCodec& codec) const {
  Encoded out;
  // 1. The values that rows have; of a dictionary those that are left of it.
  std::vector<uint32_t> defined(places_.size(), 1);
  std::vector<std::string_view> values;
  std::vector<uint32_t> indexes;
  std::vector<uint32_t> renumbered(dictionary_ ? pool_.size() : 0, kNull);
  for (size_t row = 0; row < places_.size(); ++row) {
    const uint32_t place = places_[row];
    if (place == kNull) {
      defined[row] = 0;
      ++out.nulls;
    } else if (!dictionary_) {
      values.push_back(pool_[place]);
    } else {
      if (renumbered[place] == kNull) {
        renumbered[place] = static_cast<uint32_t>(values.size());
        values.push_back(pool_[place]);
      }
      indexes.push_back(renumbered[place]);
    }
  }
  FindBounds(values, out);
  bool with_dictionary = dictionary_ && !values.empty();
  if (with_dictionary && values.size() > kMaxDictionary) {
    with_dictionary = false;
    std::vector<std::string_view> by_row;
    for (const uint32_t index : indexes) by_row.push_back(values[index]);
    values = std::move(by_row);
  }
  // 2. The pages.
  if (with_dictionary) {
    ThriftValue head;
    head.Put(page_head::kValues, Int32(static_cast<int64_t>(values.size())));
    head.Put(page_head::kEncoding, Int32(encoding::kPlain));
    VL_TRY(out.uncompressed_bytes,
           AppendPage(out.bytes, page::kDictionaryPage, page::kDictionary, std::move(head),
                      PlainBytes(values), shape_.codec, codec));
    out.dictionary_bytes = static_cast<int64_t>(out.bytes.size());
  }
  std::string body;
  if (shape_.optional) {
    const std::string levels = EncodeHybrid(defined, 1);
    AppendSize(body, levels.size());
    body += levels;
  }
  if (with_dictionary) {
    const int width = BitsFor(values.size());
    body += static_cast<char>(width);
    body += EncodeHybrid(indexes, width);
  } else {
    body += PlainBytes(values);
  }
  ThriftValue head;
  head.Put(page_head::kValues, Int32(rows()));
  head.Put(page_head::kEncoding,
           Int32(with_dictionary ? encoding::kRleDictionary : encoding::kPlain));
  head.Put(page_head::kDefinitionEncoding, Int32(encoding::kRle));
  head.Put(page_head::kRepetitionEncoding, Int32(encoding::kRle));
  VL_TRY(const int64_t size, AppendPage(out.bytes, page::kDataPage, page::kData, std::move(head),
                                        body, shape_.codec, codec));
  out.uncompressed_bytes += size;
  return out;
}

}  // namespace vitalake::engine
