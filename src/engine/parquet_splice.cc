// Steps:
//  1. read the footers; check that base and patches go together;
//  2. copy the chunks in order, each from where it comes, and note its new place;
//  3. write base's footer with the new places.
// Left out: page indexes and bloom filters, which lie outside the chunks; readers do without.
#include "engine/parquet_splice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>

#include "engine/thrift_compact.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

// Field ids of parquet.thrift.
namespace footer {
constexpr int16_t kSchema = 2, kRowGroups = 4, kEncryption = 8;
}
namespace element {
constexpr int16_t kType = 1, kTypeLength = 2, kRepetition = 3, kName = 4, kChildren = 5,
                  kConvertedType = 6, kScale = 7, kPrecision = 8, kLogicalType = 10;
}
namespace group {
constexpr int16_t kColumns = 1, kTotalBytes = 2, kRows = 3, kSorting = 4, kFileOffset = 5,
                  kCompressedBytes = 6;
}
namespace chunk {
constexpr int16_t kFilePath = 1, kFileOffset = 2, kMetadata = 3, kOffsetIndex = 4,
                  kOffsetIndexSize = 5, kColumnIndex = 6, kColumnIndexSize = 7, kCrypto = 8;
}
namespace meta {
constexpr int16_t kPath = 3, kUncompressed = 6, kCompressed = 7, kDataPage = 9, kIndexPage = 10,
                  kDictionaryPage = 11, kBloomFilter = 14, kBloomFilterSize = 15;
}

constexpr size_t kCopyBytes = 1 << 20;

std::unexpected<Error> Unsupported(std::string what) {
  return Fail(ErrorKind::kUnsupported, std::move(what));
}
std::unexpected<Error> Corrupt(const fs::path& file, std::string_view what) {
  return Fail(ErrorKind::kCorrupt,
              fmt::format("{} is no whole Parquet file: {}", file.string(), what));
}

// A Parquet file and its footer.
struct Source {
  fs::path path;
  std::ifstream in;
  int64_t data_end = 0;  // where the footer begins
  ThriftValue footer;

  const std::vector<ThriftValue>& groups() const { return footer.Find(footer::kRowGroups)->items; }
};

Result<Source> OpenSource(const fs::path& path) {
  Source source;
  source.path = path;
  source.in.open(path, std::ios::binary);
  if (!source.in) {
    return Fail(fs::exists(path) ? ErrorKind::kIo : ErrorKind::kNotFound,
                fmt::format("{} cannot be opened", path.string()));
  }
  source.in.seekg(0, std::ios::end);
  const int64_t size = source.in.tellg();
  char tail[8] = {};
  if (size < 12) return Corrupt(path, "it is too short");
  source.in.seekg(size - 8);
  source.in.read(tail, sizeof(tail));
  if (!source.in) return Fail(ErrorKind::kIo, fmt::format("{} cannot be read", path.string()));
  if (std::memcmp(tail + 4, "PAR1", 4) != 0) return Corrupt(path, "its magic bytes are missing");
  uint32_t footer_bytes = 0;
  std::memcpy(&footer_bytes, tail, 4);
  source.data_end = size - 8 - int64_t{footer_bytes};
  if (source.data_end < 4) return Corrupt(path, "its footer does not fit");
  std::string bytes(footer_bytes, '\0');
  source.in.seekg(source.data_end);
  source.in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!source.in) return Fail(ErrorKind::kIo, fmt::format("{} cannot be read", path.string()));
  auto footer = ReadThriftStruct(bytes);
  if (!footer) return Because(std::move(footer).error(), path.string());
  source.footer = *std::move(footer);
  const ThriftValue* schema = source.footer.Find(footer::kSchema);
  const ThriftValue* groups = source.footer.Find(footer::kRowGroups);
  if (!schema || !groups || schema->type != ThriftType::kList ||
      groups->type != ThriftType::kList) {
    return Corrupt(path, "its footer lacks schema or row groups");
  }
  if (source.footer.Find(footer::kEncryption)) return Unsupported("the file is encrypted");
  return source;
}

