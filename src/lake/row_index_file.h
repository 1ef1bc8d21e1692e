// The file of a row index: the rows of one data file, laid so that single ones are read for a few
// kilobytes, and which of them have a value in an indexed column.
//
// Layout, integers little-endian:
//   8   "VLROWS04"
//   blocks of kBlockRows rows (the last may be shorter) in the data file's order, zstd: per row u32
//   where it ends in the block, then the rows: one bit per column that has a value, and the values
//   (u32 length and bytes for texts, else 8 bytes)
//   per IndexedColumn a key index (key_index_file.h) over the values' hashes, in blocks of 128
//   head: the data file's size, rows and path, the columns, the places and checksums of the blocks,
//   of the key indexes the columns and places
//   u64 size of the head, u64 its checksum
// Whatever is read has been checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/parquet_pages.h"
#include "lake/key_index_file.h"
#include "view/view.h"

namespace vitalake::lake {

// A text column whose values lead to their rows: to all, or to those without a value in another.
struct IndexedColumn {
  std::string name;
  std::string unless;  // "": to all
  bool operator==(const IndexedColumn&) const = default;
};

// Takes the rows of one data file in order and gives the bytes of its index.
class RowIndexWriter {
 public:
  RowIndexWriter(std::vector<view::ColumnSpec> columns, std::span<const IndexedColumn> indexed);

  Status Append(std::span<const view::Cell> row);
  // Once, at the end.
  Result<std::string> Finish(const IndexedFile& file);

 private:
  struct Place {
    uint64_t begin = 0, size = 0, checksum = 0;
  };
  struct Indexed {
    IndexedColumn spec;
    size_t column = 0;
    std::optional<size_t> unless;
    std::vector<KeyEntry> entries;
  };
  Status EndBlock();

  std::vector<view::ColumnSpec> columns_;
  std::vector<Indexed> indexed_;
  std::string out_;
  std::string ends_, rows_;  // of the block that is being filled
  std::vector<Place> blocks_;
  uint32_t count_ = 0;
  engine::PageCodec codec_;
};

// Holds the head of one index file. Thread-safe.
class RowIndexFile {
 public:
  // `size_bytes` of the index file. kCorrupt when it is none, is cut off or was changed, or belongs
  // to another data file than `file`. Else the reader's errors.
  static Result<RowIndexFile> Open(const IndexedFile& file, int64_t size_bytes, ReadBytes read);

  const std::vector<view::ColumnSpec>& columns() const { return columns_; }
  // Rows (ascending, each once) whose `column` has one of the values with these hashes (ascending,
  // each once); a row of another value with such a hash is among them. None of a column that the
  // file does not have; kUnsupported when it is not indexed so.
  Result<std::vector<uint32_t>> Find(const IndexedColumn& column,
                                     std::span<const uint64_t> hashes) const;

  // Calls `row` for each of `rows` (ascending) with its cells in the order of columns(); texts live
  // for the call.
  template <class Row>
  Status Read(std::span<const uint32_t> rows, const Row& row) const;

 private:
  struct Block {
    uint64_t begin = 0, size = 0, checksum = 0;
  };
  struct Index {
    IndexedColumn column;
    KeyIndexFile keys;
  };
  Status ReadHead(const IndexedFile& file, std::string_view head, int64_t data_end);
  Result<std::string> ReadBlock(size_t at) const;
  Status ReadRow(std::string_view block, size_t of_block, size_t nth,
                 std::vector<view::Cell>& cells) const;
  size_t RowsOf(size_t block) const;

  ReadBytes read_;
  int64_t rows_ = 0;
  std::vector<view::ColumnSpec> columns_;
  std::vector<Block> blocks_;
  std::vector<Index> indexes_;
};

inline constexpr size_t kRowIndexBlockRows = 32;

template <class Row>
Status RowIndexFile::Read(std::span<const uint32_t> rows, const Row& row) const {
  std::vector<view::Cell> cells(columns_.size());
  std::string block;
  size_t at = SIZE_MAX;
  for (const uint32_t wanted : rows) {
    if (wanted / kRowIndexBlockRows != at) {
      at = wanted / kRowIndexBlockRows;
      VL_TRY(block, ReadBlock(at));
    }
    VL_RETURN_IF_ERROR(ReadRow(block, RowsOf(at), wanted % kRowIndexBlockRows, cells));
    row(cells);
  }
  return {};
}

}  // namespace vitalake::lake
