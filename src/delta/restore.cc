#include "delta/restore.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vitalake::delta {
namespace {

constexpr size_t kMostNamed = 10;

// The files of `in` that `from` lacks.
std::vector<AddFilePtr> FilesNotIn(const Snapshot& from, const Snapshot& in) {
  std::vector<AddFilePtr> files;
  for (const AddFilePtr& file : in.files()) {
    if (!from.FindFile(file->path)) files.push_back(file);
  }
  return files;
}

std::vector<MovedPosition> MovedPositions(const Snapshot& now, const Snapshot& then) {
  std::vector<MovedPosition> moved;
  for (const auto& [app_id, txn] : now.txns()) {
    const auto before = then.FindTxn(app_id);
    if (before != txn.version) moved.push_back({app_id, txn.version, before});
  }
  return moved;
}

// That every file that comes back is there, whole.
Status CheckAllThere(Table& table, Version version, const std::vector<AddFilePtr>& files) {
  std::vector<std::string> gone;
  for (const AddFilePtr& file : files) {
    VL_TRY(const std::string key, ResolvePath(table.root(), file->path));
    const auto object = table.environment().store.Head(key);
    if (!object && object.error().kind != ErrorKind::kNotFound) {
      return std::unexpected(object.error());
    }
    if (!object || object->size_bytes != file->size_bytes) gone.push_back(file->path);
  }
  if (gone.empty()) return {};
  const size_t count = gone.size();
  gone.resize(std::min(count, kMostNamed));
  return Fail(ErrorKind::kNotFound,
              fmt::format("version {} cannot be restored: {} of its files {} gone or cut short "
                          "(vacuumed?): {}{}; `table history` shows the versions, newer ones may "
                          "be whole",
                          version.value, count, count == 1 ? "is" : "are", fmt::join(gone, ", "),
                          count > kMostNamed ? ", ..." : ""));
}

bool SameButId(Metadata a, const Metadata& b) {
  a.id = b.id;
  return a == b;
}

int64_t BeforeTheFirst(std::string_view app_id) {
  return std::ranges::count(app_id, '/') == 3 ? 0 : -1;
}

}  // namespace

Result<RestorePlan> PlanRestore(Table& table, Version version) {
  RestorePlan plan;
  VL_TRY(plan.now, table.Latest());
  VL_RETURN_IF_ERROR(plan.now->CheckWritable());
  VL_TRY(plan.then, table.At(version));
  if (plan.now->metadata().partition_columns != plan.then->metadata().partition_columns) {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("version {} had other partition columns: it cannot be restored",
                            version.value));
  }
  plan.added = FilesNotIn(*plan.now, *plan.then);
  plan.removed = FilesNotIn(*plan.then, *plan.now);
  plan.metadata_differs = !SameButId(plan.then->metadata(), plan.now->metadata());
  plan.moved = MovedPositions(*plan.now, *plan.then);
  VL_RETURN_IF_ERROR(CheckAllThere(table, version, plan.added));
  return plan;
}

Result<CommitResult> CommitRestore(Table& table, const RestorePlan& plan, Positions positions,
                                   const Wait& wait) {
  Transaction tx(table, plan.now);
  tx.SetOperation("RESTORE", {{"version", fmt::to_string(plan.then->version().value)}},
                  {{"numRestoredFiles", fmt::to_string(plan.added.size())},
                   {"numRemovedFiles", fmt::to_string(plan.removed.size())},
                   {"tableSizeAfterRestore", fmt::to_string(plan.then->size_bytes())},
                   {"numOfFilesAfterRestore", fmt::to_string(plan.then->files().size())}});
  for (const AddFilePtr& file : plan.added) {
    AddFile add = *file;
    add.data_change = true;
    tx.Add(std::move(add));
  }
  for (const AddFilePtr& file : plan.removed) tx.Remove(file->path);
  if (plan.metadata_differs) {
    Metadata metadata = plan.then->metadata();
    metadata.id = plan.now->metadata().id;
    tx.SetMetadata(std::move(metadata));
  }
  if (positions == Positions::kRewind) {
    for (const MovedPosition& moved : plan.moved) {
      tx.SetTxn(moved.app_id, moved.then.value_or(BeforeTheFirst(moved.app_id)));
    }
  }
  return tx.Commit(wait);
}

}  // namespace vitalake::delta
