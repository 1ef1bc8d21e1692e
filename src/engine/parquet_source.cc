#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/parquet_fields_internal.h"
#include "engine/parquet_source_internal.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

std::unexpected<Error> Unsupported(std::string what) {
  return Fail(ErrorKind::kUnsupported, std::move(what));
}
std::unexpected<Error> Corrupt(const fs::path& file, std::string_view what) {
  return Fail(ErrorKind::kCorrupt,
              fmt::format("{} is no whole Parquet file: {}", file.string(), what));
}
std::unexpected<Error> Unreadable(const fs::path& file) {
  return Fail(ErrorKind::kIo, fmt::format("{} cannot be read", file.string()));
}

// What a column's annotation says. Writers give it in the old way, the new way, or both.
enum class Meaning { kPlain, kText, kDate, kMicros, kOther };

Meaning MeaningOf(const ThriftValue& element) {
  if (const ThriftValue* logical = element.Find(element::kLogicalType)) {
    if (logical->Find(logical::kString)) return Meaning::kText;
    if (logical->Find(logical::kDate)) return Meaning::kDate;
    if (const ThriftValue* time = logical->Find(logical::kTimestamp)) {
      const ThriftValue* unit = time->Find(logical::kTimestampUnit);
      return unit && unit->Find(logical::kMicros) ? Meaning::kMicros : Meaning::kOther;
    }
    if (const ThriftValue* integer = logical->Find(logical::kInteger)) {
      const ThriftValue* with_sign = integer->Find(logical::kIntegerSigned);
      if (!with_sign || with_sign->type != ThriftType::kTrue) return Meaning::kOther;
      const auto old = element.Int(element::kConvertedType);
      return !old || *old == converted::kInt32 || *old == converted::kInt64 ? Meaning::kPlain
                                                                            : Meaning::kOther;
    }
    return Meaning::kOther;
  }
  switch (element.Int(element::kConvertedType).value_or(-1)) {
    case -1:
    case converted::kInt32:
    case converted::kInt64:
      return Meaning::kPlain;
    case converted::kUtf8:
      return Meaning::kText;
    case converted::kDate:
      return Meaning::kDate;
    case converted::kTimestampMicros:
      return Meaning::kMicros;
    default:
      return Meaning::kOther;
  }
}

}  // namespace

Result<ParquetSource> ParquetSource::Open(const fs::path& path) {
  ParquetSource source;
  source.path_ = path;
  source.in_.open(path, std::ios::binary);
  if (!source.in_) {
    return Fail(fs::exists(path) ? ErrorKind::kIo : ErrorKind::kNotFound,
                fmt::format("{} cannot be opened", path.string()));
  }
  source.in_.seekg(0, std::ios::end);
  const int64_t size = source.in_.tellg();
  char tail[8] = {};
  if (size < 12) return Corrupt(path, "it is too short");
  source.in_.seekg(size - 8);
  source.in_.read(tail, sizeof(tail));
  if (!source.in_) return Unreadable(path);
  if (std::memcmp(tail + 4, "PAR1", 4) != 0) return Corrupt(path, "its magic bytes are missing");
  uint32_t footer_bytes = 0;
  std::memcpy(&footer_bytes, tail, 4);
  source.data_end_ = size - 8 - int64_t{footer_bytes};
  if (source.data_end_ < 4) return Corrupt(path, "its footer does not fit");
  VL_TRY(const std::string bytes, source.Read({source.data_end_, footer_bytes}));
  auto footer = ReadThriftStruct(bytes);
  if (!footer) return Because(std::move(footer).error(), path.string());
  source.footer_ = *std::move(footer);
  const ThriftValue* schema = source.footer_.Find(footer::kSchema);
  const ThriftValue* groups = source.footer_.Find(footer::kRowGroups);
  if (!schema || !groups || schema->type != ThriftType::kList ||
      groups->type != ThriftType::kList) {
    return Corrupt(path, "its footer lacks schema or row groups");
  }
  if (source.footer_.Find(footer::kEncryption)) return Unsupported("the file is encrypted");
  return source;
}

std::vector<ThriftValue>& ParquetSource::groups() {
  return footer_.Find(footer::kRowGroups)->items;
}
const std::vector<ThriftValue>& ParquetSource::groups() const {
  return footer_.Find(footer::kRowGroups)->items;
}

