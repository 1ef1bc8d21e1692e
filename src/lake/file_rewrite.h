// FileRewriter: replaces the data files of a keyed table in which rows change.
//
// A file all of whose changed rows have a successor of the same row key keeps its rows in their
// places: only the columns that differ are encoded anew, in the row groups concerned, and all else
// is copied as it lies (engine/parquet_splice.h). So the order of the rows, their statistics and
// the file's key index stay. Other files are written anew: the unchanged rows in their order, then
// the new ones. Several files at a time; memory holds the changed columns of one row group for
// each.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/snapshot.h"
#include "engine/engine.h"
#include "engine/parquet_splice.h"
#include "lake/key_index_file.h"
#include "lake/lake.h"
#include "lake/silver_view.h"
#include "lake/table_writer.h"

namespace vitalake::lake {

// A file some of whose rows get other values in some columns; every row stays in its place.
struct InPlaceChange {
  std::string path;  // AddFile::path
  std::vector<std::string> columns;
};

// The columns in which rows differ from those that take their places, as a statement that pairs
// them finds it per group.
struct ChangedColumns {
  std::vector<std::string> names;
  bool in_order = true;  // none is of those that the table is clustered by

  // ", bool_or(...)" for each column; `one` and `other` name it on the two sides of a pair.
  static std::string Select(const std::vector<std::string>& one,
                            const std::vector<std::string>& other);
  // What that gave in the current row, from its column `first` on; `columns` name all.
  static ChangedColumns Read(const engine::QueryResult& row, size_t first,
                             const std::vector<std::string>& columns,
                             const std::vector<std::string>& clustered_by);
};

// A file that has the rows of another in the same places.
struct SuccessorFile {
  IndexedFile old_file;
  IndexedFile new_file;
};

// Works on two temporary tables of `connection`, with the columns of the table's schema:
//   old_row  the rows that go, with _file (AddFile::path) and _row (place in it, from 0)
//   new_row  with _known: false for rows of new keys, which go to files of their own and do not
//            matter here; else _target is the file that the row goes to
// Everything given must outlive it.
class FileRewriter {
 public:
  FileRewriter(Lake& lake, const SilverView& view, const delta::SnapshotPtr& snapshot,
               engine::Connection& connection, const Wait& wait)
      : lake_(lake), view_(view), snapshot_(snapshot), connection_(connection), wait_(wait) {}

  // Writes the files that replace those of old_row into `folder` and adds both to `out`.
  Result<std::vector<SuccessorFile>> Run(const std::filesystem::path& folder, Rewrite& out);

  // The same for rows that stay in their places, without the two tables: `patch`, a SELECT that any
  // connection of the engine can run, gives _file, _row and the new values. One answer for each of
  // `changes`; nullopt: nothing changes in it, or it cannot be spliced and must be written anew.
  Result<std::vector<std::optional<engine::WrittenFile>>> SpliceAll(
      const std::vector<InPlaceChange>& changes, const std::string& patch,
      const std::filesystem::path& folder);

 private:
  struct FileChange {
    std::string path;
    std::vector<int64_t> rows;         // places of old_row, ascending
    std::vector<std::string> columns;  // in which old and new rows differ
    bool in_place = false;
  };

  Result<std::string> RowsOf(const std::string& path,
                             const std::vector<std::string>& columns) const;
  Result<std::vector<FileChange>> FindChanges();
  Status CompareRows(std::vector<FileChange>& changes);
  Status CreatePatch(const std::vector<FileChange>& changes, const std::string& table);
  // nullopt: the file cannot be spliced.
  Result<std::optional<engine::WrittenFile>> Splice(engine::Connection& connection,
                                                    const InPlaceChange& change,
                                                    const std::string& patch,
                                                    const std::filesystem::path& target);
  Result<std::vector<std::optional<engine::WrittenFile>>> SpliceChanges(
      const std::vector<FileChange>& changes, const std::filesystem::path& folder);
  Status WriteAnew(const FileChange& change, const std::filesystem::path& folder, Rewrite& out);

  Lake& lake_;
  const SilverView& view_;
  const delta::SnapshotPtr& snapshot_;
  engine::Connection& connection_;
  const Wait& wait_;
};

// Writes `target`: the data file `path` of a table with the values of `patch`, its rows in their
// places. nullopt: the file cannot be spliced.
Result<std::optional<engine::WrittenFile>> SpliceFile(Lake& lake, std::string_view table,
                                                      const delta::SnapshotPtr& snapshot,
                                                      const std::string& path,
                                                      const engine::RowPatch& patch,
                                                      const std::filesystem::path& target);

// A file of a rewrite that is not there yet: of data ("part") or of changes ("cdc").
std::filesystem::path NewFile(Lake& lake, const std::filesystem::path& folder,
                              std::string_view prefix = "part");

// That a spliced file took the place of `path`.
SuccessorFile SuccessorOf(const delta::Snapshot& snapshot, const std::string& path,
                          const engine::WrittenFile& file);

// The statistics of a file (AddFile::stats) without what they say of `columns`.
std::string StatsWithout(const std::string& stats, const std::vector<std::string>& columns);

}  // namespace vitalake::lake
