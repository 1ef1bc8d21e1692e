// Fetching single rows of a table, found by its key index, into a temporary table.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/snapshot.h"
#include "engine/engine.h"
#include "engine/parquet_rows.h"
#include "lake/key_index.h"
#include "lake/lake.h"

namespace vitalake::lake {

// The wanted rows of one file.
struct FileRows {
  delta::AddFilePtr file;
  std::vector<int64_t> rows;  // ascending
};

// Of hits in order of file.
std::vector<FileRows> ByFile(const std::vector<KeyHit>& hits);

// Takes rows of one data file out of its column chunks. As engine::ReadParquetRows; kUnsupported,
// too, where rows of the file are deleted or the table has partitions.
Status ReadFileRows(Lake& lake, std::string_view table, const delta::SnapshotPtr& snapshot,
                    const FileRows& wanted, std::span<const engine::RowColumn> columns,
                    const std::function<Status(int64_t, std::span<const view::Cell>)>& row);
// The same of all rows of a file, as engine::ReadAllParquetRows.
Status ReadAllFileRows(Lake& lake, std::string_view table, const delta::SnapshotPtr& snapshot,
                       const delta::AddFile& file, std::span<const engine::RowColumn> columns,
                       const std::function<Status(int64_t, std::span<const view::Cell>)>& row);

// Which rows are wanted, and of what.
struct RowRequest {
  std::string_view table;
  const delta::SnapshotPtr& snapshot;
  const std::vector<KeyHit>& hits;   // in order of file
  std::vector<std::string> columns;  // of the table's schema
  std::string into;                  // temporary table to make, with _file and _row in front
};

// Makes the table with the rows of all hits, those too that have another key of the same hash.
// Several files at once. Errors are those of reading data files.
Status FetchRows(Lake& lake, engine::Connection& connection, const RowRequest& request,
                 const Wait& wait);

}  // namespace vitalake::lake
