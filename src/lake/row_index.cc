#include "lake/row_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"
#include "engine/parquet_rows.h"
#include "lake/lake.h"
#include "lake/row_fetch.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kIndexedTables[] = {"silver.patient", "silver.observation",
                                               "silver.vital_sign"};
constexpr std::string_view kIndexedColumns[] = {"id", "patient_id", "person_id",
                                                "subject_identifier"};
// Of values inside of panels there are many, and who looks for records of their own skips them.
constexpr std::string_view kTableOfParts = "silver.vital_sign";
const IndexedColumn kOfNoPart = {"patient_id", "panel"};
// Rows of files without an index that a reader waits for; more are left to the worker.
constexpr int64_t kRowsAtOnce = 10'000;
// More rows are found by scan as well.
constexpr size_t kMostRowsRead = 20'000;
constexpr size_t kMostOpen = 10'000;
// Of these, files that are not opened anew for each read.
constexpr size_t kMostHeldOpen = 500;
constexpr int64_t kSweepEvery = 32;  // indexes made

std::string FolderOf(std::string_view table) { return fmt::format("_vitalake/rows/{}/", table); }

std::string KeyOfRows(std::string_view table, std::string_view path) {
  return fmt::format("{}{}.rows", FolderOf(table), path);
}

IndexedFile FileDescribed(const delta::AddFile& file) {
  return {file.path, file.size_bytes, file.NumRecords().value_or(-1)};
}

std::vector<uint64_t> HashesOf(std::span<const std::string> values) {
  std::vector<uint64_t> hashes;
  for (const std::string& value : values) hashes.push_back(Hash64(value));
  std::ranges::sort(hashes);
  const auto again = std::ranges::unique(hashes);
  hashes.erase(again.begin(), again.end());
  return hashes;
}

// For each column of a table, the one of an index that has its values; -1: none.
Result<std::vector<int>> PlacesIn(const RowIndexFile& file,
                                  std::span<const view::ColumnSpec> columns) {
  std::vector<int> places;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& known = file.columns();
    auto found = i < known.size() && known[i].name == columns[i].name
                     ? known.begin() + static_cast<std::ptrdiff_t>(i)
                     : std::ranges::find(known, columns[i].name, &view::ColumnSpec::name);
    if (found != known.end() && found->type != columns[i].type) {
      return Fail(ErrorKind::kUnsupported, fmt::format("{} had another type", columns[i].name));
    }
    places.push_back(found == known.end() ? -1 : static_cast<int>(found - known.begin()));
  }
  return places;
}

}  // namespace

RowIndex::~RowIndex() {
  worker_.request_stop();
  changed_.notify_all();
}

bool RowIndex::IsIndexed(std::string_view table, std::string_view column) {
  return std::ranges::find(kIndexedTables, table) != std::end(kIndexedTables) &&
         std::ranges::find(kIndexedColumns, column) != std::end(kIndexedColumns);
}

void RowIndex::Enable() {
  if (enabled_.exchange(true)) return;
  for (const std::string_view table : kIndexedTables) {
    if (const auto snapshot = lake_.Latest(table)) Ask(table, *snapshot);
  }
}

Result<RowIndex::File> RowIndex::OpenStored(std::string_view table, const delta::AddFile& file) {
  const FileKey place(table, file.path);
  bool many = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = open_.find(place); found != open_.end()) return found->second;
    many = open_.size() >= kMostHeldOpen;
  }
  const std::string key = KeyOfRows(table, file.path);
  VL_TRY(const std::shared_ptr<storage::ObjectReader> reader, lake_.store().OpenReader(key));
  ReadBytes read = [reader](int64_t offset, int64_t size) {
    return reader->ReadRange(offset, size);
  };
  if (many) {
    read = [&store = lake_.store(), key](int64_t offset, int64_t size) {
      return store.ReadRange(key, offset, size);
    };
  }
  VL_TRY(RowIndexFile index,
         RowIndexFile::Open(FileDescribed(file), reader->size_bytes(), std::move(read)));
  File opened = std::make_shared<const RowIndexFile>(std::move(index));
  const std::lock_guard lock(mutex_);
  if (open_.size() >= kMostOpen) open_.clear();
  open_[place] = opened;
  return opened;
}

