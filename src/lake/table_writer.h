// Publishing staged Parquet into a Delta table, and commits that only append.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/transaction.h"
#include "engine/parquet_files.h"
#include "lake/lake.h"

namespace vitalake::lake {

// Makes staged files durable in the table's folder (or "_change_data/", "day=1/" below it) and
// returns their paths relative to the table, in order. On an error those already put are deleted
// again.
Result<std::vector<std::string>> Publish(const delta::Table& table,
                                         const std::vector<engine::WrittenFile>& files,
                                         std::string_view subfolder = {});

// Deletes published files that no commit names (after a lost race). Failures are logged: such files
// are garbage that vacuum removes.
void Unpublish(const delta::Table& table, const std::vector<std::string>& paths);

// The names of a table's columns, in their order.
std::vector<std::string> ColumnNames(const delta::Snapshot& snapshot);

// The log's record of a published file.
delta::AddFile AddOf(const engine::WrittenFile& file, const std::string& path);

// What a commit says besides its rows.
struct CommitNote {
  std::map<std::string, int64_t> txns;      // appId -> version, set in the same commit
  std::map<std::string, std::string> info;  // commitInfo.vitalake: key -> JSON text
  // appId -> the version it must have where the commit lands (nullopt: none yet). A stream states
  // where its rows begin: on a table that is elsewhere they would be missing or there twice.
  std::map<std::string, std::optional<int64_t>> starts = {};

  // Whether `snapshot` has all of the txns already: then the work was done by an earlier try.
  bool IsIn(const delta::Snapshot& snapshot) const;
  // kConflict naming the appId unless `snapshot` is where `starts` says. (A commit that then loses
  // a race to one of these appIds conflicts: they are among its txns.)
  Status CheckStarts(const delta::Snapshot& snapshot) const;
};

// Files that replace others: what one rewriting commit is made of.
struct Rewrite {
  std::vector<engine::WrittenFile> data;
  std::vector<engine::WrittenFile> changes;  // rows with _change_type
  std::vector<std::string> replaced;         // paths of files that go
  int64_t inserted = 0;
  int64_t updated = 0;
  int64_t deleted = 0;
  // What the rewrite rests on, when that is less than the whole table: rows of the files `read`,
  // and no others as long as `touches` says no of files that another writer added meanwhile (called
  // inside the commit; its error ends it). Not set: all of the table was read.
  std::vector<std::string> read = {};
  std::function<Result<bool>(const delta::AddFile& added)> touches = {};
};

// A staged file as a link in `folder`: publishing moves a file, and after a lost race the staged
// one is needed again.
Result<engine::WrittenFile> LinkStaged(engine::WrittenFile file,
                                       const std::filesystem::path& folder);

// Publishes the files and commits them on `snapshot`, which they were made from, or on a later one
// where the winner changed nothing they rest on. nullopt after a lost race that matters: nothing is
// left of the try.
Result<std::optional<Version>> CommitRewrite(Lake& lake, delta::Table& table,
                                             const delta::SnapshotPtr& snapshot,
                                             const Rewrite& rewrite, const CommitNote& note,
                                             const Wait& wait);

struct AppendResult {
  bool committed = false;  // false: the table had this txn already, or there was nothing to say
  Version version;
};

// Appends the rows of `select_sql` (the table's columns by name, in any order) to a table without a
// key. A txn-only commit is made when there are no rows but the note has txns. Of `options` the
// columns of statistics are the table's.
Result<AppendResult> AppendRows(Lake& lake, engine::Connection& connection, const TableSpec& spec,
                                const std::string& select_sql, const CommitNote& note,
                                const Wait& wait, engine::ParquetOptions options = {});

// Commits the note alone: a table that got no rows says how far it is. kConflict as CheckStarts.
Status CommitTxns(Lake& lake, std::string_view table, const CommitNote& note, const Wait& wait);

// Writes a checkpoint; the second only every `maintain.checkpoint_every` versions, whatever the
// table's own property says. A failure is logged: the commit stands without it.
void CheckpointOrWarn(delta::Table& table, Version version);
void CheckpointIfDue(const Lake& lake, delta::Table& table, const delta::Committed& committed);

}  // namespace vitalake::lake
