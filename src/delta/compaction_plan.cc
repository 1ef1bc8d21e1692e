#include "delta/compaction_plan.h"

#include <algorithm>
#include <map>

namespace vitalake::delta {
namespace {

int64_t RowsOf(const AddFile& file) { return file.NumRecords().value_or(0); }

// The groups of one partition, filled one after the other.
class GroupFiller {
 public:
  GroupFiller(const CompactionLimits& limits, size_t max_files)
      : limits_(limits), max_files_(max_files) {}

  void Add(const AddFilePtr& file) {
    const bool full = rows_ + RowsOf(*file) > limits_.target_rows ||
                      group_.size_bytes + file->size_bytes > limits_.target_bytes ||
                      group_.files.size() >= max_files_;
    if (full) Close();
    group_.files.push_back(file);
    group_.size_bytes += file->size_bytes;
    rows_ += RowsOf(*file);
  }

  std::vector<CompactionGroup> Take() && {
    Close();
    return std::move(groups_);
  }

 private:
  void Close() {
    if (group_.files.size() > 1) groups_.push_back(std::move(group_));
    group_ = {};
    rows_ = 0;
  }

  const CompactionLimits& limits_;
  size_t max_files_;
  CompactionGroup group_;
  int64_t rows_ = 0;
  std::vector<CompactionGroup> groups_;
};

}  // namespace

bool IsSmall(const AddFile& file, const CompactionLimits& limits) {
  return RowsOf(file) < (limits.target_rows + 1) / 2 &&
         file.size_bytes < (limits.target_bytes + 1) / 2;
}

int64_t CountSmallFiles(const Snapshot& snapshot, const CompactionLimits& limits) {
  return std::ranges::count_if(snapshot.files(),
                               [&](const AddFilePtr& file) { return IsSmall(*file, limits); });
}

std::vector<CompactionGroup> PlanCompaction(const Snapshot& snapshot,
                                            const CompactionLimits& limits, size_t max_files) {
  std::map<PartitionValues, GroupFiller> partitions;
  for (const AddFilePtr& file : snapshot.files()) {
    if (!IsSmall(*file, limits)) continue;
    partitions.try_emplace(file->partition_values, limits, max_files).first->second.Add(file);
  }
  std::vector<CompactionGroup> groups;
  for (auto& [values, filler] : partitions) {
    std::ranges::move(std::move(filler).Take(), std::back_inserter(groups));
  }
  return groups;
}

}  // namespace vitalake::delta