// The parts of a column's path, "" when the chunk has none.
std::string PathOf(const ThriftValue& column) {
  const ThriftValue* metadata = column.Find(chunk::kMetadata);
  const ThriftValue* path = metadata ? metadata->Find(meta::kPath) : nullptr;
  if (!path || path->items.size() != 1) return "";
  return path->items.front().bytes;
}

// The element of a flat column; null when there is none of that name or it is nested.
const ThriftValue* FlatElement(const Source& source, const std::string& name) {
  const auto& elements = source.footer.Find(footer::kSchema)->items;
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

// Whether values encoded for one mean the same for the other. Writers give the annotation in the
// old way, the new way, or both.
bool SameType(const ThriftValue& a, const ThriftValue& b) {
  for (const int16_t id : {element::kType, element::kTypeLength, element::kRepetition,
                           element::kScale, element::kPrecision}) {
    if (a.Int(id) != b.Int(id)) return false;
  }
  const ThriftValue* new_a = a.Find(element::kLogicalType);
  const ThriftValue* new_b = b.Find(element::kLogicalType);
  if (new_a && new_b) return *new_a == *new_b;
  const auto old_a = a.Int(element::kConvertedType);
  const auto old_b = b.Int(element::kConvertedType);
  if (old_a && old_b) return old_a == old_b;
  return !old_a && !old_b && !new_a && !new_b;
}

class Splicer {
 public:
  Splicer(Source base, std::ofstream& out) : base_(std::move(base)), out_(out) {}

  Result<int64_t> Run(const std::map<size_t, fs::path>& patches) {
    Write("PAR1");
    std::vector<ThriftValue>& groups = base_.footer.Find(footer::kRowGroups)->items;
    for (const auto& [at, path] : patches) {
      if (at >= groups.size()) return Unsupported("a patch for a row group that is not there");
    }
    for (size_t at = 0; at < groups.size(); ++at) {
      const auto patch = patches.find(at);
      std::optional<Source> from;
      if (patch != patches.end()) {
        VL_TRY(from, OpenSource(patch->second));
        VL_RETURN_IF_ERROR(CheckPatch(*from, groups[at]));
      }
      VL_RETURN_IF_ERROR(CopyGroup(groups[at], from ? &*from : nullptr));
    }
    const std::string footer = WriteThriftStruct(base_.footer);
    Write(footer);
    const auto size = static_cast<uint32_t>(footer.size());
    Write({reinterpret_cast<const char*>(&size), sizeof(size)});
    Write("PAR1");
    return at_;
  }

 private:
  void Write(std::string_view bytes) {
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    at_ += static_cast<int64_t>(bytes.size());
  }

  Status CheckPatch(const Source& patch, const ThriftValue& of) const {
    if (patch.groups().size() != 1 ||
        patch.groups().front().Int(group::kRows) != of.Int(group::kRows)) {
      return Unsupported("the patch has other rows than the row group");
    }
    for (const ThriftValue& column : patch.groups().front().Find(group::kColumns)->items) {
      const std::string name = PathOf(column);
      const ThriftValue* theirs = FlatElement(patch, name);
      const ThriftValue* ours = FlatElement(base_, name);
      const auto& columns = of.Find(group::kColumns)->items;
      if (!theirs || !ours || !SameType(*ours, *theirs) ||
          std::ranges::count(columns, name, PathOf) != 1) {
        return Unsupported(fmt::format("column {} differs in type", name));
      }
    }
    return {};
  }

  Status CopyGroup(ThriftValue& row_group, Source* patch) {
    int64_t uncompressed = 0;
    int64_t compressed = 0;
    const int64_t begin = at_;
    ThriftValue* columns = row_group.Find(group::kColumns);
    if (!columns) return Corrupt(base_.path, "a row group without columns");
    for (ThriftValue& column : columns->items) {
      Source* from = &base_;
      if (patch) {
        const auto& theirs = patch->groups().front().Find(group::kColumns)->items;
        const std::string name = PathOf(column);
        const auto found = name.empty() ? theirs.end() : std::ranges::find(theirs, name, PathOf);
        if (found != theirs.end()) {
          column = *found;
          from = patch;
        }
      }
      VL_RETURN_IF_ERROR(CopyChunk(column, *from));
      const ThriftValue& metadata = *column.Find(chunk::kMetadata);
      uncompressed += metadata.Int(meta::kUncompressed).value_or(0);
      compressed += metadata.Int(meta::kCompressed).value_or(0);
    }
    row_group.SetInt(group::kTotalBytes, uncompressed);
    row_group.SetInt(group::kCompressedBytes, compressed);
    row_group.SetInt(group::kFileOffset, begin);
    if (patch) row_group.Erase(group::kSorting);
    return {};
  }

  // Copies the pages `column` describes and sets it to their new place.
  Status CopyChunk(ThriftValue& column, Source& from) {
    ThriftValue* metadata = column.Find(chunk::kMetadata);
    if (!metadata || column.Find(chunk::kFilePath) || column.Find(chunk::kCrypto)) {
      return Unsupported("a column chunk outside the file, or encrypted");
    }
    const auto data = metadata->Int(meta::kDataPage);
    const auto size = metadata->Int(meta::kCompressed);
    if (!data || !size) return Corrupt(from.path, "a column chunk without a place");
    // 0 stands for "none" in some writers.
    const int64_t dictionary = metadata->Int(meta::kDictionaryPage).value_or(0);
    const int64_t begin = dictionary > 0 ? std::min(dictionary, *data) : *data;
    if (begin < 4 || *size < 0 || *size > from.data_end - begin) {
      return Corrupt(from.path, "a column chunk outside its data");
    }
    const int64_t shift = at_ - begin;
    VL_RETURN_IF_ERROR(CopyBytes(from, begin, *size));
    metadata->SetInt(meta::kDataPage, *data + shift);
    if (dictionary > 0) {
      metadata->SetInt(meta::kDictionaryPage, dictionary + shift);
    } else {
      metadata->Erase(meta::kDictionaryPage);
    }
    for (const int16_t id : {meta::kIndexPage, meta::kBloomFilter, meta::kBloomFilterSize}) {
      metadata->Erase(id);
    }
    for (const int16_t id : {chunk::kOffsetIndex, chunk::kOffsetIndexSize, chunk::kColumnIndex,
                             chunk::kColumnIndexSize}) {
      column.Erase(id);
    }
    column.SetInt(chunk::kFileOffset, begin + shift);
    return {};
  }

  Status CopyBytes(Source& from, int64_t offset, int64_t size) {
    buffer_.resize(kCopyBytes);
    from.in.seekg(offset);
    while (size > 0) {
      const auto part = std::min<int64_t>(size, kCopyBytes);
      from.in.read(buffer_.data(), part);
      if (!from.in) {
        return Fail(ErrorKind::kIo, fmt::format("{} cannot be read", from.path.string()));
      }
      Write(std::string_view(buffer_).substr(0, static_cast<size_t>(part)));
      size -= part;
    }
    return {};
  }

  Source base_;
  std::ofstream& out_;
  int64_t at_ = 0;
  std::string buffer_;
};

}  // namespace

Result<std::vector<int64_t>> RowGroupSizes(const fs::path& file) {
  VL_TRY(const Source source, OpenSource(file));
  std::vector<int64_t> rows;
  for (const ThriftValue& row_group : source.groups()) {
    rows.push_back(row_group.Int(group::kRows).value_or(0));
  }
  return rows;
}

Result<int64_t> SpliceParquet(const fs::path& base, const std::map<size_t, fs::path>& patches,
                              const fs::path& target) {
  VL_TRY(Source source, OpenSource(base));
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  if (!out) return Fail(ErrorKind::kIo, fmt::format("{} cannot be written", target.string()));
  auto size = Splicer(std::move(source), out).Run(patches);
  out.close();
  if (size && out) return size;
  std::error_code ignored;
  fs::remove(target, ignored);
  if (!size) return size;
  const bool full = fs::space(target.parent_path(), ignored).available < (1 << 20);
  return Fail(full ? ErrorKind::kNoSpace : ErrorKind::kIo,
              fmt::format("{} cannot be written", target.string()));
}

}  // namespace vitalake::engine