Result<std::string> RowIndex::Encode(std::string_view table, const delta::SnapshotPtr& snapshot,
                                     const delta::AddFile& file, const Wait& wait) {
  const auto columns = engine::RowColumns(snapshot->schema(), ColumnNames(*snapshot));
  if (!columns) return Fail(ErrorKind::kUnsupported, "columns that are no cells");
  const auto is_text = [&](std::string_view name) {
    const auto found = std::ranges::find(*columns, name, &engine::RowColumn::name);
    return found != columns->end() && found->type == view::ColumnType::kVarchar;
  };
  std::vector<IndexedColumn> indexed;
  for (const engine::RowColumn& column : *columns) {
    if (IsIndexed(table, column.name) && is_text(column.name)) indexed.push_back({column.name, ""});
  }
  if (table == kTableOfParts && is_text(kOfNoPart.name) && is_text(kOfNoPart.unless)) {
    indexed.push_back(kOfNoPart);
  }
  RowIndexWriter writer(engine::SpecsOf(*columns), indexed);
  int64_t count = 0;
  VL_RETURN_IF_ERROR(ReadAllFileRows(lake_, table, snapshot, file, *columns,
                                     [&](int64_t row, std::span<const view::Cell> cells) -> Status {
                                       if (row % 1024 == 0)
                                         VL_RETURN_IF_ERROR(
                                             wait.Check(lake_.clock(), "indexing rows"));
                                       ++count;
                                       return writer.Append(cells);
                                     }));
  return writer.Finish({file.path, file.size_bytes, count});
}

Result<RowIndex::File> RowIndex::Make(std::string_view table, const delta::SnapshotPtr& snapshot,
                                      const delta::AddFile& file, const Wait& wait) {
  if (auto made = OpenStored(table, file)) return made;
  const auto bytes = Encode(table, snapshot, file, wait);
  if (!bytes) {
    if (bytes.error().kind == ErrorKind::kUnsupported) {
      const std::lock_guard lock(mutex_);
      impossible_.emplace(table, file.path);
    }
    return std::unexpected(bytes.error());
  }
  if (auto put = lake_.store().Put(KeyOfRows(table, file.path), *bytes); !put) {
    if (enabled_.exchange(false)) {
      log::Warn("rows are found by scan, as their index cannot be kept: {}",
                put.error().ToString());
    }
    return std::unexpected(put.error());
  }
  return OpenStored(table, file);
}

Result<std::vector<RowIndex::File>> RowIndex::OpenAll(std::string_view table,
                                                      const delta::SnapshotPtr& snapshot,
                                                      const Wait& wait) {
  std::vector<File> files;
  std::vector<const delta::AddFile*> missing;
  int64_t rows_missing = 0;
  for (const delta::AddFilePtr& file : snapshot->files()) {
    if (auto stored = OpenStored(table, *file)) {
      files.push_back(*std::move(stored));
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (impossible_.contains(FileKey(table, file->path))) return std::vector<File>{};
    missing.push_back(file.get());
    rows_missing += file->NumRecords().value_or(kRowsAtOnce + 1);
  }
  if (rows_missing > kRowsAtOnce) {
    Ask(table, snapshot);
    return std::vector<File>{};
  }
  if (missing.empty()) return files;
  const std::lock_guard one(making_);
  for (const delta::AddFile* const file : missing) {
    auto made = Make(table, snapshot, *file, wait);
    if (!made) {
      VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "indexing rows"));
      log::Debug("row index of {}: {}", file->path, made.error().ToString());
      return std::vector<File>{};
    }
    files.push_back(*std::move(made));
    // The worker takes away what the table has left behind.
    if (++made_ % kSweepEvery == 0) Ask(table, snapshot);
  }
  return files;
}

bool RowIndex::IsReady(std::string_view table) {
  if (!enabled_ || !IsIndexed(table, "id")) return false;
  const auto snapshot = lake_.Latest(table);
  if (!snapshot || (*snapshot)->files().empty()) return false;
  const auto files = OpenAll(table, *snapshot, {});
  return files && !files->empty();
}

