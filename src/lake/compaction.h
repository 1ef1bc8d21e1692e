// Compaction: many small files of a table become few, with the same rows.
//
// One group of files (delta/compaction_plan.h) at a time: read, sorted by what the table is
// clustered by, written as one file, and committed with dataChange=false, so that followers of the
// change feed see nothing of it. It gives way: a group of which another writer replaced a file
// meanwhile is left as it is; a writer that read a file which compaction replaced does its work
// again on the new one (its commit conflicts), and one that only appended is not disturbed.
// What was replaced stays readable for time travel until a vacuum.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/compaction_plan.h"
#include "lake/lake.h"
#include "lake/upkeep_table.h"

namespace vitalake::lake {

struct CompactionResult {
  int64_t files_before = 0;  // of the table
  int64_t files_after = 0;
  int64_t files_replaced = 0;
  int64_t files_written = 0;
  int64_t rows_moved = 0;
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  int64_t groups_given_way = 0;  // another writer was there first
  Version version{};             // of the table afterwards
};

// Called before each group with the bytes of small files done and to do.
using CompactionProgress = std::function<void(int64_t done, int64_t total)>;

// The limits that hold for that table: those of the settings, less where it has a limit of its own,
// or where so many rows of so many columns cannot be sorted in the memory there is.
delta::CompactionLimits LimitsOf(Lake& lake, const UpkeepTable& table,
                                 const delta::Snapshot& snapshot);

// kUnsupported when the table needs writer features that we lack; kLimit when memory does not do;
// kCorrupt when a file does not
// hold the rows the log says (nothing is committed then); else errors of reading and writing.
// Groups committed before an error stay.
Result<CompactionResult> Compact(Lake& lake, const UpkeepTable& table, const Wait& wait = {},
                                 const CompactionProgress& progress = {});

// Rows of the files that are made of those that a few commits of a stream added.
inline constexpr int64_t kRowsOfFirstFiles = 40'960;

// One group of a table of the lake, of `most_rows` at most, if the table has more than `most` small
// files: a short piece of work between two commits, with the engine and on the thread of whoever
// commits. Where upkeep is not apart, with Lake::heavy_work held.
Status CompactGroupIfMore(Lake& lake, const TableSpec& spec, int64_t most, int64_t most_rows,
                          const Wait& wait = {});

struct TableCompaction {
  std::string table;
  CompactionResult result;
};

// Compaction of the tables of the lake that have more than `maintain.small_files` small files, now
// or again and again beside others that commit. Not thread-safe; the lake must outlive it.
class CompactionRounds {
 public:
  explicit CompactionRounds(Lake& lake) : lake_(lake) {}

  // One look at each table, which `progress` is told before it is compacted: its smallest files,
  // and all small ones where these were not enough. An error of one is logged and does not keep the
  // others from it; but kCancelled and kDeadline do. A table whose commits did not let it win is
  // left alone for a minute, and twice as long each time: what waits for Lake::heavy_work would
  // wait in vain.
  Result<std::vector<TableCompaction>> Run(
      const Wait& wait = {}, const std::function<void(const std::string& table)>& progress = {});

 private:
  struct Pause {
    std::chrono::nanoseconds until{};
    std::chrono::nanoseconds length{};
  };
  Result<CompactionResult> CompactInSteps(const TableSpec& spec, const UpkeepTable& target,
                                          const Wait& wait);
  Result<std::optional<CompactionResult>> CompactIfDue(
      const TableSpec& spec, const Wait& wait,
      const std::function<void(const std::string& table)>& progress);

  Lake& lake_;
  std::map<std::string, Pause> pauses_;
};

}  // namespace vitalake::lake
