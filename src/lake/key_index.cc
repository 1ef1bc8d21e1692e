#include "lake/key_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>

#include "base/log.h"
#include "base/parallel.h"
#include "engine/parquet_rows.h"
#include "engine/relation.h"
#include "lake/row_fetch.h"

namespace vitalake::lake {
namespace {

std::unexpected<Error> TooManyRows(const delta::AddFile& file) {
  return Fail(ErrorKind::kUnsupported,
              fmt::format("file {} has more than 4,294,967,295 rows", file.path));
}

IndexedFile Described(const delta::AddFile& file) {
  return {file.path, file.size_bytes, file.NumRecords().value_or(-1)};
}

// The log may come from elsewhere: what it says is a hint.
void ReserveFor(const delta::AddFile& file, std::vector<KeyEntry>& entries) {
  if (const auto count = file.NumRecords()) {
    entries.reserve(static_cast<size_t>(std::clamp<int64_t>(*count, 0, 1 << 20)));
  }
}

// The key of every row of one data file, from its column chunks. kUnsupported as ReadAllFileRows;
// then the engine scans it.
Result<std::vector<KeyEntry>> UnpackKeys(Lake& lake, std::string_view table,
                                         const delta::SnapshotPtr& snapshot,
                                         const delta::AddFilePtr& file) {
  const std::array<engine::RowColumn, 2> columns = {{{"id_space"}, {"id"}}};
  std::vector<KeyEntry> entries;
  ReserveFor(*file, entries);
  VL_RETURN_IF_ERROR(ReadAllFileRows(lake, table, snapshot, *file, columns,
                                     [&](int64_t row, std::span<const view::Cell> cells) -> Status {
                                       entries.push_back({KeyHash(cells[0].text, cells[1].text),
                                                          static_cast<uint32_t>(row)});
                                       return {};
                                     }));
  return entries;
}

// The key of every row of one data file.
Result<std::vector<KeyEntry>> ScanKeys(Lake& lake, std::string_view table,
                                       const delta::SnapshotPtr& snapshot,
                                       const delta::AddFilePtr& file, const Wait& wait) {
  auto unpacked = UnpackKeys(lake, table, snapshot, file);
  if (unpacked || unpacked.error().kind != ErrorKind::kUnsupported) return unpacked;
  log::Debug("{} is scanned: {}", file->path, unpacked.error().ToString());
  delta::SnapshotState state = snapshot->state();
  state.files = {file};
  VL_TRY(const delta::SnapshotPtr alone, delta::Snapshot::Make(std::move(state)));
  VL_TRY(const std::string sql,
         engine::RelationSql(lake.Files(alone, table),
                             {.columns = {"id_space", "id"}, .with_positions = true}));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult rows,
         connection.Stream(fmt::format("SELECT id_space, id, _row FROM ({})", sql), {}, wait));
  std::vector<KeyEntry> entries;
  ReserveFor(*file, entries);
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return entries;
    const int64_t row = rows.GetInt64(2);
    if (row > std::numeric_limits<uint32_t>::max()) return TooManyRows(*file);
    entries.push_back({KeyHash(rows.GetString(0), rows.GetString(1)), static_cast<uint32_t>(row)});
  }
}

}  // namespace

std::string KeyIndex::KeyOf(std::string_view path) const {
  return fmt::format("_vitalake/index/{}/{}.keys", table_, path);
}

Result<std::vector<KeyEntry>> KeyIndex::FindStored(const delta::AddFile& file,
                                                   std::span<const uint64_t> wanted) const {
  const std::string key = KeyOf(file.path);
  VL_TRY(const KeyIndexFile index,
         KeyIndexFile::Open(Described(file), [this, key](int64_t offset, int64_t size) {
           return lake_.store().ReadRange(key, offset, size);
         }));
  return index.Find(wanted);
}

Result<std::vector<KeyEntry>> KeyIndex::MakeAndFind(const delta::SnapshotPtr& snapshot,
                                                    const delta::AddFilePtr& file,
                                                    std::span<const uint64_t> wanted,
                                                    const Wait& wait) const {
  VL_TRY(std::vector<KeyEntry> entries, ScanKeys(lake_, table_, snapshot, file, wait));
  IndexedFile described = Described(*file);
  if (described.rows >= 0 && described.rows != static_cast<int64_t>(entries.size())) {
    return Fail(ErrorKind::kCorrupt, fmt::format("file {} has {} rows, the log says {}", file->path,
                                                 entries.size(), described.rows));
  }
  described.rows = static_cast<int64_t>(entries.size());
  const std::string bytes = EncodeKeyIndex(described, std::move(entries));
  if (auto put = lake_.store().PutCache(KeyOf(file->path), bytes); !put) {
    log::Warn("cannot keep the key index of {}: {}", file->path, put.error().ToString());
  }
  VL_TRY(const KeyIndexFile index,
         KeyIndexFile::Open(described, [&](int64_t offset, int64_t size) -> Result<std::string> {
           return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
         }));
  return index.Find(wanted);
}

Result<std::vector<KeyHit>> KeyIndex::Find(const delta::SnapshotPtr& snapshot,
                                           std::span<const delta::AddFilePtr> files,
                                           std::span<const uint64_t> wanted,
                                           const Wait& wait) const {
  std::vector<Result<std::vector<KeyEntry>>> found(files.size());
  const auto threads = static_cast<size_t>(lake_.engine().options().threads);
  ForEachIndex(files.size(), threads, [&](size_t i) {
    found[i] = FindStored(*files[i], wanted);
    if (found[i]) return true;
    if (found[i].error().kind != ErrorKind::kNotFound) {
      log::Debug("key index of {}: {}", files[i]->path, found[i].error().ToString());
    }
    found[i] = MakeAndFind(snapshot, files[i], wanted, wait);
    return found[i].has_value();
  });
  std::vector<KeyHit> hits;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!found[i]) return Because(std::move(found[i]).error(), "key index");
    for (const KeyEntry& entry : *found[i]) hits.push_back({files[i], entry.row, entry.hash});
  }
  return hits;
}

void KeyIndex::Reuse(const IndexedFile& from, const IndexedFile& to) const {
  const auto bytes = lake_.store().Read(KeyOf(from.path));
  if (!bytes) return;
  const auto renamed = ReuseKeyIndex(*bytes, from, to);
  if (!renamed) return;
  if (auto put = lake_.store().PutCache(KeyOf(to.path), *renamed); !put) {
    log::Warn("cannot keep the key index of {}: {}", to.path, put.error().ToString());
  }
}

void KeyIndex::DropAllBut(const delta::Snapshot& snapshot) const {
  std::unordered_set<std::string> kept;
  for (const delta::AddFilePtr& file : snapshot.files()) kept.insert(KeyOf(file->path));
  const auto found = lake_.store().List(fmt::format("_vitalake/index/{}/", table_));
  if (!found) {
    log::Warn("cannot list the key indexes of {}: {}", table_, found.error().ToString());
    return;
  }
  for (const storage::ObjectInfo& object : *found) {
    if (kept.contains(object.key)) continue;
    if (auto gone = lake_.store().Delete(object.key); !gone) {
      log::Warn("cannot delete {}: {}", object.key, gone.error().ToString());
    }
  }
}

}  // namespace vitalake::lake
