// What a batch run did, for people and programs.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "ingest/batch_run.h"

namespace vitalake::cli {

// One JSON object.
std::string IngestReportJson(const ingest::BatchSummary& summary, bool dry_run);

// Tables of files and of lake tables, the first problems, and what to do next. Past 25 files only
// those with something to remark are shown, and the sum.
Result<std::string> IngestReportText(engine::Connection& connection,
                                     const ingest::BatchSummary& summary, bool dry_run,
                                     const Terminal& terminal);

}  // namespace vitalake::cli
