// Upkeep of tables, besides compaction: what vacuum may delete, and whether a table is sound.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/log_check.h"
#include "delta/restore.h"
#include "delta/vacuum.h"
#include "lake/feed_consumers.h"
#include "lake/upkeep_table.h"

namespace vitalake::lake {

struct VacuumView {
  delta::VacuumPlan plan;
  // Who holds files of the change feed back (plan.kept_for_feed), slowest first.
  std::vector<FeedConsumer> consumers;
};

// What left the table, or was never named, more than `retain` microseconds ago and nobody needs.
// Errors as delta::PlanVacuum.
Result<VacuumView> PlanVacuum(Lake& lake, const UpkeepTable& table, Micros retain);

// Deletes it, and the key indexes of files that are not in the table.
Result<delta::VacuumPlan> Vacuum(Lake& lake, const UpkeepTable& table,
                                 const delta::VacuumPlan& plan, const Wait& wait = {},
                                 const std::function<void(size_t done)>& progress = {});

struct Soundness {
  delta::LogCheck log;                   // with its own findings
  std::vector<delta::Finding> findings;  // all
  bool key_checked = false;
};

// Log, files, statistics, change feed and, for a table of the lake with a key, the key. `progress`
// is told the bytes of data files read and to read.
Result<Soundness> Verify(Lake& lake, const UpkeepTable& table, const Wait& wait = {},
                         const std::function<void(int64_t done, int64_t total)>& progress = {});

// Commits the restore. kConflict when another commit came first: nothing is changed.
Result<Version> Restore(Lake& lake, const UpkeepTable& table, const delta::RestorePlan& plan,
                        delta::Positions positions, const Wait& wait = {});

}  // namespace vitalake::lake
