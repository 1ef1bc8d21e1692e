// KeyIndex: where the rows of given keys are in a keyed table, without reading the table.
//
// Per data file, sorted 64-bit hashes of the keys with their row positions lie in
// _vitalake/index/<table>/<data file's path>.keys (key_index_file.h). That is a cache: a file that
// is missing, damaged or made from another data file is made anew from the data file's id columns,
// and may be deleted at any time. Memory stays flat: of an index only the blocks that may hold a
// wanted hash are read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/hash.h"
#include "base/result.h"
#include "delta/snapshot.h"
#include "lake/key_index_file.h"
#include "lake/lake.h"

namespace vitalake::lake {

// The hash of a key; a null id_space counts as "".
inline uint64_t KeyHash(std::string_view id_space, std::string_view id) {
  return Hash64(id, id_space.empty() ? 0 : Hash64(id_space));
}

// A row that has a wanted hash. Whether it has the key too, its id columns tell.
struct KeyHit {
  delta::AddFilePtr file;
  uint32_t row = 0;
  uint64_t key = 0;  // the hash
};

// Thread-safe. `lake` must outlive it. Two processes may work on one index; either's file is right.
class KeyIndex {
 public:
  // `table`: "silver.observation"; its rows have id_space and id.
  KeyIndex(Lake& lake, std::string_view table) : lake_(lake), table_(table) {}

  // The rows of `files` whose key hash is in `wanted` (ascending, each once), in order of file. The
  // files need not be in `snapshot`, which tells the columns. Makes what is missing, several files
  // at once. Errors are those of reading data files; an index that cannot be written is logged.
  // Cost: the head of each index, a block per wanted hash at most.
  Result<std::vector<KeyHit>> Find(const delta::SnapshotPtr& snapshot,
                                   std::span<const delta::AddFilePtr> files,
                                   std::span<const uint64_t> wanted, const Wait& wait = {}) const;

  // Makes the indexes of `files` that are missing.
  Status Prepare(const delta::SnapshotPtr& snapshot, std::span<const delta::AddFilePtr> files,
                 const Wait& wait = {}) const {
    auto none = Find(snapshot, files, {}, wait);
    return none ? Status() : std::unexpected(std::move(none).error());
  }

  // A file `to` took the place of `from`, the same keys in the same rows: its index is the old one
  // under another name. Without an old one nothing happens.
  void Reuse(const IndexedFile& from, const IndexedFile& to) const;

  // Forgets data files that the table has no longer, whoever took them away. Cost: a listing.
  void DropAllBut(const delta::Snapshot& snapshot) const;

 private:
  std::string KeyOf(std::string_view path) const;
  Result<std::vector<KeyEntry>> FindStored(const delta::AddFile& file,
                                           std::span<const uint64_t> wanted) const;
  Result<std::vector<KeyEntry>> MakeAndFind(const delta::SnapshotPtr& snapshot,
                                            const delta::AddFilePtr& file,
                                            std::span<const uint64_t> wanted,
                                            const Wait& wait) const;

  Lake& lake_;
  std::string table_;
};

}  // namespace vitalake::lake
