// Steps:
//  1. read the footer; check that the file has what the patch is for;
//  2. copy the chunks in order, those with other values encoded anew, and note their new places;
//  3. write the footer with the new places.
// Left out: page indexes and bloom filters, which lie outside the chunks; readers do without.
#include "engine/parquet_splice.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "engine/parquet_fields_internal.h"
#include "engine/parquet_source_internal.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

std::unexpected<Error> Unsupported(std::string what) {
  return Fail(ErrorKind::kUnsupported, std::move(what));
}

template <class T>
std::string BytesOf(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// The PLAIN bytes of a value that is not null.
Result<std::string> PlainBytes(const QueryResult& rows, size_t column) {
  const ResultColumn& described = rows.columns()[column];
  switch (described.kind) {
    case ValueKind::kBoolean:
      return std::string(1, rows.GetBool(column) ? '\1' : '\0');
    case ValueKind::kString:
      return std::string(rows.GetString(column));
    case ValueKind::kDouble:
      if (described.type == "DOUBLE") return BytesOf(rows.GetDouble(column));
      break;
    case ValueKind::kDate:
      return BytesOf(static_cast<int32_t>(rows.GetInt64(column)));
    case ValueKind::kInteger:
      if (described.type == "INTEGER") return BytesOf(static_cast<int32_t>(rows.GetInt64(column)));
      [[fallthrough]];
    case ValueKind::kTimestamp:
      return BytesOf(rows.GetInt64(column));
    default:
      break;
  }
  return Unsupported(fmt::format("values of type {}", described.type));
}

// What lies outside the chunks is not copied.
void ForgetIndexes(ThriftValue& column) {
  for (const int16_t id : {chunk::kOffsetIndex, chunk::kOffsetIndexSize, chunk::kColumnIndex,
                           chunk::kColumnIndexSize}) {
    column.Erase(id);
  }
  ThriftValue& metadata = *column.Find(chunk::kMetadata);
  for (const int16_t id : {meta::kIndexPage, meta::kBloomFilter, meta::kBloomFilterSize}) {
    metadata.Erase(id);
  }
}

class Splicer {
 public:
  Splicer(ParquetSource base, const RowPatch& patch, std::ofstream& out)
      : base_(std::move(base)), patch_(patch), out_(out) {}

  Result<SplicedFile> Run() {
    VL_RETURN_IF_ERROR(CheckPatch());
    Write(kParquetMagic);
    int64_t from = 0;
    for (ThriftValue& row_group : base_.groups()) {
      const int64_t to = from + row_group.Int(group::kRows).value_or(0);
      VL_RETURN_IF_ERROR(CopyGroup(row_group, from, to));
      from = to;
    }
    Write(EndOfParquet(base_.footer()));
    return SplicedFile{at_, from};
  }

 private:
  void Write(std::string_view bytes) {
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    at_ += static_cast<int64_t>(bytes.size());
  }

  Status CheckPatch() const {
    int64_t rows = 0;
    for (const ThriftValue& row_group : base_.groups()) {
      rows += row_group.Int(group::kRows).value_or(0);
      const ThriftValue* columns = row_group.Find(group::kColumns);
      if (!columns) return Unsupported("a row group without columns");
      for (const ColumnPatch& patch : patch_.columns) {
        if (std::ranges::count(columns->items, patch.column, ColumnOf) != 1) {
          return Unsupported(fmt::format("a row group without column {}", patch.column));
        }
      }
    }
    if (!patch_.rows.empty() && patch_.rows.back() >= rows) {
      return Unsupported("a row that the file lacks");
    }
    for (const ColumnPatch& patch : patch_.columns) {
      const ThriftValue* element = base_.FlatElement(patch.column);
      if (!element || !HoldsType(*element, patch.type)) {
        return Unsupported(fmt::format("column {} is no {}", patch.column, patch.type));
      }
      if (element->Int(element::kRepetition).value_or(0) == 0 &&
          !std::ranges::all_of(patch.values, [](const auto& value) { return value.has_value(); })) {
        return Unsupported(fmt::format("column {} takes no nulls", patch.column));
      }
    }
    return {};
  }

  // Rows [from, to) of the file.
  Status CopyGroup(ThriftValue& row_group, int64_t from, int64_t to) {
    int64_t uncompressed = 0;
    int64_t compressed = 0;
    const int64_t begin = at_;
    const auto first = std::ranges::lower_bound(patch_.rows, from);
    const auto last = std::ranges::lower_bound(patch_.rows, to);
    bool changed = false;
    for (ThriftValue& column : row_group.Find(group::kColumns)->items) {
      std::optional<EncodedChunk> encoded;
      const auto patch = std::ranges::find(patch_.columns, ColumnOf(column), &ColumnPatch::column);
      if (first != last && patch != patch_.columns.end()) {
        const auto at = static_cast<size_t>(first - patch_.rows.begin());
        const auto count = static_cast<size_t>(last - first);
        VL_TRY(encoded, Patched(column, *patch, at, at + count, from, to - from));
      }
      changed |= encoded.has_value();
      VL_RETURN_IF_ERROR(encoded ? PutChunk(column, *encoded) : CopyChunk(column));
      const ThriftValue& metadata = *column.Find(chunk::kMetadata);
      uncompressed += metadata.Int(meta::kUncompressed).value_or(0);
      compressed += metadata.Int(meta::kCompressed).value_or(0);
    }
    row_group.SetInt(group::kTotalBytes, uncompressed);
    row_group.SetInt(group::kCompressedBytes, compressed);
    row_group.SetInt(group::kFileOffset, begin);
    if (changed) row_group.Erase(group::kSorting);
    return {};
  }

  // The chunk with the values [at, end) of `patch`; nullopt when it has them already.
  Result<std::optional<EncodedChunk>> Patched(const ThriftValue& column, const ColumnPatch& patch,
                                              size_t at, size_t end, int64_t first_row,
                                              int64_t rows) {
    VL_TRY(ColumnChunk chunk, base_.Decode(column, rows, codec_));
    bool changed = false;
    for (; at < end; ++at) {
      changed |= chunk.Set(patch_.rows[at] - first_row, patch.values[at]);
    }
    if (!changed) return std::nullopt;
    VL_TRY(EncodedChunk encoded, chunk.Encode(codec_));
    return encoded;
  }

  Status PutChunk(ThriftValue& column, const EncodedChunk& encoded) {
    ThriftValue& metadata = *column.Find(chunk::kMetadata);
    DescribeChunk(encoded, metadata);
    metadata.Erase(meta::kDictionaryPage);
    if (encoded.dictionary_bytes > 0) {
      metadata.Put(meta::kDictionaryPage, ThriftInt(ThriftType::kI64, at_));
    }
    metadata.SetInt(meta::kDataPage, at_ + encoded.dictionary_bytes);
    column.SetInt(chunk::kFileOffset, at_);
    ForgetIndexes(column);
    Write(encoded.bytes);
    return {};
  }

  // Copies the pages `column` describes and sets it to their new place.
  Status CopyChunk(ThriftValue& column) {
    VL_TRY(const ChunkPlace place, base_.PlaceOf(column));
    ThriftValue& metadata = *column.Find(chunk::kMetadata);
    const int64_t shift = at_ - place.begin;
    metadata.SetInt(meta::kDataPage, *metadata.Int(meta::kDataPage) + shift);
    const int64_t dictionary = metadata.Int(meta::kDictionaryPage).value_or(0);
    if (dictionary > 0) {
      metadata.SetInt(meta::kDictionaryPage, dictionary + shift);
    } else {
      metadata.Erase(meta::kDictionaryPage);
    }
    column.SetInt(chunk::kFileOffset, at_);
    ForgetIndexes(column);
    VL_TRY(const std::string bytes, base_.Read(place));
    Write(bytes);
    return {};
  }

  ParquetSource base_;
  const RowPatch& patch_;
  std::ofstream& out_;
  int64_t at_ = 0;
  PageCodec codec_;
};

}  // namespace

