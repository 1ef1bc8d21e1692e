#include "engine/parquet_pages.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "engine/parquet_fields_internal.h"

namespace vitalake::engine {
namespace {

// The quickest; of such data no larger than others make it.
constexpr int kZstdLevel = 1;
// Of a page, decompressed: what the format's 32-bit sizes allow.
constexpr int64_t kMaxPageBytes = (int64_t{1} << 31) - 1;
constexpr size_t kGroup = 8;  // packed values come in eights

std::unexpected<Error> Corrupt(std::string_view what) {
  return Fail(ErrorKind::kCorrupt, fmt::format("a damaged Parquet page: {}", what));
}

// Packs values, least significant bit first.
class BitPacker {
 public:
  BitPacker(std::string& out, int width) : out_(out), width_(width) {}
  void Put(uint32_t value) {
    bits_ |= uint64_t{value} << used_;
    used_ += width_;
    if (used_ < 32) return;
    const auto word = static_cast<uint32_t>(bits_);
    out_.append(reinterpret_cast<const char*>(&word), sizeof(word));
    bits_ >>= 32;
    used_ -= 32;
  }
  // After whole groups.
  void Flush() {
    for (; used_ > 0; used_ -= 8, bits_ >>= 8) out_ += static_cast<char>(bits_ & 0xff);
  }

 private:
  std::string& out_;
  int width_;
  uint64_t bits_ = 0;
  int used_ = 0;
};

void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

// nullopt when `bytes` end inside; else what is behind the number goes on at `*at`.
std::optional<uint64_t> TakeVarint(std::string_view bytes, size_t& at) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes[at++]);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

void Unpack(std::string_view bytes, int width, uint64_t count, std::vector<uint32_t>& out) {
  const uint64_t mask = (uint64_t{1} << width) - 1;
  uint64_t bits = 0;
  int have = 0;
  size_t at = 0;
  for (uint64_t i = 0; i < count; ++i) {
    for (; have < width; have += 8) bits |= uint64_t{static_cast<uint8_t>(bytes[at++])} << have;
    out.push_back(static_cast<uint32_t>(bits & mask));
    bits >>= width;
    have -= width;
  }
}

}  // namespace

struct PageCodec::Contexts {
  ZSTD_CCtx* compress = ZSTD_createCCtx();
  ZSTD_DCtx* decompress = ZSTD_createDCtx();
  std::string compressed;
  Contexts() = default;
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  ~Contexts() {
    ZSTD_freeCCtx(compress);
    ZSTD_freeDCtx(decompress);
  }
};

PageCodec::PageCodec() : contexts_(std::make_unique<Contexts>()) {}
PageCodec::~PageCodec() = default;

Result<std::string> PageCodec::Decompress(ParquetCodec codec, std::string_view bytes,
                                          int64_t size) {
  if (size < 0 || size > kMaxPageBytes) return Corrupt("its size is impossible");
  if (codec == ParquetCodec::kNone) {
    if (static_cast<int64_t>(bytes.size()) != size) return Corrupt("its sizes differ");
    return std::string(bytes);
  }
  // What the frame says of itself is believed no more than the header: memory is taken once both
  // agree.
  if (ZSTD_getFrameContentSize(bytes.data(), bytes.size()) != static_cast<uint64_t>(size) &&
      ZSTD_getFrameContentSize(bytes.data(), bytes.size()) != ZSTD_CONTENTSIZE_UNKNOWN) {
    return Corrupt("its sizes differ");
  }
  std::string out(static_cast<size_t>(size), '\0');
  const size_t done = ZSTD_decompressDCtx(contexts_->decompress, out.data(), out.size(),
                                          bytes.data(), bytes.size());
  if (ZSTD_isError(done) || done != out.size()) return Corrupt("it does not decompress");
  return out;
}

