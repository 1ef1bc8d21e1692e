// Fetching single rows of a table, found by its key index, into a temporary table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/snapshot.h"
#include "engine/engine.h"
#include "lake/key_index.h"
#include "lake/lake.h"

namespace vitalake::lake {

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
