#include "lake/row_index_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace vitalake::lake {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kRowsMagic = "VLROWS02";
constexpr int64_t kTailBytes = 2 * sizeof(uint64_t);
constexpr uint64_t kMostBlockBytes = 256 << 20;
// A look-up reads one block for a value: 1.5 KB.
constexpr int64_t kValuesOfBlock = 128;

std::unexpected<Error> Unusable(std::string_view what) {
  return Fail(ErrorKind::kCorrupt, fmt::format("not a usable row index: {}", what));
}

void PutNumber(std::string& out, uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}
void PutText(std::string& out, std::string_view text) {
  PutNumber(out, text.size());
  out += text;
}

// What PutNumber and PutText wrote, in order; past the end everything is 0 and "".
class HeadReader {
 public:
  explicit HeadReader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Number() {
    uint64_t value = 0;
    const std::string_view bytes = Take(sizeof(value));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }
  std::string_view Text() { return Take(Number()); }
  // Of something that takes `each` bytes at least: no more than there is room for.
  uint64_t Count(uint64_t each) {
    const uint64_t count = Number();
    whole_ = whole_ && count <= bytes_.size() / each;
    return whole_ ? count : 0;
  }
  bool whole() const { return whole_; }

 private:
  std::string_view Take(uint64_t size) {
    whole_ = whole_ && size <= bytes_.size();
    if (!whole_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::string_view bytes_;
  bool whole_ = true;
};

size_t BitmapBytes(size_t columns) { return (columns + 7) / 8; }

}  // namespace

RowIndexWriter::RowIndexWriter(std::vector<view::ColumnSpec> columns,
                               std::span<const std::string> indexed)
    : columns_(std::move(columns)), out_(kRowsMagic) {
  for (const std::string& name : indexed) {
    const auto found = std::ranges::find(columns_, name, &view::ColumnSpec::name);
    VL_CHECK(found != columns_.end() && found->type == view::ColumnType::kVarchar);
    indexed_.push_back({static_cast<size_t>(found - columns_.begin()), {}});
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
        const auto size = static_cast<uint32_t>(cell.text.size());
        rows_.append(reinterpret_cast<const char*>(&size), sizeof(size));
        rows_ += cell.text;
        break;
      }
      case view::ColumnType::kBoolean:
        PutNumber(rows_, cell.boolean ? 1 : 0);
        break;
      case view::ColumnType::kDouble:
        PutNumber(rows_, std::bit_cast<uint64_t>(cell.number));
        break;
      default:
        PutNumber(rows_, static_cast<uint64_t>(cell.integer));
    }
  }
  for (Indexed& one : indexed_) {
    const view::Cell& cell = row[one.column];
    if (!cell.is_null) one.entries.push_back({Hash64(cell.text), count_});
  }
  const auto end = static_cast<uint32_t>(rows_.size());
  ends_.append(reinterpret_cast<const char*>(&end), sizeof(end));
  ++count_;
  return count_ % kRowIndexBlockRows == 0 ? EndBlock() : Status();
}

Status RowIndexWriter::EndBlock() {
  if (ends_.empty()) return {};
  std::string plain;
  PutNumber(plain, ends_.size() + rows_.size());
  VL_TRY(const std::string packed, codec_.Compress(engine::ParquetCodec::kZstd, ends_ + rows_));
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
  std::string head;
  PutNumber(head, static_cast<uint64_t>(file.size_bytes));
  PutNumber(head, count_);
  PutText(head, file.path);
  PutNumber(head, columns_.size());
  for (const view::ColumnSpec& column : columns_) {
    PutText(head, column.name);
    PutNumber(head, static_cast<uint64_t>(column.type));
  }
  PutNumber(head, blocks_.size());
  for (const Place& block : blocks_) {
    PutNumber(head, block.begin);
    PutNumber(head, block.size);
    PutNumber(head, block.checksum);
  }
  PutNumber(head, indexed_.size());
  for (Indexed& one : indexed_) {
    PutText(head, columns_[one.column].name);
    PutNumber(head, out_.size());
    out_ += EncodeKeyIndex(file, std::move(one.entries), kValuesOfBlock);
  }
  const uint64_t checksum = Hash64(head);
  out_ += head;
  PutNumber(out_, head.size());
  PutNumber(out_, checksum);
  return std::move(out_);
}