const ThriftValue* ParquetSource::FlatElement(std::string_view name) const {
  const auto& elements = footer_.Find(footer::kSchema)->items;
  const ThriftValue* found = nullptr;
  for (size_t i = 1; i < elements.size(); ++i) {
    if (elements[i].Int(element::kChildren).value_or(0) > 0) continue;
    const ThriftValue* own = elements[i].Find(element::kName);
    if (!own || own->bytes != name) continue;
    if (found) return nullptr;
    found = &elements[i];
  }
  return found;
}

bool ParquetSource::HasColumn(std::string_view name) const {
  // The first element is the schema itself.
  const auto& elements = footer_.Find(footer::kSchema)->items;
  return std::any_of(elements.begin() + !elements.empty(), elements.end(), [&](const auto& item) {
    const ThriftValue* own = item.Find(element::kName);
    return own && own->bytes == name;
  });
}

Result<ChunkPlace> ParquetSource::PlaceOf(const ThriftValue& column) const {
  const ThriftValue* metadata = column.Find(chunk::kMetadata);
  if (!metadata || column.Find(chunk::kFilePath) || column.Find(chunk::kCrypto)) {
    return Unsupported("a column chunk outside the file, or encrypted");
  }
  const auto data = metadata->Int(meta::kDataPage);
  const auto size = metadata->Int(meta::kCompressed);
  if (!data || !size) return Corrupt(path_, "a column chunk without a place");
  // 0 stands for "none" in some writers.
  const int64_t dictionary = metadata->Int(meta::kDictionaryPage).value_or(0);
  const int64_t begin = dictionary > 0 ? std::min(dictionary, *data) : *data;
  if (begin < 4 || *size < 0 || *size > data_end_ - begin) {
    return Corrupt(path_, "a column chunk outside its data");
  }
  return ChunkPlace{begin, *size};
}

Result<std::string> ParquetSource::Read(const ChunkPlace& place) {
  std::string bytes(static_cast<size_t>(place.size), '\0');
  in_.seekg(place.begin);
  in_.read(bytes.data(), place.size);
  if (!in_) return Unreadable(path_);
  return bytes;
}

Result<ColumnChunk> ParquetSource::Decode(const ThriftValue& column, int64_t rows,
                                          PageCodec& codec) {
  const ThriftValue* element = FlatElement(ColumnOf(column));
  if (!element) return Unsupported("a nested column");
  ChunkShape shape;
  shape.type = static_cast<ParquetType>(element->Int(element::kType).value_or(-1));
  shape.fixed_bytes = element->Int(element::kTypeLength).value_or(0);
  const int64_t repetition = element->Int(element::kRepetition).value_or(0);
  if (repetition > 1) return Unsupported("a repeated column");
  shape.optional = repetition == 1;
  VL_TRY(const ChunkPlace place, PlaceOf(column));
  shape.codec =
      static_cast<ParquetCodec>(column.Find(chunk::kMetadata)->Int(meta::kCodec).value_or(-1));
  if (shape.codec != ParquetCodec::kNone && shape.codec != ParquetCodec::kZstd) {
    return Unsupported("another compression than zstd");
  }
  VL_TRY(const std::string bytes, Read(place));
  return ColumnChunk::Decode(shape, rows, bytes, codec);
}

std::string ColumnOf(const ThriftValue& column) {
  const ThriftValue* metadata = column.Find(chunk::kMetadata);
  const ThriftValue* path = metadata ? metadata->Find(meta::kPath) : nullptr;
  if (!path || path->items.size() != 1) return "";
  return path->items.front().bytes;
}

bool HoldsType(const ThriftValue& element, std::string_view sql_type) {
  const auto type = static_cast<ParquetType>(element.Int(element::kType).value_or(-1));
  const Meaning meaning = MeaningOf(element);
  const auto is = [&](ParquetType wanted_type, Meaning wanted) {
    return type == wanted_type && meaning == wanted;
  };
  if (sql_type == "BOOLEAN") return is(ParquetType::kBoolean, Meaning::kPlain);
  if (sql_type == "INTEGER") return is(ParquetType::kInt32, Meaning::kPlain);
  if (sql_type == "BIGINT") return is(ParquetType::kInt64, Meaning::kPlain);
  if (sql_type == "DOUBLE") return is(ParquetType::kDouble, Meaning::kPlain);
  if (sql_type == "VARCHAR") return is(ParquetType::kByteArray, Meaning::kText);
  if (sql_type == "DATE") return is(ParquetType::kInt32, Meaning::kDate);
  if (sql_type == "TIMESTAMP WITH TIME ZONE") return is(ParquetType::kInt64, Meaning::kMicros);
  return false;
}

}  // namespace vitalake::engine
