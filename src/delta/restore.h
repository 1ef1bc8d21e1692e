// Restore: a new version with the files, schema and properties of an old one.
//
// Files that are in only one of the two versions are added or removed with dataChange: to the
// change feed these are deletions and insertions of whole files, as the protocol has it for commits
// without change files.
//
// A table that is fed carries positions (txn). Rows behind an old version would never be delivered
// again while the positions stay ahead; so whoever restores says whether the positions go back,
// too, in the same commit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "delta/table.h"
#include "delta/transaction.h"

namespace vitalake::delta {

// A position that is not what it was at the version to restore.
struct MovedPosition {
  std::string app_id{};
  int64_t now = 0;
  std::optional<int64_t> then{};  // nullopt: that application had not written yet
};

struct RestorePlan {
  SnapshotPtr now{};
  SnapshotPtr then{};
  std::vector<AddFilePtr> added{};    // files that come back
  std::vector<AddFilePtr> removed{};  // files that go
  bool metadata_differs = false;
  std::vector<MovedPosition> moved{};

  bool IsEmpty() const { return added.empty() && removed.empty() && !metadata_differs; }
};

// kNotFound when the version is not in the log, or files of it are gone (named; at most ten);
// kUnsupported when the table cannot be written, or was partitioned otherwise.
Result<RestorePlan> PlanRestore(Table& table, Version version);

enum class Positions { kKeep, kRewind };

// Commits the plan on the version it was made from; a Conflict when any other commit came first. A
// rewound position of an application that had not written yet is 0 for streams (named
// stream/topic/partition/epoch, whose position is the next to read), else -1: nothing done.
Result<CommitResult> CommitRestore(Table& table, const RestorePlan& plan, Positions positions,
                                   const Wait& wait = {});

}  // namespace vitalake::delta