Result<RowIndexFile> RowIndexFile::Open(const IndexedFile& file, int64_t size_bytes,
                                        ReadBytes read) {
  RowIndexFile index;
  index.read_ = std::move(read);
  if (size_bytes < kTailBytes) return Unusable("it is cut off");
  VL_TRY(const std::string tail, index.read_(size_bytes - kTailBytes, kTailBytes));
  HeadReader sizes(tail);
  const uint64_t head_bytes = sizes.Number(), checksum = sizes.Number();
  if (!sizes.whole() || head_bytes > static_cast<uint64_t>(size_bytes - kTailBytes)) {
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
  HeadReader head(bytes);
  const auto size = static_cast<int64_t>(head.Number());
  rows_ = static_cast<int64_t>(head.Number());
  if (head.Text() != file.path || size != file.size_bytes ||
      (file.rows >= 0 && rows_ != file.rows)) {
    return Unusable("it was made from another file");
  }
  for (uint64_t left = head.Count(2 * sizeof(uint64_t)); left > 0; --left) {
    std::string name(head.Text());
    columns_.push_back({std::move(name), static_cast<view::ColumnType>(head.Number()), {}, {}});
  }
  for (uint64_t left = head.Count(3 * sizeof(uint64_t)); left > 0; --left) {
    Block block;
    block.begin = head.Number();
    block.size = head.Number();
    block.checksum = head.Number();
    blocks_.push_back(block);
  }
  for (uint64_t left = head.Count(2 * sizeof(uint64_t)); left > 0; --left) {
    std::string column(head.Text());
    const auto begin = static_cast<int64_t>(head.Number());
    if (!head.whole() || begin > data_end) return Unusable("it is damaged");
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
  if (!head.whole() || static_cast<int64_t>(blocks_.size()) != blocks) {
    return Unusable("it is damaged");
  }
  return {};
}

size_t RowIndexFile::RowsOf(size_t block) const {
  return std::min(kRowIndexBlockRows, static_cast<size_t>(rows_) - block * kRowIndexBlockRows);
}

Result<std::vector<uint32_t>> RowIndexFile::Find(std::string_view column,
                                                 std::span<const uint64_t> hashes) const {
  const auto index = std::ranges::find(indexes_, column, &Index::column);
  if (index == indexes_.end()) {
    return Fail(ErrorKind::kNotFound, fmt::format("no index of column {}", column));
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
  const uint64_t plain = HeadReader(bytes).Number();
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
  const auto end_of = [&](size_t row) {
    uint32_t end = 0;
    std::memcpy(&end, block.data() + row * sizeof(end), sizeof(end));
    return end;
  };
  const size_t begin = nth == 0 ? 0 : end_of(nth - 1), end = end_of(nth);
  if (begin > end || ends + end > block.size()) return damaged();
  std::string_view row = block.substr(ends + begin, end - begin);
  const size_t bitmap = BitmapBytes(columns_.size());
  if (row.size() < bitmap) return damaged();
  const std::string_view present = row.substr(0, bitmap);
  row.remove_prefix(bitmap);
  for (size_t i = 0; i < columns_.size(); ++i) {
    view::Cell& cell = cells[i];
    cell.is_null = (static_cast<unsigned char>(present[i / 8]) >> (i % 8) & 1) == 0;
    if (cell.is_null) continue;
    if (columns_[i].type == view::ColumnType::kVarchar) {
      uint32_t size = 0;
      if (row.size() < sizeof(size)) return damaged();
      std::memcpy(&size, row.data(), sizeof(size));
      row.remove_prefix(sizeof(size));
      if (row.size() < size) return damaged();
      cell.text = row.substr(0, size);
      row.remove_prefix(size);
      continue;
    }
    uint64_t value = 0;
    if (row.size() < sizeof(value)) return damaged();
    std::memcpy(&value, row.data(), sizeof(value));
    row.remove_prefix(sizeof(value));
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
