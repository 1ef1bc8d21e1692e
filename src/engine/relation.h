// A Delta snapshot as SQL: the text of a SELECT over its files, and the files a filter leaves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "delta/snapshot.h"
#include "delta/table.h"
#include "storage/object_store.h"

namespace vitalake::engine {

// A snapshot and where its files are: `root` is the table's folder in the store ("silver/patient").
// The store must outlive the statements that read the files.
struct TableFiles {
  delta::SnapshotPtr snapshot;
  storage::ObjectStore* store = nullptr;
  std::string root;

  // Where the bytes of a file are that the log names. Errors of ResolvePath and LocalPath.
  Result<std::filesystem::path> LocalFile(std::string_view path) const;
};

// A bound on one column, as far as file statistics can judge it: `column op value`.
struct ColumnBound {
  enum class Op { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIsNull, kIsNotNull };
  std::string column;
  Op op = Op::kEqual;
  // Strings also for dates ("2026-11-22") and timestamps ("2026-11-22T17:00:00Z"); compared by the
  // column's type. Unused for kIsNull and kIsNotNull.
  std::variant<std::monostate, bool, int64_t, double, std::string> value = {};
};

struct RelationOptions {
  std::vector<std::string> columns = {};  // empty: all, in schema order
  // All of them hold for every row wanted: files that cannot have such a row are left out. Rows of
  // the files left are not filtered.
  std::vector<ColumnBound> bounds = {};
  // Adds two columns in front: `_file` (VARCHAR, AddFile::path) and `_row` (BIGINT, from 0
  // in the file).
  bool with_positions = false;
  // Only these files (AddFile::path); nullopt: all. Unknown ones are ignored.
  std::optional<std::vector<std::string>> files = std::nullopt;
};

// SQL text of a SELECT that gives the rows of a table: columns named and typed as its schema,
// partition values cast from the log, columns a file lacks as NULL. No file: no row, same columns.
// kUnsupported for what is not there (deletion vectors, column mapping, paths outside the table);
// kNotFound when a file is gone; kInvalidArgument for a column the schema lacks. Cost: one
// LocalPath per file.
Result<std::string> RelationSql(const TableFiles& table, const RelationOptions& options = {});

// SQL text of a SELECT that gives the change feed made of `files` (delta::Table::Changes): the
// columns of `table`'s schema, then _change_type (VARCHAR: insert, update_preimage,
// update_postimage, delete), _commit_version (BIGINT), _commit_timestamp (TIMESTAMP WITH TIME
// ZONE).
Result<std::string> ChangesSql(const TableFiles& table, std::span<const delta::ChangeFile> files,
                               const std::vector<std::string>& columns = {});

// kNotFound where files of the snapshot's version are gone although `table` has newer ones, as
// after a vacuum: says so of the table that people call `name`, and which versions can be read.
// Cost: one LocalPath per file.
Status CheckVersion(delta::Table& table, const TableFiles& files, std::string_view name);
// The same of the change feed from `changes` on.
Status CheckChanges(const TableFiles& files, std::span<const delta::ChangeFile> changes,
                    std::string_view name);

// The paths (AddFile::path) of the files that may hold a row within all bounds, by partition values
// and statistics. A file that does not tell stays.
std::vector<std::string> PruneFiles(const delta::Snapshot& snapshot,
                                    std::span<const ColumnBound> bounds);

// The type of a Delta column in SQL: "DECIMAL(10,2)", "STRUCT(\"a\" INTEGER)".
std::string SqlType(const delta::DeltaType& type);

}  // namespace vitalake::engine