Result<bool> RowIndex::Read(const Request& request, const UseRow& use, const Wait& wait) {
  if (!enabled_ || !IsIndexed(request.table, request.column)) return false;
  if (request.snapshot->files().empty()) return true;
  const auto columns = engine::CellColumns(request.snapshot->schema());
  if (!columns) return false;
  VL_TRY(const std::vector<File> files, OpenAll(request.table, request.snapshot, wait));
  if (files.empty()) return false;
  const std::vector<uint64_t> hashes = HashesOf(request.values);
  IndexedColumn column{std::string(request.column), std::string(request.unless)};
  if (request.table != kTableOfParts || column != kOfNoPart) column.unless.clear();
  const auto in_vain = [&](const Error& error) {
    log::Debug("row index of {}: {}", request.table, error.ToString());
    if (error.kind != ErrorKind::kUnsupported) {
      const std::lock_guard lock(mutex_);
      open_.clear();
    }
    return false;
  };
  std::vector<std::vector<uint32_t>> found;
  size_t count = 0;
  for (const File& file : files) {
    auto rows = file->Find(column, hashes);
    if (!rows) return in_vain(rows.error());
    count += rows->size();
    if (count > kMostRowsRead) return false;
    found.push_back(*std::move(rows));
  }
  std::vector<view::Cell> ordered(columns->size());
  for (size_t i = 0; i < files.size(); ++i) {
    if (found[i].empty()) continue;
    VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "reading rows"));
    const auto places = PlacesIn(*files[i], *columns);
    if (!places) return in_vain(places.error());
    bool enough = false;
    const Status read = files[i]->Read(found[i], [&](std::span<const view::Cell> cells) {
      if (enough) return;
      for (size_t c = 0; c < ordered.size(); ++c) {
        const int place = (*places)[c];
        ordered[c] = place < 0 ? view::Cell{} : cells[static_cast<size_t>(place)];
      }
      enough = !use(ordered);
    });
    if (!read) return in_vain(read.error());
    if (enough) return false;
  }
  ++answered_;
  return true;
}

void RowIndex::Ask(std::string_view table, const delta::SnapshotPtr& snapshot) {
  const std::lock_guard lock(mutex_);
  asked_[std::string(table)] = snapshot;
  if (!worker_.joinable()) {
    worker_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  }
  changed_.notify_all();
}

void RowIndex::Work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !asked_.empty(); })) {
    const auto next = asked_.begin();
    const Job job{next->first, next->second};
    asked_.erase(next);
    working_ = true;
    lock.unlock();
    MakeAll(job, Wait{.stop = stop});
    lock.lock();
    working_ = false;
    changed_.notify_all();
  }
}

void RowIndex::MakeAll(const Job& job, const Wait& wait) {
  for (const delta::AddFilePtr& file : job.snapshot->files()) {
    if (!enabled_ || wait.stop.stop_requested()) return;
    if (OpenStored(job.table, *file)) continue;
    if (auto made = Make(job.table, job.snapshot, *file, wait); !made) {
      log::Debug("row index of {}: {}", file->path, made.error().ToString());
    }
  }
  Sweep(job);
}

// Forgets files that the table has no longer.
void RowIndex::Sweep(const Job& job) {
  // In this order: what is listed was made for a version no later than this one.
  const auto found = lake_.store().List(FolderOf(job.table));
  const auto latest = lake_.Latest(job.table);
  if (!latest || !found) return;
  std::set<std::string> kept;
  for (const delta::AddFilePtr& file : (*latest)->files()) {
    kept.insert(KeyOfRows(job.table, file->path));
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(open_, [&](const auto& entry) {
      return entry.first.first == job.table &&
             !kept.contains(KeyOfRows(job.table, entry.first.second));
    });
  }
  for (const storage::ObjectInfo& object : *found) {
    if (kept.contains(object.key)) continue;
    if (auto gone = lake_.store().Delete(object.key); !gone) {
      log::Debug("cannot delete {}: {}", object.key, gone.error().ToString());
    }
  }
}

void RowIndex::Finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return asked_.empty() && !working_; });
}

}  // namespace vitalake::lake
