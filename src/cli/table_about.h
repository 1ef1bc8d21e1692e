// What `table show` tells of a table.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/row_list.h"
#include "cli/table_source.h"

namespace vitalake::cli {

// Name, type and nullability of each column.
RowList ColumnRows(const delta::Snapshot& snapshot);
// Lines "version      12", aligned.
std::string TableAboutText(TableSource& source, const std::string& named,
                           const delta::Snapshot& snapshot);
// One JSON object, columns included.
std::string TableAboutJson(TableSource& source, const std::string& named,
                           const delta::Snapshot& snapshot);

}  // namespace vitalake::cli
