// Quarantine: records that could not be used, kept with payload, reason, path and position.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "lake/lake.h"
#include "lake/outcome.h"

namespace vitalake::lake {

struct QuarantineFilter {
  std::string reason;  // empty: any
  std::string id;      // empty: any
  bool include_replayed = false;
};

// Columns id, run, source, position, reason, element_path, message, received_at, replayed_at;
// newest first. `payload` only when one id is asked for.
Result<engine::QueryResult> ListQuarantine(Lake& lake, engine::Connection& connection,
                                           const QuarantineFilter& filter);

}  // namespace vitalake::lake
