#include "lake/upkeep.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/file_check.h"
#include "lake/key_index.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

void SweepIndex(Lake& lake, const UpkeepTable& table, const delta::Snapshot& snapshot) {
  if (table.spec) KeyIndex(lake, table.spec->name).DropAllBut(snapshot);
}

// The key as SQL: a null id_space is "".
std::vector<std::string> KeySql(const TableSpec& spec) {
  std::vector<std::string> key;
  for (const std::string& column : spec.key) {
    const std::string name = engine::QuoteName(column);
    key.push_back(column == "id_space" ? fmt::format("coalesce({}, '')", name) : name);
  }
  return key;
}

}  // namespace

void FollowWithCheckpoint(const Lake& lake, const UpkeepTable& table,
                          const delta::Committed& committed) {
  if (table.spec) {
    CheckpointIfDue(lake, table.table, committed);
  } else if (committed.checkpoint_due) {
    CheckpointOrWarn(table.table, committed.version);
  }
}

Result<VacuumView> PlanVacuum(Lake& lake, const UpkeepTable& table, Micros retain) {
  VacuumView view;
  // Before the table is looked at: a consumer that reads on meanwhile only needs less.
  if (table.spec) {
    VL_TRY(view.consumers, ConsumersOf(lake, table.spec->name));
  }
  delta::VacuumOptions options{.cutoff = lake.clock().NowMicros() - retain};
  if (!view.consumers.empty()) options.feed_seen = view.consumers.front().seen;
  VL_TRY(view.plan, delta::PlanVacuum(table.table, options));
  return view;
}

Result<delta::VacuumPlan> Vacuum(Lake& lake, const UpkeepTable& table,
                                 const delta::VacuumPlan& plan, const Wait& wait,
                                 const std::function<void(size_t)>& progress) {
  VL_TRY(delta::VacuumPlan gone, delta::DeleteGarbage(table.table, plan, wait, progress));
  VL_TRY(const delta::SnapshotPtr snapshot, table.table.Latest());
  SweepIndex(lake, table, *snapshot);
  return gone;
}

Result<Soundness> Verify(Lake& lake, const UpkeepTable& table, const Wait& wait,
                         const std::function<void(int64_t, int64_t)>& progress) {
  Soundness out;
  VL_TRY(out.log, delta::CheckLog(table.table, wait));
  out.findings = out.log.findings;
  if (!out.log.snapshot) return out;
  const engine::TableFiles files = table.Files(out.log.snapshot);
  const int64_t total = out.log.snapshot->size_bytes();
  VL_TRY(auto in_files, engine::CheckFiles(lake.engine(), files, wait, [&](int64_t done) {
           if (progress) progress(done, total);
         }));
  const auto is_file = [](const delta::Finding& finding) { return finding.check == "file"; };
  const bool readable =
      std::ranges::none_of(in_files, is_file) && std::ranges::none_of(out.findings, is_file);
  std::ranges::move(in_files, std::back_inserter(out.findings));
  VL_TRY(auto in_changes, engine::CheckChanges(lake.engine(), files, out.log.changes, wait));
  std::ranges::move(in_changes, std::back_inserter(out.findings));
  if (!readable || !table.spec || table.spec->key.empty()) return out;
  VL_TRY(auto in_key, engine::CheckKey(lake.engine(), files, KeySql(*table.spec), wait));
  std::ranges::move(in_key, std::back_inserter(out.findings));
  out.key_checked = true;
  return out;
}

Result<Version> Restore(Lake& lake, const UpkeepTable& table, const delta::RestorePlan& plan,
                        delta::Positions positions, const Wait& wait) {
  VL_TRY(const delta::CommitResult result,
         delta::CommitRestore(table.table, plan, positions, wait));
  if (const auto* conflict = std::get_if<delta::Conflict>(&result)) {
    return Fail(ErrorKind::kConflict,
                fmt::format("nothing was restored: {} meanwhile; look, and run it again",
                            conflict->message));
  }
  const auto& committed = std::get<delta::Committed>(result);
  FollowWithCheckpoint(lake, table, committed);
  if (committed.snapshot) SweepIndex(lake, table, *committed.snapshot);
  return committed.version;
}

}  // namespace vitalake::lake