Result<std::string_view> PageCodec::Compress(ParquetCodec codec, std::string_view bytes) {
  if (codec == ParquetCodec::kNone) return bytes;
  std::string& out = contexts_->compressed;
  const size_t bound = ZSTD_compressBound(bytes.size());
  if (out.size() < bound) out.resize(bound);
  const size_t done = ZSTD_compressCCtx(contexts_->compress, out.data(), out.size(), bytes.data(),
                                        bytes.size(), kZstdLevel);
  if (ZSTD_isError(done)) {
    return Fail(ErrorKind::kInternal, fmt::format("zstd: {}", ZSTD_getErrorName(done)));
  }
  return std::string_view(out).substr(0, done);
}

Result<int64_t> WidthOf(const ChunkShape& shape) {
  switch (shape.type) {
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
      if (shape.fixed_bytes > 0) return shape.fixed_bytes;
  }
  return Fail(ErrorKind::kUnsupported, "a physical type that is not known");
}

Result<int64_t> AppendPage(std::string& out, int64_t type, int16_t head_id, ThriftValue head,
                           std::string_view body, ParquetCodec codec, PageCodec& pages) {
  if (static_cast<int64_t>(body.size()) > kMaxPageBytes) {
    return Fail(ErrorKind::kUnsupported, "a page of 2 GB");
  }
  VL_TRY(const std::string_view compressed, pages.Compress(codec, body));
  const auto int32 = [](size_t value) { return ThriftInt32(static_cast<int64_t>(value)); };
  ThriftValue header;
  header.Put(page::kType, ThriftInt32(type));
  header.Put(page::kUncompressedSize, int32(body.size()));
  header.Put(page::kCompressedSize, int32(compressed.size()));
  header.Put(head_id, std::move(head));
  const std::string bytes = WriteThriftStruct(header);
  out += bytes;
  out += compressed;
  return static_cast<int64_t>(bytes.size() + body.size());
}

void DescribeChunk(const EncodedChunk& encoded, ThriftValue& metadata) {
  std::vector<ThriftValue> encodings = {ThriftInt32(encoding::kPlain), ThriftInt32(encoding::kRle)};
  if (encoded.dictionary_bytes > 0) encodings.push_back(ThriftInt32(encoding::kRleDictionary));
  metadata.Put(meta::kEncodings, ThriftList(ThriftType::kI32, std::move(encodings)));
  metadata.Put(meta::kUncompressed, ThriftInt64(encoded.uncompressed_bytes));
  metadata.Put(meta::kCompressed, ThriftInt64(static_cast<int64_t>(encoded.bytes.size())));
  ThriftValue stats;
  stats.Put(statistics::kNullCount, ThriftInt64(encoded.nulls));
  if (encoded.min) stats.Put(statistics::kMin, ThriftBinary(*encoded.min));
  if (encoded.max) stats.Put(statistics::kMax, ThriftBinary(*encoded.max));
  metadata.Put(meta::kStatistics, std::move(stats));
  metadata.Erase(meta::kEncodingStats);
  metadata.Erase(meta::kSizeStatistics);
}

std::string EndOfParquet(const ThriftValue& footer) {
  std::string out = WriteThriftStruct(footer);
  AppendNumber(out, static_cast<uint32_t>(out.size()));
  return out.append(kParquetMagic);
}

Result<std::vector<RawPage>> SplitPages(std::string_view chunk) {
  std::vector<RawPage> pages;
  while (!chunk.empty()) {
    VL_TRY(auto head, ReadThriftHead(chunk));
    chunk.remove_prefix(head.bytes);
    const int64_t size = head.value.Int(page::kCompressedSize).value_or(-1);
    if (size < 0 || size > static_cast<int64_t>(chunk.size())) return Corrupt("it is cut off");
    pages.push_back({std::move(head.value), chunk.substr(0, static_cast<size_t>(size))});
    chunk.remove_prefix(static_cast<size_t>(size));
  }
  return pages;
}

