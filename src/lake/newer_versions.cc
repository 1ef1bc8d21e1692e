// Steps:
//  1. the stored rows of the hits and the staged rows of their keys, taken out of their files;
//  2. by key, which record simply has the highest version, and which row is whose;
//  3. the columns that differ, put into the files; the staged rows of new keys and the change file,
//     written row by row.
#include "lake/newer_versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/log.h"
#include "base/parallel.h"
#include "engine/cell_file.h"
#include "engine/column_appender.h"
#include "fhir/record_key.h"
#include "lake/cell_row.h"
#include "lake/row_fetch.h"
#include "lake/sql_text.h"

namespace vitalake::lake {
namespace {

using engine::QuoteName;
using view::Cell;

// More are merged by statements, whose cost does not grow with each.
constexpr size_t kMostKeys = 2'000;
constexpr int64_t kMostStaged = 100'000;
// Staged rows of these keys, which are held in memory.
constexpr size_t kMostRows = 10'000;
constexpr int64_t kCheckEvery = 1024;  // rows

KeptRow Keep(int64_t place, std::span<const Cell> cells) {
  KeptRow kept;
  kept.place = place;
  kept.cells.assign(cells.begin(), cells.end());
  size_t bytes = 0;
  for (const Cell& cell : cells) bytes += cell.text.size();
  kept.texts = std::make_unique<std::string>();
  kept.texts->reserve(bytes);  // never to grow
  for (Cell& cell : kept.cells) {
    const size_t at = kept.texts->size();
    kept.texts->append(cell.text);
    cell.text = std::string_view(*kept.texts).substr(at, cell.text.size());
  }
  return kept;
}

bool IsSame(const Cell& a, const Cell& b, view::ColumnType type) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  switch (type) {
    case view::ColumnType::kVarchar:
      return a.text == b.text;
    case view::ColumnType::kBoolean:
      return a.boolean == b.boolean;
    case view::ColumnType::kDouble:
      return a.number == b.number;
    default:
      return a.integer == b.integer;
  }
}

// nullopt: no plain integer.
std::optional<int64_t> VersionOf(const Cell& cell) {
  return cell.is_null ? -1 : fhir::VersionNumber(cell.text);
}

std::optional<int64_t> NumberOf(const Cell& cell) {
  return cell.is_null ? std::nullopt : std::optional(cell.integer);
}

}  // namespace

// Where the columns are that tell which version a row holds.
struct NewerVersions::Columns {
  size_t id_space, id, version, updated, content, identifier, retracted, deleted, partition, offset,
      ingested, changed;
  std::vector<size_t> row_key, clustered;

  // nullopt: the table lacks one.
  static std::optional<Columns> Of(const std::vector<std::string>& names, const SilverView& view) {
    Columns at{};
    const auto find = [&](std::string_view name, size_t& place) {
      place = static_cast<size_t>(std::ranges::find(names, name) - names.begin());
      return place < names.size();
    };
    const auto find_all = [&](const std::vector<std::string>& wanted, std::vector<size_t>& places) {
      return std::ranges::all_of(
          wanted, [&](const std::string& name) { return find(name, places.emplace_back()); });
    };
    const bool all = find("id_space", at.id_space) && find("id", at.id) &&
                     find("version_id", at.version) && find("last_updated", at.updated) &&
                     find("content_hash", at.content) && find("identifier", at.identifier) &&
                     find("retracted_at", at.retracted) && find("deleted", at.deleted) &&
                     find("source_partition", at.partition) && find("source_offset", at.offset) &&
                     find("ingestion_date", at.ingested) && find("update_date", at.changed) &&
                     find_all(view.row_key, at.row_key) &&
                     find_all(view.clustered_by, at.clustered);
    return all ? std::optional(at) : std::nullopt;
  }

  uint64_t KeyOf(const KeptRow& row) const {
    return KeyHash(row.cells[id_space].text, row.cells[id].text);
  }
  // Holds a version that was neither retracted nor deleted.
  bool IsPlain(const KeptRow& row) const {
    const Cell& gone = row.cells[deleted];
    return row.cells[retracted].is_null && (gone.is_null || !gone.boolean) &&
           !row.cells[content].is_null;
  }
  // By the first steps of the rank (upsert.h), which leave nothing to the others.
  bool IsHigher(const KeptRow& a, const KeptRow& b) const {
    const auto ours = VersionOf(a.cells[version]);
    const auto theirs = VersionOf(b.cells[version]);
    if (!ours || !theirs) return false;
    if (*ours != *theirs) return *ours > *theirs;
    return NumberOf(a.cells[updated]) > NumberOf(b.cells[updated]);
  }
  Place PlaceOf(const KeptRow& row) const {
    return {row.cells[partition].text, row.cells[offset].integer};
  }
  bool HaveOneContent(const KeptRow& a, const KeptRow& b) const {
    return a.cells[content].text == b.cells[content].text;
  }
  // Whether `other`, of the same key hash, may be another version of what `row` is one of.
  bool IsOneResource(const KeptRow& row, const KeptRow& other) const {
    return row.cells[id].text == other.cells[id].text &&
           row.cells[id_space].text == other.cells[id_space].text;
  }
};

