// What `doctor` looks at.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "lake/lake.h"

namespace vitalake::cli {

enum class Health { kGood, kWarning, kFault };

struct Finding {
  std::string check;  // "free disk"
  Health health = Health::kGood;
  std::string detail;  // what was found
  std::string advice;  // what to do; empty when all is well
};

// A file written, synced and removed in `folder`, or in the nearest one above that exists.
Finding CheckWritable(const std::filesystem::path& folder);
// Space left there; a warning below 1 GB, a fault below 100 MB.
Finding CheckDisk(const std::filesystem::path& folder);
// The memory setting against what the machine (or its control group) has.
Finding CheckMemory(int64_t memory_bytes);
// Threads to be used against the machine's.
Finding CheckThreads(int wanted);
// Year within reason, and not before `newest_commit` (0: no commit).
Finding CheckClock(Micros now, Micros newest_commit);
// Version of the DuckDB library in use.
Finding CheckEngine(lake::Lake& lake);
// Each table of the lake at its latest version, every file of it opened; a table that is not there
// yet is no fault. Sets `newest_commit`.
std::vector<Finding> CheckTables(lake::Lake& lake, Micros& newest_commit);

}  // namespace vitalake::cli
