#include "lake/row_index_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kRowsMagic = "VLROWS04";
constexpr int64_t kTailBytes = 2 * sizeof(uint64_t);
constexpr uint64_t kMostBlockBytes = 256 << 20;
// A look-up reads one block for a value: 1.5 KB.
constexpr int64_t kValuesOfBlock = 128;

std::unexpected<Error> Unusable(std::string_view what) {
  return Fail(ErrorKind::kCorrupt, fmt::format("not a usable row index: {}", what));
}

size_t BitmapBytes(size_t columns) { return (columns + 7) / 8; }

}  // namespace

RowIndexWriter::RowIndexWriter(std::vector<view::ColumnSpec> columns,
                               std::span<const IndexedColumn> indexed)
    : columns_(std::move(columns)), out_(kRowsMagic) {
  const auto place_of = [&](std::string_view name) {
    const auto found = std::ranges::find(columns_, name, &view::ColumnSpec::name);
    VL_CHECK(found != columns_.end());
    return static_cast<size_t>(found - columns_.begin());
  };
  for (const IndexedColumn& one : indexed) {
    const size_t column = place_of(one.name);
    VL_CHECK(columns_[column].type == view::ColumnType::kVarchar);
    indexed_.push_back({one, column, std::nullopt, {}});
    if (!one.unless.empty()) indexed_.back().unless = place_of(one.unless);
  }
}

Status RowIndexWriter::Append(std::span<const view::Cell> row) {
  VL_CHECK(row.size() == columns_.size());
  const size_t begin = rows_.size();
  rows_.append(BitmapBytes(row.size()), '\0');
  for (size_t i = 0; i < row.size(); ++i) {
    const view::Cell& cell = row[i];
    if (cell.is_null) continue;
    rows_[begin + i / 8] = static_cast<char>(rows_[begin + i / 8] | 1 << (i % 8));
    switch (columns_[i].type) {
      case view::ColumnType::kVarchar: {
        AppendNumber(rows_, static_cast<uint32_t>(cell.text.size()));
        rows_ += cell.text;
        break;
      }
      case view::ColumnType::kBoolean:
        AppendNumber(rows_, uint64_t{cell.boolean});
        break;
      case view::ColumnType::kDouble:
        AppendNumber(rows_, cell.number);
        break;
      default:
        AppendNumber(rows_, int64_t{cell.integer});
    }
  }
  for (Indexed& one : indexed_) {
    const view::Cell& cell = row[one.column];
    const bool left_out = one.unless && !row[*one.unless].is_null;
    if (!cell.is_null && !left_out) one.entries.push_back({Hash64(cell.text), count_});
  }
  AppendNumber(ends_, static_cast<uint32_t>(rows_.size()));
  ++count_;
  return count_ % kRowIndexBlockRows == 0 ? EndBlock() : Status();
}

Status RowIndexWriter::EndBlock() {
  if (ends_.empty()) return {};
  std::string plain;
  AppendNumber(plain, uint64_t{ends_.size() + rows_.size()});
  VL_TRY(const std::string_view packed,
         codec_.Compress(engine::ParquetCodec::kZstd, ends_ + rows_));
  plain += packed;
  blocks_.push_back({out_.size(), plain.size(), Hash64(plain)});
  out_ += plain;
  ends_.clear();
  rows_.clear();
  return {};
}

Result<std::string> RowIndexWriter::Finish(const IndexedFile& file) {
  VL_RETURN_IF_ERROR(EndBlock());
  VL_CHECK(file.rows == count_);
  ByteWriter head;
  head.Number(static_cast<uint64_t>(file.size_bytes));
  head.Number(uint64_t{count_});
  head.Text(file.path);
  head.Number(uint64_t{columns_.size()});
  for (const view::ColumnSpec& column : columns_) {
    head.Text(column.name);
    head.Number(static_cast<uint64_t>(column.type));
  }
  head.Plains(blocks_);
  head.Number(uint64_t{indexed_.size()});
  for (Indexed& one : indexed_) {
    head.Text(one.spec.name);
    head.Text(one.spec.unless);
    head.Number(uint64_t{out_.size()});
    out_ += EncodeKeyIndex(file, std::move(one.entries), kValuesOfBlock);
  }
  const std::string bytes = head.Take();
  out_ += bytes;
  AppendNumber(out_, uint64_t{bytes.size()});
  AppendNumber(out_, Hash64(bytes));
  return std::move(out_);
}

Result<RowIndexFile> RowIndexFile::Open(const IndexedFile& file, int64_t size_bytes,
                                        ReadBytes read) {
  RowIndexFile index;
  index.read_ = std::move(read);
  if (size_bytes < kTailBytes) return Unusable("it is cut off");
  VL_TRY(const std::string magic, index.read_(0, kRowsMagic.size()));
  if (magic != kRowsMagic) return Unusable("it is of another form");
  VL_TRY(const std::string tail, index.read_(size_bytes - kTailBytes, kTailBytes));
  ByteReader sizes(tail);
  uint64_t head_bytes = 0, checksum = 0;
  if (!sizes.Number(head_bytes) || !sizes.Number(checksum) ||
      head_bytes > static_cast<uint64_t>(size_bytes - kTailBytes)) {
    return Unusable("it is cut off");
  }
  const int64_t data_end = size_bytes - kTailBytes - static_cast<int64_t>(head_bytes);
  VL_TRY(const std::string head, index.read_(data_end, static_cast<int64_t>(head_bytes)));
  if (head.size() != head_bytes || Hash64(head) != checksum) {
    return Unusable("its checksum does not hold");
  }
  VL_RETURN_IF_ERROR(index.ReadHead(file, head, data_end));
  return index;
}