size_t NewerVersions::PlaceHash::operator()(const Place& place) const {
  return Hash64(place.partition, static_cast<uint64_t>(place.offset));
}

Status NewerVersions::CheckAt(int64_t row) const {
  return row % kCheckEvery == 0 ? wait_.Check(lake_.clock(), "merging newer versions") : Status();
}

Status NewerVersions::ReadStored(std::span<const KeyHit> hits) {
  const std::vector<FileRows> files = ByFile({hits.begin(), hits.end()});
  stored_.resize(files.size());
  std::vector<Status> results(files.size());
  const auto threads = static_cast<size_t>(lake_.engine().options().threads);
  ForEachIndex(files.size(), threads, [&](size_t i) {
    stored_[i].path = files[i].file->path;
    results[i] = ReadFileRows(lake_, request_.view.table, snapshot_, files[i], columns_,
                              [&](int64_t place, std::span<const Cell> cells) -> Status {
                                stored_[i].rows.push_back(Keep(place, cells));
                                return {};
                              });
    return results[i].has_value();
  });
  for (Status& result : results) VL_RETURN_IF_ERROR(std::move(result));
  return {};
}

Result<std::vector<int64_t>> NewerVersions::PlacesOfKeys(const std::filesystem::path& file) const {
  const engine::RowColumn key_columns[] = {{"id_space"}, {"id"}};
  std::vector<int64_t> places;
  VL_RETURN_IF_ERROR(engine::ReadAllParquetRows(
      file, key_columns, [&](int64_t place, std::span<const Cell> cells) -> Status {
        if (keys_.contains(KeyHash(cells[0].text, cells[1].text))) places.push_back(place);
        return CheckAt(place);
      }));
  return places;
}

Result<bool> NewerVersions::ReadStaged() {
  size_t held = 0;
  for (size_t i = 0; i < staged_.size(); ++i) {
    const std::filesystem::path& file = request_.staged.files[i].path;
    VL_TRY(const std::vector<int64_t> places, PlacesOfKeys(file));
    held += places.size();
    if (held > kMostRows) return false;
    if (places.empty()) continue;
    VL_RETURN_IF_ERROR(engine::ReadParquetRows(
        file, places, columns_, [&](int64_t place, std::span<const Cell> cells) -> Status {
          staged_[i].push_back(Keep(place, cells));
          return CheckAt(place);
        }));
  }
  return true;
}

std::unordered_map<uint64_t, NewerVersions::Key> NewerVersions::Gather(const Columns& at) {
  std::unordered_map<uint64_t, Key> keys;
  for (size_t i = 0; i < stored_.size(); ++i) {
    for (const KeptRow& row : stored_[i].rows) keys[at.KeyOf(row)].stored.push_back({i, &row});
  }
  for (size_t i = 0; i < staged_.size(); ++i) {
    for (KeptRow& row : staged_[i]) {
      Key& key = keys[at.KeyOf(row)];
      const auto [own, is_first] = key.places.emplace(at.PlaceOf(row), key.records.size());
      if (is_first) key.records.emplace_back();
      key.records[own->second].push_back({i, &row});
    }
  }
  return keys;
}

// Whether what is staged for the other table under these keys are the same records: another one may
// be at home there.
Result<bool> NewerVersions::AreTheSameElsewhere(const std::unordered_map<uint64_t, Key>& keys) {
  if (!request_.elsewhere) return true;
  const engine::RowColumn wanted[] = {
      {"id_space"}, {"id"}, {"source_partition"}, {"source_offset", view::ColumnType::kBigint}};
  bool same = true;
  const auto is_ours = [&](std::span<const Cell> cells) {
    const auto own = keys.find(KeyHash(cells[0].text, cells[1].text));
    return own != keys.end() && own->second.places.contains({cells[2].text, cells[3].integer});
  };
  for (const engine::WrittenFile& file : request_.staged_elsewhere->files) {
    VL_TRY(const std::vector<int64_t> places, PlacesOfKeys(file.path));
    if (places.empty()) continue;
    VL_RETURN_IF_ERROR(engine::ReadParquetRows(
        file.path, places, wanted, [&](int64_t place, std::span<const Cell> cells) -> Status {
          same &= is_ours(cells);
          return CheckAt(place);
        }));
  }
  return same;
}

