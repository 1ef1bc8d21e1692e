// The file of a key index: which key hashes one data file holds, and in which rows.
//
// Layout, integers little-endian:
//   8   "VLKEYS01"
//   u64 size in bytes of the data file
//   u64 rows of the data file
//   u64 number of entries
//   u32 length of the data file's path, then the path
//   per block: u64 its first hash, u64 checksum of its bytes
//   u64 checksum of everything above
//   blocks of so many entries as its maker says (the last may be shorter): all hashes (u64) in
//   ascending order, then their rows (u32)
// So a search reads the head, and of the blocks those that may hold a wanted hash; whatever is read
// has been checked.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::lake {

struct KeyEntry {
  uint64_t hash = 0;
  uint32_t row = 0;  // from 0
  auto operator<=>(const KeyEntry&) const = default;
};

// What an index file says of the data file it was made from.
struct IndexedFile {
  std::string path;  // AddFile::path
  int64_t size_bytes = 0;
  int64_t rows = 0;
  bool operator==(const IndexedFile&) const = default;
};

// Of a block, where many keys are looked up at once.
inline constexpr int64_t kKeyBlockEntries = 4096;

// The bytes of an index file. `entries` in any order; they are sorted. Whoever opens it must know
// its `block_entries`.
std::string EncodeKeyIndex(const IndexedFile& file, std::vector<KeyEntry> entries,
                           int64_t block_entries = kKeyBlockEntries);

// The same index for a data file whose rows have the same keys in the same places; `bytes` is the
// index of `from`. kCorrupt when it is not.
Result<std::string> ReuseKeyIndex(const std::string& bytes, const IndexedFile& from,
                                  const IndexedFile& to);

// Bytes [offset, offset + size) of an index file, fewer at its end.
using ReadBytes = std::function<Result<std::string>(int64_t offset, int64_t size)>;

// A search in one index file that holds no more than its head.
class KeyIndexFile {
 public:
  // kCorrupt when it is no index file, is cut off or was changed, or belongs to another data file
  // than `file` (rows below 0 there: unknown, not compared). Else the reader's errors.
  static Result<KeyIndexFile> Open(const IndexedFile& file, ReadBytes read,
                                   int64_t block_entries = kKeyBlockEntries);

  // All entries, ascending. kCorrupt as above.
  Result<std::vector<KeyEntry>> ReadAll() const;
  // The entries whose hash is in `wanted` (ascending, each once), ascending. kCorrupt as above.
  Result<std::vector<KeyEntry>> Find(std::span<const uint64_t> wanted) const;

 private:
  struct Block {
    uint64_t first = 0;
    uint64_t checksum = 0;
  };

  KeyIndexFile() = default;
  Status ReadHead(const IndexedFile& file);
  int64_t EntriesOf(size_t block) const;
  Result<std::string> ReadBlock(size_t at) const;

  ReadBytes read_;
  std::vector<Block> blocks_;
  int64_t block_entries_ = 0;
  int64_t entries_ = 0;
  int64_t blocks_offset_ = 0;
};

}  // namespace vitalake::lake
