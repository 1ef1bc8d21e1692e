// CheckLog: whether a table's log says one thing, and whether the files it names are there.
//
//   log         versions follow each other without a gap, from the first or from a checkpoint on;
//               every commit can be read
//   checkpoint  a checkpoint says what the commits below it add up to
//   checksum    N.crc counts what version N counts
//   file        every file of the newest version is there, with the size the log says; a change
//   file
//               may be gone (vacuumed), but not be cut
// The rows inside the files are the engine's to judge (engine/file_check.h).
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "delta/table.h"

namespace vitalake::delta {

// Something that is wrong with a table.
struct Finding {
  std::string check{};    // "log", "file", ...
  std::string place{};    // the file, or "version 7"
  std::string message{};  // what is wrong there
};

// What one commit did to the number of rows, and the change files that must say the same.
struct ChangeCount {
  Version version{};
  int64_t rows_more = 0;             // negative: less
  std::vector<std::string> files{};  // as CdcFile::path; all of them are there
};

struct LogCheck {
  SnapshotPtr snapshot{};  // the newest version; null when the log cannot be read
  std::vector<Finding> findings{};
  // Commits with change files, as far as the log tells how many rows files have.
  std::vector<ChangeCount> changes{};
  int64_t commits = 0;      // read
  int64_t checkpoints = 0;  // compared
  int64_t checksums = 0;    // compared
};

// Errors only for what keeps it from looking: the store, `wait`. kNotFound: there is no table.
Result<LogCheck> CheckLog(Table& table, const Wait& wait = {});

}  // namespace vitalake::delta