// Gives the rows of `record` the places of those of its key, and what stays of them. Whether it
// has the same.
bool NewerVersions::TakePlaces(const Columns& at, const std::vector<StoredRow>& stored,
                               const Record& record) {
  if (stored.size() != record.size()) return false;
  std::optional<int64_t> ingested;
  for (const StoredRow& old : stored) {
    const auto since = NumberOf(old.row->cells[at.ingested]);
    if (since && (!ingested || *since < *ingested)) ingested = since;
  }
  const auto is_same = [&](const std::vector<size_t>& columns, const KeptRow& a, const KeptRow& b) {
    return std::ranges::all_of(columns, [&](size_t column) {
      return IsSame(a.cells[column], b.cells[column], columns_[column].type);
    });
  };
  std::unordered_set<const KeptRow*> taken;
  for (const StoredRow& old : stored) {
    const auto found = std::ranges::find_if(record, [&](const StagedRow& staged) {
      return is_same(at.row_key, *staged.row, *old.row) && taken.insert(staged.row).second;
    });
    // Rows of another place in the order cannot stay where the old ones are.
    if (found == record.end() || !is_same(at.clustered, *found->row, *old.row)) return false;
    KeptRow& row = *found->row;
    if (ingested) row.cells[at.ingested] = CellRow().Int(ingested).cells()[0];
    row.cells[at.changed] = CellRow().Int(lake_.clock().NowMicros()).cells()[0];
    row.cells[at.deleted] = CellRow().Bool(false).cells()[0];
    stored_[old.file].pairs.push_back({old.row, &row});
  }
  return true;
}

// Whether one record of the key simply comes first.
bool NewerVersions::Settle(const Columns& at, Key& key) {
  if (key.records.empty()) return false;
  const auto highest = std::ranges::max_element(key.records, [&](const Record& a, const Record& b) {
    return at.IsHigher(*b.front().row, *a.front().row);
  });
  const KeptRow& first = *highest->front().row;
  const Cell* identifier = &first.cells[at.identifier];
  const auto has_their_identifier = [&](const KeptRow& row) {
    const Cell& own = row.cells[at.identifier];
    if (identifier->is_null) identifier = &own;
    return own.is_null || own.text == identifier->text;
  };
  const auto comes_second = [&](const KeptRow& row) {
    return at.IsOneResource(first, row) && at.IsPlain(row) && at.IsHigher(first, row) &&
           has_their_identifier(row);
  };
  if (!at.IsPlain(first)) return false;
  for (const StoredRow& old : key.stored) {
    if (!comes_second(*old.row)) return false;
  }
  std::unordered_set<Place, PlaceHash> stored_places;
  for (const StoredRow& old : key.stored) stored_places.insert(at.PlaceOf(*old.row));
  for (Record& record : key.records) {
    for (const StagedRow& staged : record) left_out_[staged.file].push_back(staged.row->place);
    if (&record == &*highest) continue;
    const KeptRow& second = *record.front().row;
    if (stored_places.contains(at.PlaceOf(second)) || !comes_second(second)) return false;
    exceptions_.push_back({record, at.HaveOneContent(first, second)});
  }
  if (!key.stored.empty()) {
    // What is there already counts as that, even where it brings a higher version's number.
    if (at.HaveOneContent(first, *key.stored.front().row)) exceptions_.push_back({*highest, true});
    return TakePlaces(at, key.stored, *highest);
  }
  for (const StagedRow& staged : *highest) std::erase(left_out_[staged.file], staged.row->place);
  return true;
}

Result<bool> NewerVersions::SettleAll(const Columns& at, std::unordered_map<uint64_t, Key>& keys) {
  for (auto& [hash, key] : keys) {
    VL_RETURN_IF_ERROR(wait_.Check(lake_.clock(), "merging newer versions"));
    if (!Settle(at, key)) return false;
  }
  return true;
}

