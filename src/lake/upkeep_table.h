// UpkeepTable: a table that is to be kept in shape, of the lake or any other Delta table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "delta/table.h"
#include "delta/transaction.h"
#include "lake/lake.h"

namespace vitalake::lake {

struct UpkeepTable {
  delta::Table& table;
  // Null: not of the lake. Else it says the order of rows, how large files may get, and the key.
  // Rows of other tables stay in the order of the files and of the rows in them.
  const TableSpec* spec = nullptr;
  // Rows of a file at most, where no other limit is lower.
  int64_t most_rows = std::numeric_limits<int64_t>::max();

  // The lower one of what is said here.
  int64_t MostRows() const {
    return spec && spec->rows_per_file > 0 ? std::min(most_rows, spec->rows_per_file) : most_rows;
  }
  // Where its files are, for engine::RelationSql.
  engine::TableFiles Files(delta::SnapshotPtr snapshot) const {
    return {std::move(snapshot), &table.environment().store, table.root()};
  }
};

// Writes the checkpoint that is due by the lake's settings, or by another table's own property.
void FollowWithCheckpoint(const Lake& lake, const UpkeepTable& table,
                          const delta::Committed& committed);

}  // namespace vitalake::lake
