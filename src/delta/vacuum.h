// Vacuum: which files of a table nobody needs any more, and taking them away.
//
// Needed are, and never in a plan:
//   - the files of the newest version, and of every version committed after the cutoff;
//   - files that left the table after the cutoff, and change files of commits after it;
//   - files that no commit names and that were written after the cutoff, or less than an hour ago:
//     their commit may be on its way;
//   - the files of the change feed behind `feed_seen`;
//   - everything that is no Parquet file, and everything in folders of names with a leading '_' or
//     '.' other than _change_data (such a name with '=' in it is a partition's).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "delta/table.h"

namespace vitalake::delta {

struct VacuumOptions {
  Micros cutoff = 0;
  // The version up to which the slowest consumer has read the change feed; nullopt: there is none.
  std::optional<Version> feed_seen{};
};

enum class GarbageKind {
  kRemoved,  // a data file that left the table
  kOrphan,   // a data file that no commit left in the log names
  kChanges,  // a change file
};
// "removed", "orphan", "changes".
std::string_view ToString(GarbageKind kind);

struct Garbage {
  std::string path{};  // as AddFile::path
  GarbageKind kind = GarbageKind::kOrphan;
  int64_t size_bytes = 0;
  Micros modified = 0;
};

struct VacuumPlan {
  std::vector<Garbage> files{};  // by path
  int64_t size_bytes = 0;        // of them
  int64_t kept_for_feed = 0;     // files that would go, but for the consumer of the change feed
};

// Writes nothing. kUnsupported when the table needs writer features that we lack, names files by
// absolute paths, or has another table inside its folder; else errors of the log and the store.
Result<VacuumPlan> PlanVacuum(Table& table, const VacuumOptions& options);

// Deletes the files of the plan, but those that a newer version names again (a restore), and calls
// `progress` now and then with the number of files behind it. What an error leaves undone, the next
// vacuum finds again. Returns what went.
Result<VacuumPlan> DeleteGarbage(Table& table, const VacuumPlan& plan, const Wait& wait = {},
                                 const std::function<void(size_t done)>& progress = {});

}  // namespace vitalake::delta