Result<RowPatch> ReadPatch(QueryResult& rows) {
  RowPatch patch;
  for (size_t c = 1; c < rows.columns().size(); ++c) {
    patch.columns.push_back({rows.columns()[c].name, rows.columns()[c].type, {}});
  }
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return patch;
    patch.rows.push_back(rows.GetInt64(0));
    for (size_t c = 1; c < rows.columns().size(); ++c) {
      auto& values = patch.columns[c - 1].values;
      if (rows.IsNull(c)) {
        values.emplace_back();
      } else {
        VL_TRY(std::string bytes, PlainBytes(rows, c));
        values.emplace_back(std::move(bytes));
      }
    }
  }
}

std::optional<std::string> PatchValue(const view::Cell& cell, view::ColumnType type) {
  if (cell.is_null) return std::nullopt;
  switch (type) {
    case view::ColumnType::kVarchar:
      return std::string(cell.text);
    case view::ColumnType::kBoolean:
      return std::string(1, cell.boolean ? '\1' : '\0');
    case view::ColumnType::kDouble:
      return BytesOf(cell.number);
    case view::ColumnType::kInteger:
    case view::ColumnType::kDate:
      return BytesOf(static_cast<int32_t>(cell.integer));
    default:
      return BytesOf(cell.integer);
  }
}

Result<SplicedFile> SpliceParquet(const fs::path& base, const RowPatch& patch,
                                  const fs::path& target) {
  VL_TRY(ParquetSource source, ParquetSource::Open(base));
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  if (!out) return Fail(ErrorKind::kIo, fmt::format("{} cannot be written", target.string()));
  auto done = Splicer(std::move(source), patch, out).Run();
  out.close();
  if (done && out) return done;
  std::error_code ignored;
  fs::remove(target, ignored);
  if (!done) return done;
  const bool full = fs::space(target.parent_path(), ignored).available < (1 << 20);
  return Fail(full ? ErrorKind::kNoSpace : ErrorKind::kIo,
              fmt::format("{} cannot be written", target.string()));
}

}  // namespace vitalake::engine
