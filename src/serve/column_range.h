// ColumnRange: what the statistics of a table's files say of a column.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "delta/snapshot.h"

namespace vitalake::serve {

struct ColumnRange {
  std::optional<int64_t> nulls;
  std::string min, max;  // JSON text; empty when a file does not tell. Long texts are cut.
};

// By column. A column is missing where not every file tells.
std::map<std::string, ColumnRange> ColumnRanges(const delta::Snapshot& snapshot);

}  // namespace vitalake::serve
