// Rows of ops.alert for people and programs.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "lake/lake.h"

namespace vitalake::cli {

struct AlertFilter {
  std::string patient;  // empty: all
};

// Each alert as its last row says, those that are on first, the newest before older ones. A
// patient's are those of whom counts for them, too (ingest/alerts/owners.h).
Result<std::string> CurrentAlertsSql(lake::Lake& lake, const AlertFilter& filter, const Wait& wait);

// Prints rows as they are committed from now on, until the context's stop. In a table's place it
// prints a line per row, with NDJSON an object per line; other formats are kInvalidArgument.
Status FollowAlerts(Context& context, lake::Lake& lake, const AlertFilter& filter,
                    const RowOptions& options);

}  // namespace vitalake::cli