Result<bool> NewerVersions::Take(std::span<const KeyHit> hits, std::span<const uint64_t> repeats) {
  if (hits.size() + repeats.size() > kMostKeys || request_.staged.records > kMostStaged) {
    return false;
  }
  names_ = ColumnNames(*snapshot_);
  auto columns = engine::RowColumns(snapshot_->schema(), names_);
  const auto at = Columns::Of(names_, request_.view);
  if (!columns || !at || !snapshot_->metadata().partition_columns.empty()) return false;
  columns_ = std::move(*columns);
  left_out_.resize(request_.staged.files.size());
  staged_.resize(request_.staged.files.size());
  const auto take = [&]() -> Result<bool> {
    VL_RETURN_IF_ERROR(ReadStored(hits));
    for (const ChangedFile& file : stored_) {
      for (const KeptRow& row : file.rows) stored_keys_.insert(at->KeyOf(row));
    }
    keys_ = stored_keys_;
    keys_.insert(repeats.begin(), repeats.end());
    if (keys_.empty()) return true;
    VL_TRY(const bool read, ReadStaged());
    if (!read) return false;
    auto keys = Gather(*at);
    VL_TRY(const bool same, AreTheSameElsewhere(keys));
    if (!same) return false;
    return SettleAll(*at, keys);
  };
  auto taken = take();
  if (!taken && taken.error().kind == ErrorKind::kUnsupported) {
    log::Debug("{} is merged by statements: {}", request_.view.table, taken.error().ToString());
    return false;
  }
  for (ChangedFile& file : stored_) {
    std::ranges::sort(file.pairs, {}, [](const Pair& pair) { return pair.old_row->place; });
  }
  return taken;
}

// Which of the exceptions, by place, count in this table.
Result<std::vector<bool>> NewerVersions::AreHome() {
  if (request_.view.home == "true") return std::vector<bool>(exceptions_.size(), true);
  std::vector<std::vector<int64_t>> asked(staged_.size());
  for (const Exception& exception : exceptions_) {
    for (const StagedRow& staged : exception.record)
      asked[staged.file].push_back(staged.row->place);
  }
  std::set<std::pair<size_t, int64_t>> home;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (asked[i].empty()) continue;
    VL_TRY(engine::QueryResult rows,
           connection_.Query(
               fmt::format("SELECT file_row_number FROM read_parquet({}, file_row_number = true) "
                           "WHERE file_row_number IN ({}) AND ({})",
                           engine::QuotePath(request_.staged.files[i].path),
                           fmt::join(asked[i], ", "), request_.view.home),
               {}, wait_));
    for (;;) {
      VL_TRY(const bool more, rows.Next());
      if (!more) break;
      home.emplace(i, rows.GetInt64(0));
    }
  }
  std::vector<bool> are;
  for (const Exception& exception : exceptions_) {
    are.push_back(std::ranges::any_of(exception.record, [&](const StagedRow& staged) {
      return home.contains({staged.file, staged.row->place});
    }));
  }
  return are;
}

Status NewerVersions::TellOutcomes(UpsertResult& result) {
  result.exceptions.clear();
  result.placed.clear();
  const auto at = Columns::Of(names_, request_.view);
  VL_TRY(const std::vector<bool> are_home, AreHome());
  for (size_t i = 0; i < exceptions_.size(); ++i) {
    if (!are_home[i]) continue;
    const Exception& exception = exceptions_[i];
    Exceptions outcome;
    ++(exception.duplicate ? outcome.duplicate : outcome.superseded);
    const std::vector<Cell>& cells = exception.record.front().row->cells;
    const std::string partition(cells[at->partition].text);
    result.exceptions[partition] += outcome;
    if (request_.by_place) {
      result.placed.push_back({partition, cells[at->offset].integer, outcome});
    }
  }
  return {};
}

// The values of the columns in which a row differs.
engine::RowPatch NewerVersions::PatchOf(const ChangedFile& file) const {
  engine::RowPatch patch;
  for (const Pair& pair : file.pairs) patch.rows.push_back(pair.old_row->place);
  for (size_t c = 0; c < columns_.size(); ++c) {
    const bool differs = std::ranges::any_of(file.pairs, [&](const Pair& pair) {
      return !IsSame(pair.old_row->cells[c], pair.new_row->cells[c], columns_[c].type);
    });
    if (!differs) continue;
    engine::ColumnPatch column{names_[c], std::string(engine::SqlType(columns_[c].type)), {}};
    for (const Pair& pair : file.pairs) {
      column.values.push_back(engine::PatchValue(pair.new_row->cells[c], columns_[c].type));
    }
    patch.columns.push_back(std::move(column));
  }
  return patch;
}