Result<std::vector<uint32_t>> DecodeHybrid(std::string_view bytes, int width, int64_t count) {
  if (width < 0 || width > 32) return Corrupt("values of more than 32 bits");
  std::vector<uint32_t> values;
  const auto wanted = static_cast<uint64_t>(count);
  values.reserve(wanted);
  const auto value_bytes = static_cast<size_t>(width + 7) / 8;
  size_t at = 0;
  while (values.size() < wanted) {
    const auto head = TakeVarint(bytes, at);
    if (!head) return Corrupt("too few values");
    const uint64_t missing = wanted - values.size();
    if (*head & 1) {
      const uint64_t groups = *head >> 1;
      // The last group may be cut short by writers that leave the padding out.
      const uint64_t room = bytes.size() - at;
      const uint64_t take = std::min(missing, groups > (missing / kGroup) ? missing : groups * 8);
      const uint64_t need = (take * static_cast<uint64_t>(width) + 7) / 8;
      if (groups == 0 || need > room) return Corrupt("too few values");
      Unpack(bytes.substr(at), width, take, values);
      at += std::min(room, static_cast<size_t>(std::min<uint64_t>(groups, room + 1)) *
                               static_cast<size_t>(width));
      continue;
    }
    const uint64_t run = std::min(missing, *head >> 1);
    if (run == 0 || value_bytes > bytes.size() - at) return Corrupt("too few values");
    uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, value_bytes);
    at += value_bytes;
    values.insert(values.end(), run, value);
  }
  return values;
}

std::string EncodeHybrid(const std::vector<uint32_t>& values, int width) {
  std::string out;
  const auto value_bytes = static_cast<size_t>(width + 7) / 8;
  const auto put_packed = [&](size_t from, size_t to) {
    if (from == to) return;
    const size_t groups = (to - from + kGroup - 1) / kGroup;
    PutVarint(out, groups << 1 | 1);
    BitPacker packer(out, width);
    for (size_t i = from; i < from + groups * kGroup; ++i) packer.Put(i < to ? values[i] : 0);
    packer.Flush();
  };
  size_t packed_from = 0;  // values from here on wait to be packed
  for (size_t at = 0; at < values.size();) {
    size_t run_end = at + 1;
    while (run_end < values.size() && values[run_end] == values[at]) ++run_end;
    // What is packed ends with a whole group, so the run gives it what it lacks.
    const size_t waiting = (at - packed_from) % kGroup;
    const size_t run_from = at + (waiting == 0 ? 0 : kGroup - waiting);
    if (run_end >= run_from + kGroup) {
      put_packed(packed_from, run_from);
      PutVarint(out, (run_end - run_from) << 1);
      out.append(reinterpret_cast<const char*>(&values[at]), value_bytes);
      packed_from = run_end;
    }
    at = run_end;
  }
  put_packed(packed_from, values.size());
  return out;
}

std::string EncodeRun(uint32_t value, size_t count, int width) {
  std::string out;
  PutVarint(out, count << 1);
  out.append(reinterpret_cast<const char*>(&value), static_cast<size_t>(width + 7) / 8);
  return out;
}

std::string EncodeBits(std::span<const uint64_t> words, size_t from, size_t to) {
  std::string out;
  const size_t groups = (to - from + kGroup - 1) / kGroup;
  PutVarint(out, groups << 1 | 1);
  BitPacker packer(out, kGroup);
  for (size_t at = from; at < to; at += kGroup) {
    const size_t shift = at % 64;
    uint64_t bits = words[at / 64] >> shift;
    if (shift > 64 - kGroup && at / 64 + 1 < words.size())
      bits |= words[at / 64 + 1] << (64 - shift);
    const size_t left = to - at;
    const uint64_t mask = left < kGroup ? (uint64_t{1} << left) - 1 : 0xff;
    packer.Put(static_cast<uint32_t>(bits & mask));
  }
  packer.Flush();
  return out;
}

}  // namespace vitalake::engine
