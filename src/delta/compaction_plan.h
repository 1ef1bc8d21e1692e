// Compaction plans: which small files of a table to make one file of.
//
// A file is small when it has less than half of the rows and less than half of the bytes wanted. So
// a group of small files, closed when the next would make it too large, is not small any more once
// it is one file: what was compacted is left alone.
#pragma once

#include <cstdint>
#include <vector>

#include "delta/snapshot.h"

namespace vitalake::delta {

struct CompactionLimits {
  int64_t target_rows = 400'000;
  int64_t target_bytes = 128'000'000;
};

// Files of one partition that become one, in the order in which they were added.
struct CompactionGroup {
  std::vector<AddFilePtr> files{};  // two at least
  int64_t size_bytes = 0;
};

// By the log's own words; a file whose rows it does not tell is judged by its size.
bool IsSmall(const AddFile& file, const CompactionLimits& limits);
int64_t CountSmallFiles(const Snapshot& snapshot, const CompactionLimits& limits);

// The groups worth compacting: each within the limits and of at most `max_files` files; neighbours
// in time of arrival go together. None when no partition has two small files.
std::vector<CompactionGroup> PlanCompaction(const Snapshot& snapshot,
                                            const CompactionLimits& limits, size_t max_files);

}  // namespace vitalake::delta