// false: one cannot be.
Result<bool> NewerVersions::SpliceFiles(const std::filesystem::path& folder, Rewrite& out) {
  std::vector<Result<std::optional<engine::WrittenFile>>> files(stored_.size());
  std::vector<std::filesystem::path> targets;
  for (size_t i = 0; i < stored_.size(); ++i) {
    targets.push_back(NewFile(lake_, folder));
  }
  const auto threads = static_cast<size_t>(lake_.engine().options().threads);
  ForEachIndex(stored_.size(), threads, [&](size_t i) {
    files[i] = SpliceFile(lake_, request_.view.table, snapshot_, stored_[i].path,
                          PatchOf(stored_[i]), targets[i]);
    return files[i].has_value() && files[i]->has_value();
  });
  for (size_t i = 0; i < stored_.size(); ++i) {
    VL_TRY(auto file, std::move(files[i]));
    if (!file) return false;
    successors_.push_back(SuccessorOf(*snapshot_, stored_[i].path, *file));
    out.replaced.push_back(stored_[i].path);
    out.data.push_back(*std::move(file));
    out.updated += static_cast<int64_t>(stored_[i].pairs.size());
  }
  return true;
}

// The file of changes, with the pairs. nullopt: none is kept.
Result<std::optional<engine::CellFile>> NewerVersions::BeginChanges(
    const std::filesystem::path& folder, const Rewrite& out) {
  if (!snapshot_->change_feed_enabled() || out.replaced.empty()) return std::nullopt;
  std::vector<view::ColumnSpec> specs = engine::SpecsOf(columns_);
  specs.push_back({"_change_type", view::ColumnType::kVarchar, "", ""});
  VL_TRY(auto changes, engine::CellFile::Create(NewFile(lake_, folder, "cdc"), specs));
  const CellRow before = CellRow().Text("update_preimage");
  const CellRow after = CellRow().Text("update_postimage");
  for (const ChangedFile& file : stored_) {
    for (const Pair& pair : file.pairs) {
      VL_RETURN_IF_ERROR(changes.Put(pair.old_row->cells, before.cells()));
      VL_RETURN_IF_ERROR(changes.Put(pair.new_row->cells, after.cells()));
    }
  }
  return changes;
}

// The rows of a staged file that are inserted, into a file of their own and behind `changes`.
Status NewerVersions::WriteInserted(size_t staged_file, const std::filesystem::path& folder,
                                    std::optional<engine::CellFile>& changes, Rewrite& out) {
  const engine::WrittenFile& staged = request_.staged.files[staged_file];
  const std::vector<int64_t>& left_out = left_out_[staged_file];
  std::optional<engine::CellFile> kept;
  if (!left_out.empty()) {
    VL_TRY(kept, engine::CellFile::Create(NewFile(lake_, folder), engine::SpecsOf(columns_)));
  }
  if (kept || changes) {
    const CellRow insert = CellRow().Text("insert");
    const auto put = [&](int64_t place, std::span<const Cell> cells) -> Status {
      if (std::ranges::binary_search(left_out, place)) return {};
      if (kept) VL_RETURN_IF_ERROR(kept->Put(cells));
      return changes ? changes->Put(cells, insert.cells()) : Status();
    };
    VL_RETURN_IF_ERROR(engine::ReadAllParquetRows(staged.path, columns_, put));
  }
  engine::WrittenFile written;
  if (kept) {
    VL_TRY(written, kept->Finish(request_.view.clustered_by));
  } else {
    VL_TRY(written, LinkStaged(staged, folder));
  }
  out.inserted += written.rows;
  out.data.push_back(std::move(written));
  return {};
}

Status NewerVersions::WriteRows(const std::filesystem::path& folder, Rewrite& out) {
  VL_TRY(auto changes, BeginChanges(folder, out));
  for (size_t i = 0; i < staged_.size(); ++i) {
    std::ranges::sort(left_out_[i]);
    if (static_cast<int64_t>(left_out_[i].size()) == request_.staged.files[i].rows) continue;
    VL_RETURN_IF_ERROR(WriteInserted(i, folder, changes, out));
  }
  if (changes && changes->rows() > 0) {
    VL_TRY(out.changes.emplace_back(), changes->Finish({}));
  }
  return {};
}

Result<std::optional<Rewrite>> NewerVersions::MakeRewrite(const std::filesystem::path& folder) {
  Rewrite out;
  VL_TRY(const bool spliced, SpliceFiles(folder, out));
  if (!spliced) return std::nullopt;
  VL_RETURN_IF_ERROR(WriteRows(folder, out));
  return out;
}

}  // namespace vitalake::lake
