// A Delta snapshot as SQL: the text of a SELECT over its files, and the files a filter leaves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "storage/object_store.h"

namespace vitalake::delta {
class Snapshot;
class Table;
}  // namespace vitalake::delta

namespace vitalake::engine {

// A bound on one column, as far as file statistics can judge it: `column op value`.
struct ColumnBound {
  enum class Op { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIsNull, kIsNotNull };
  std::string column;
  Op op = Op::kEqual;
  // Strings also for dates ("2026-11-22") and timestamps ("2026-11-22T17:00:00Z"); compared by the
  // column's type. Unused for kIsNull and kIsNotNull.
  std::variant<std::monostate, bool, int64_t, double, std::string> value;
};

struct RelationOptions {
  std::vector<std::string> columns;  // empty: all, in schema order
  // All of them hold for every row wanted: files that cannot have such a row are left out. Rows of
  // the files left are not filtered.
  std::vector<ColumnBound> bounds;
  // Adds two columns in front: `_file` (VARCHAR, add.path as in the log) and `_row` (BIGINT, from 0
  // in the file).
  bool with_positions = false;
  // Only these files (add.path as in the log); nullopt: all.
  std::optional<std::vector<std::string>> files;
};

// SQL text of a SELECT that gives the rows of `snapshot`: columns named and typed as its schema,
// partition values cast from the log, columns a file lacks as NULL. No file: no row, same columns.
// kUnsupported when the snapshot needs what is not there (named); kNotFound when a file is gone.
Result<std::string> RelationSql(const delta::Snapshot& snapshot, storage::ObjectStore& store,
                                const RelationOptions& options = {});

// The paths (add.path as in the log) of the files that may hold a row within all bounds, by
// partition values and statistics. A file without statistics stays.
std::vector<std::string> PruneFiles(const delta::Snapshot& snapshot,
                                    const std::vector<ColumnBound>& bounds);

}  // namespace vitalake::engine
