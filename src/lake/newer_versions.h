// NewerVersions: most corrections, merged without asking the engine to rank anything.
//
// That is so where of each key that the table has, or that comes twice, one record has a higher
// version (versionId, then lastUpdated) than the rows there and than every other record, nothing is
// retracted, and its rows have the row keys and the place in the order that the old ones have. Then
// its rows take the others' places in their files, and the rows of new keys are inserted. What such
// records come to is the same by the general way (upsert_try.h), which takes whatever is not so:
// tens of statements, most of whose time is planning.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/snapshot.h"
#include "engine/cell_file.h"
#include "engine/engine.h"
#include "engine/parquet_rows.h"
#include "lake/file_rewrite.h"
#include "lake/key_index.h"
#include "lake/lake.h"
#include "lake/table_writer.h"
#include "lake/upsert.h"

namespace vitalake::lake {

// A row taken out of a file; its cells point to texts that it holds.
struct KeptRow {
  int64_t place = 0;  // in its file
  std::vector<view::Cell> cells;
  std::unique_ptr<std::string> texts;
};

// Everything given must outlive it. Not to be moved.
class NewerVersions {
 public:
  NewerVersions(Lake& lake, const UpsertRequest& request, delta::SnapshotPtr snapshot,
                engine::Connection& connection, const Wait& wait)
      : lake_(lake),
        request_(request),
        snapshot_(std::move(snapshot)),
        connection_(connection),
        wait_(wait) {}

  // Whether it is so for the keys of these rows of the table, and for `repeats`, key hashes of
  // records that come twice (in either table). All other records are taken to be of new keys.
  Result<bool> Take(std::span<const KeyHit> hits, std::span<const uint64_t> repeats);
  // After Take: whether the table has rows of that key.
  bool HasStored(uint64_t key) const { return stored_keys_.contains(key); }
  // After Take: which records were not written, and why.
  Status TellOutcomes(UpsertResult& result);
  // After Take: writes the files of the change into `folder`. nullopt: a file cannot be spliced.
  Result<std::optional<Rewrite>> MakeRewrite(const std::filesystem::path& folder);
  const std::vector<SuccessorFile>& successors() const { return successors_; }

 private:
  struct Columns;
  // A row of the table and the one that takes its place.
  struct Pair {
    const KeptRow* old_row;
    KeptRow* new_row;
  };
  struct ChangedFile {
    std::string path;
    std::vector<KeptRow> rows;
    std::vector<Pair> pairs;  // in order of place
  };
  struct StagedRow {
    size_t file;
    KeptRow* row;
  };
  using Record = std::vector<StagedRow>;  // the rows of one
  struct StoredRow {
    size_t file;
    const KeptRow* row;
  };
  // Where a record came in; the text is that of one of its rows.
  struct Place {
    std::string_view partition;
    int64_t offset;
    bool operator==(const Place&) const = default;
  };
  struct PlaceHash {
    size_t operator()(const Place& place) const;
  };
  struct Key {
    std::vector<StoredRow> stored;
    std::vector<Record> records;
    std::unordered_map<Place, size_t, PlaceHash> places;  // of `records`
  };
  // A record that is not simply written.
  struct Exception {
    Record record;
    bool duplicate;  // else superseded
  };

  Status ReadStored(std::span<const KeyHit> hits);
  // Every so many rows.
  Status CheckAt(int64_t row) const;
  // The places of a staged file's rows that have one of the keys.
  Result<std::vector<int64_t>> PlacesOfKeys(const std::filesystem::path& file) const;
  // false: they are too many.
  Result<bool> ReadStaged();
  std::unordered_map<uint64_t, Key> Gather(const Columns& at);
  Result<bool> AreTheSameElsewhere(const std::unordered_map<uint64_t, Key>& keys);
  Result<bool> SettleAll(const Columns& at, std::unordered_map<uint64_t, Key>& keys);
  bool Settle(const Columns& at, Key& key);
  bool TakePlaces(const Columns& at, const std::vector<StoredRow>& stored, const Record& record);
  Result<std::vector<bool>> AreHome();
  engine::RowPatch PatchOf(const ChangedFile& file) const;
  Result<bool> SpliceFiles(const std::filesystem::path& folder, Rewrite& out);
  Result<std::optional<engine::CellFile>> BeginChanges(const std::filesystem::path& folder,
                                                       const Rewrite& out);
  Status WriteInserted(size_t staged_file, const std::filesystem::path& folder,
                       std::optional<engine::CellFile>& changes, Rewrite& out);
  Status WriteRows(const std::filesystem::path& folder, Rewrite& out);

  Lake& lake_;
  const UpsertRequest& request_;
  delta::SnapshotPtr snapshot_;
  engine::Connection& connection_;
  const Wait& wait_;
  std::vector<std::string> names_;
  std::vector<engine::RowColumn> columns_;
  std::vector<ChangedFile> stored_;             // by file of the table
  std::vector<std::vector<KeptRow>> staged_;    // by staged file
  std::vector<std::vector<int64_t>> left_out_;  // by staged file: places of rows not inserted
  std::unordered_set<uint64_t> stored_keys_;
  std::unordered_set<uint64_t> keys_;  // of what is decided here
  std::vector<Exception> exceptions_;
  std::vector<SuccessorFile> successors_;
};

}  // namespace vitalake::lake
