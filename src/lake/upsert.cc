#include "lake/upsert.h"

#include <fmt/format.h>

#include "base/log.h"
#include "lake/key_index.h"
#include "lake/step_times.h"
#include "lake/upsert_try.h"

namespace vitalake::lake {
namespace {

// The staged files themselves.
Result<Rewrite> StagedAsData(const StagedRecords& staged, const std::filesystem::path& folder) {
  Rewrite files;
  for (const engine::WrittenFile& file : staged.files) {
    VL_TRY(files.data.emplace_back(), LinkStaged(file, folder));
    files.inserted += file.rows;
  }
  return files;
}

Result<RequestKeys> KeysOfRequest(engine::Connection& connection, const UpsertRequest& request,
                                  const Wait& wait) {
  RequestKeys keys;
  keys.own = request.compared;
  if (!keys.own) {
    VL_TRY(keys.own, KeysOf(connection, request.staged, wait));
  }
  VL_TRY(keys.elsewhere,
         KeysOf(connection, request.elsewhere ? *request.staged_elsewhere : StagedRecords{}, wait));
  keys.all = Union(keys.own, keys.elsewhere);
  return keys;
}

// Keeps the key index in step with a commit. It can be made anew at any time: errors are logged.
void FollowWithIndex(Lake& lake, const delta::Table& table, std::string_view name,
                     const Rewrite& files, const std::vector<SuccessorFile>& successors,
                     const Wait& wait) {
  const KeyIndex index(lake, name);
  for (const SuccessorFile& successor : successors) {
    index.Reuse(successor.old_file, successor.new_file);
  }
  // What was written to be read again; the files of a first load wait for the first question.
  if (files.replaced.empty()) return;
  const auto snapshot = lake.Latest(name);
  if (!snapshot) return;
  index.DropAllBut(**snapshot);
  std::vector<delta::AddFilePtr> added;
  for (const engine::WrittenFile& file : files.data) {
    if (auto add = (*snapshot)->FindFile(file.path.filename().string())) added.push_back(add);
  }
  if (auto made = index.Prepare(*snapshot, added, wait); !made) {
    log::Warn("no key index of {}: {}", table.root(), made.error().ToString());
  }
}

Result<UpsertResult> UpsertOn(Lake& lake, const UpsertRequest& request, const Wait& wait) {
  const std::string& name = request.view.table;
  VL_TRY(delta::Table* const table, lake.OpenTable(name));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  StepTimes times(lake.clock(), fmt::format("upsert of {}", name));
  VL_TRY(const RequestKeys keys, KeysOfRequest(connection, request, wait));
  times.Done("keys");
  for (;;) {
    VL_RETURN_IF_ERROR(wait.Check(lake.clock(), "upsert"));
    VL_TRY(delta::SnapshotPtr snapshot, table->Latest());
    UpsertResult result;
    result.version = snapshot->version();
    result.read = snapshot;
    if (keys.all->empty()) return result;
    UpsertTry attempt(lake, request, keys, snapshot, connection, wait);
    VL_TRY(const Lake::WorkFolder folder, lake.MakeWorkFolder("upsert"));
    VL_TRY(const bool append, attempt.IsPlainAppend());
    times.Done("index");
    Rewrite files;
    if (!append) VL_RETURN_IF_ERROR(attempt.Decide(result));
    times.Done("decide");
    const CommitNote note = request.only_asks ? CommitNote() : request.note(result.exceptions);
    if (request.only_asks || note.IsIn(*snapshot)) {
      result.read = nullptr;
      return result;
    }
    result.read_elsewhere = attempt.elsewhere();
    VL_RETURN_IF_ERROR(note.CheckStarts(*snapshot));
    if (append) {
      VL_TRY(files, StagedAsData(request.staged, folder.path()));
    } else {
      VL_TRY(files, attempt.MakeRewrite(folder.path()));
    }
    times.Done("rewrite");
    if (files.data.empty() && files.replaced.empty()) return result;
    attempt.NameWhatWasRead(files);
    VL_TRY(const auto version, CommitRewrite(lake, *table, snapshot, files, note, wait));
    times.Done("commit");
    if (!version) continue;
    FollowWithIndex(lake, *table, name, files, attempt.successors(), wait);
    times.Done("follow");
    result.committed = true;
    result.version = *version;
    result.rows_inserted = files.inserted;
    result.rows_updated = files.updated;
    result.rows_removed = files.deleted;
    for (const engine::WrittenFile& file : files.data) {
      result.added.insert(file.path.filename().string());
    }
    return result;
  }
}

}  // namespace

Result<UpsertResult> Upsert(Lake& lake, const UpsertRequest& request, const Wait& wait) {
  auto result = UpsertOn(lake, request, wait);
  if (!result) {
    return Because(std::move(result).error(), fmt::format("table {}", request.view.table));
  }
  return result;
}

}  // namespace vitalake::lake