Status RowIndexFile::ReadHead(const IndexedFile& file, std::string_view bytes, int64_t data_end) {
  const auto damaged = [] { return Unusable("it is damaged"); };
  ByteReader head(bytes);
  int64_t size = 0;
  std::string path;
  if (!head.Number(size) || !head.Number(rows_) || !head.Text(path)) return damaged();
  if (path != file.path || size != file.size_bytes || (file.rows >= 0 && rows_ != file.rows)) {
    return Unusable("it was made from another file");
  }
  uint64_t left = 0;
  if (!head.Count(left, 2 * sizeof(uint64_t))) return damaged();
  for (; left > 0; --left) {
    uint64_t type = 0;
    if (!head.Text(columns_.emplace_back().name) || !head.Number(type)) return damaged();
    columns_.back().type = static_cast<view::ColumnType>(type);
  }
  if (!head.Plains(blocks_) || !head.Count(left, 3 * sizeof(uint64_t))) return damaged();
  for (; left > 0; --left) {
    IndexedColumn column;
    int64_t begin = 0;
    if (!head.Text(column.name) || !head.Text(column.unless) || !head.Number(begin) ||
        begin > data_end) {
      return damaged();
    }
    VL_TRY(KeyIndexFile keys, KeyIndexFile::Open(
                                  {file.path, size, rows_},
                                  [read = read_, begin](int64_t offset, int64_t wanted) {
                                    return read(begin + offset, wanted);
                                  },
                                  kValuesOfBlock));
    indexes_.push_back({std::move(column), std::move(keys)});
  }
  const auto blocks = (rows_ + static_cast<int64_t>(kRowIndexBlockRows) - 1) /
                      static_cast<int64_t>(kRowIndexBlockRows);
  return static_cast<int64_t>(blocks_.size()) == blocks ? Status() : damaged();
}

size_t RowIndexFile::RowsOf(size_t block) const {
  return std::min(kRowIndexBlockRows, static_cast<size_t>(rows_) - block * kRowIndexBlockRows);
}

Result<std::vector<uint32_t>> RowIndexFile::Find(const IndexedColumn& column,
                                                 std::span<const uint64_t> hashes) const {
  const auto index = std::ranges::find(indexes_, column, &Index::column);
  if (index == indexes_.end()) {
    if (std::ranges::find(columns_, column.name, &view::ColumnSpec::name) == columns_.end()) {
      return std::vector<uint32_t>{};
    }
    return Fail(ErrorKind::kUnsupported, fmt::format("no index of column {}", column.name));
  }
  VL_TRY(const std::vector<KeyEntry> entries, index->keys.Find(hashes));
  std::vector<uint32_t> rows;
  for (const KeyEntry& entry : entries) {
    if (entry.row >= rows_) return Unusable("it names a row that is not there");
    rows.push_back(entry.row);
  }
  std::ranges::sort(rows);
  return rows;
}

Result<std::string> RowIndexFile::ReadBlock(size_t at) const {
  static thread_local engine::PageCodec codec;
  const Block& block = blocks_[at];
  VL_TRY(const std::string bytes,
         read_(static_cast<int64_t>(block.begin), static_cast<int64_t>(block.size)));
  if (bytes.size() != block.size || Hash64(bytes) != block.checksum) {
    return Unusable("the checksum of a block does not hold");
  }
  uint64_t plain = 0;
  if (!ByteReader(bytes).Number(plain)) return Unusable("a block is cut off");
  if (plain > kMostBlockBytes) return Unusable("a block is too large");
  return codec.Decompress(engine::ParquetCodec::kZstd,
                          std::string_view(bytes).substr(sizeof(plain)),
                          static_cast<int64_t>(plain));
}

Status RowIndexFile::ReadRow(std::string_view block, size_t of_block, size_t nth,
                             std::vector<view::Cell>& cells) const {
  const auto damaged = [] { return Unusable("a row does not fit its block"); };
  const size_t ends = of_block * sizeof(uint32_t);
  if (block.size() < ends) return damaged();
  const auto end_of = [&](size_t row) { return NumberAt<uint32_t>(block, row * sizeof(uint32_t)); };
  const size_t begin = nth == 0 ? 0 : end_of(nth - 1), end = end_of(nth);
  if (begin > end || ends + end > block.size()) return damaged();
  ByteReader row(block.substr(ends + begin, end - begin));
  std::string_view present;
  if (!row.View(present, BitmapBytes(columns_.size()))) return damaged();
  for (size_t i = 0; i < columns_.size(); ++i) {
    view::Cell& cell = cells[i];
    cell = {};
    if ((static_cast<unsigned char>(present[i / 8]) >> (i % 8) & 1) == 0) continue;
    cell.is_null = false;
    if (columns_[i].type == view::ColumnType::kVarchar) {
      uint32_t size = 0;
      if (!row.Number(size) || !row.View(cell.text, size)) return damaged();
      continue;
    }
    uint64_t value = 0;
    if (!row.Number(value)) return damaged();
    switch (columns_[i].type) {
      case view::ColumnType::kBoolean:
        cell.boolean = value != 0;
        break;
      case view::ColumnType::kDouble:
        cell.number = std::bit_cast<double>(value);
        break;
      default:
        cell.integer = static_cast<int64_t>(value);
    }
  }
  return {};
}

}  // namespace vitalake::lake
