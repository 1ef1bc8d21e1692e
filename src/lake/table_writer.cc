#include "lake/table_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "base/parallel.h"
#include "lake/sql_text.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kChangeData = "_change_data/";
constexpr size_t kPublishedAtOnce = 4;

std::vector<std::string> ColumnNames(const TableSpec& spec) {
  std::vector<std::string> names;
  for (const TableColumn& column : spec.columns) names.push_back(column.name);
  return names;
}

Status Put(const delta::Table& table, std::string_view path, const std::filesystem::path& staged) {
  VL_TRY(const std::string key, delta::ResolvePath(table.root(), path));
  return table.environment().store.PutFile(key, staged);
}

Status Delete(const delta::Table& table, std::string_view path) {
  VL_TRY(const std::string key, delta::ResolvePath(table.root(), path));
  return table.environment().store.Delete(key);
}

// A staged file and its path below the table.
struct FileToPublish {
  const std::filesystem::path& staged;
  std::string path;
};

FileToPublish ToPublish(const engine::WrittenFile& file, std::string_view subfolder) {
  return {file.path, std::string(subfolder) + file.path.filename().string()};
}

// Several at a time: each waits for the disk. Their paths; after an error none is left.
Result<std::vector<std::string>> PublishAll(const delta::Table& table,
                                            const std::vector<FileToPublish>& files) {
  std::vector<std::optional<Status>> results(files.size());
  ForEachIndex(files.size(), kPublishedAtOnce, [&](size_t i) {
    results[i] = Put(table, files[i].path, files[i].staged);
    return results[i]->has_value();
  });
  std::vector<std::string> paths;
  for (size_t i = 0; i < files.size(); ++i) {
    if (results[i] && *results[i]) paths.push_back(files[i].path);
  }
  for (size_t i = 0; i < files.size(); ++i) {
    if (!results[i] || *results[i]) continue;
    Unpublish(table, paths);
    return Because(std::move(*results[i]).error(), fmt::format("writing {}", files[i].path));
  }
  return paths;
}

void Annotate(delta::Transaction& transaction, const CommitNote& note) {
  for (const auto& [app, version] : note.txns) transaction.SetTxn(app, version);
  for (const auto& [key, json] : note.info) transaction.SetUserInfo(key, json);
}

}  // namespace

std::vector<std::string> ColumnNames(const delta::Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const delta::Field& field : snapshot.schema().fields()) names.push_back(field.name);
  return names;
}

bool CommitNote::IsIn(const delta::Snapshot& snapshot) const {
  return !txns.empty() && std::ranges::all_of(txns, [&](const auto& txn) {
    return snapshot.FindTxn(txn.first).value_or(-1) >= txn.second;
  });
}

Status CommitNote::CheckStarts(const delta::Snapshot& snapshot) const {
  const auto say = [](std::optional<int64_t> version) {
    return version ? fmt::to_string(*version) : std::string("its beginning");
  };
  for (const auto& [app, start] : starts) {
    const auto found = snapshot.FindTxn(app);
    if (found == start) continue;
    return Fail(ErrorKind::kConflict,
                fmt::format("{} is at {}, these rows begin at {}", app, say(found), say(start)));
  }
  return {};
}

Result<engine::WrittenFile> LinkStaged(engine::WrittenFile file,
                                       const std::filesystem::path& folder) {
  const std::filesystem::path link = folder / file.path.filename();
  std::error_code error;
  std::filesystem::create_hard_link(file.path, link, error);
  if (error) {
    return Fail(ErrorKind::kIo,
                fmt::format("cannot link {}: {}", file.path.string(), error.message()));
  }
  file.path = link;
  return file;
}

Result<std::optional<Version>> CommitRewrite(Lake& lake, delta::Table& table,
                                             const delta::SnapshotPtr& snapshot,
                                             const Rewrite& rewrite, const CommitNote& note,
                                             const Wait& wait) {
  std::vector<FileToPublish> files;
  for (const engine::WrittenFile& file : rewrite.data) files.push_back(ToPublish(file, ""));
  for (const engine::WrittenFile& file : rewrite.changes) {
    files.push_back(ToPublish(file, kChangeData));
  }
  VL_TRY(const std::vector<std::string> paths, PublishAll(table, files));
  delta::Transaction transaction(table, snapshot);
  transaction.SetOperation(rewrite.replaced.empty() ? "WRITE" : "MERGE", {},
                           {{"numTargetRowsInserted", fmt::to_string(rewrite.inserted)},
                            {"numTargetRowsUpdated", fmt::to_string(rewrite.updated)},
                            {"numTargetRowsDeleted", fmt::to_string(rewrite.deleted)},
                            {"numTargetFilesRemoved", fmt::to_string(rewrite.replaced.size())},
                            {"numTargetFilesAdded", fmt::to_string(rewrite.data.size())}});
  for (size_t i = 0; i < rewrite.data.size(); ++i) {
    transaction.Add(AddOf(rewrite.data[i], paths[i]));
  }
  for (const std::string& path : rewrite.replaced) transaction.Remove(path);
  if (rewrite.touches) transaction.ReadWhere(rewrite.read, rewrite.touches);
  for (size_t i = 0; i < rewrite.changes.size(); ++i) {
    delta::CdcFile file;
    file.path = paths[rewrite.data.size() + i];
    file.size_bytes = rewrite.changes[i].size_bytes;
    transaction.AddCdc(std::move(file));
  }
  Annotate(transaction, note);
  auto result = transaction.Commit(wait);
  if (!result) {
    if (result.error().kind != ErrorKind::kUnknownOutcome) Unpublish(table, paths);
    return std::unexpected(std::move(result).error());
  }
  if (std::holds_alternative<delta::Conflict>(*result)) {
    Unpublish(table, paths);
    return std::nullopt;
  }
  const auto& committed = std::get<delta::Committed>(*result);
  CheckpointIfDue(lake, table, committed);
  return committed.version;
}

Result<std::vector<std::string>> Publish(const delta::Table& table,
                                         const std::vector<engine::WrittenFile>& files,
                                         std::string_view subfolder) {
  std::vector<FileToPublish> all;
  for (const engine::WrittenFile& file : files) all.push_back(ToPublish(file, subfolder));
  return PublishAll(table, all);
}

void Unpublish(const delta::Table& table, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (auto gone = Delete(table, path); !gone) {
      log::Warn("cannot delete {}/{}: {}", table.root(), path, gone.error().ToString());
    }
  }
}

delta::AddFile AddOf(const engine::WrittenFile& file, const std::string& path) {
  delta::AddFile add;
  add.path = path;
  add.size_bytes = file.size_bytes;
  add.stats = file.stats_json;
  return add;
}

Result<AppendResult> AppendRows(Lake& lake, engine::Connection& connection, const TableSpec& spec,
                                const std::string& select_sql, const CommitNote& note,
                                const Wait& wait, engine::ParquetOptions options) {
  VL_TRY(delta::Table* const table, lake.OpenTable(spec.name));
  VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
  if (note.IsIn(*snapshot)) return AppendResult{false, snapshot->version()};
  if (auto starts = note.CheckStarts(*snapshot); !starts) {
    return Because(std::move(starts).error(), fmt::format("table {}", spec.name));
  }
  VL_TRY(const Lake::WorkFolder folder, lake.MakeWorkFolder("append"));
  options.stats_columns = spec.clustered_by;
  VL_TRY(
      const auto files,
      engine::WriteParquet(
          connection, fmt::format("SELECT {} FROM ({})", NameList(ColumnNames(spec)), select_sql),
          folder.path(), options, wait));
  if (files.empty() && note.txns.empty()) return AppendResult{false, snapshot->version()};
  VL_TRY(const std::vector<std::string> paths, Publish(*table, files));
  delta::Transaction transaction(*table, snapshot);
  transaction.ReadNothing();
  transaction.SetIsolation(delta::Isolation::kWriteSerializable);
  transaction.SetOperation("WRITE", {{"mode", "Append"}});
  for (size_t i = 0; i < files.size(); ++i) transaction.Add(AddOf(files[i], paths[i]));
  Annotate(transaction, note);
  auto result = transaction.Commit(wait);
  if (!result) {
    if (result.error().kind != ErrorKind::kUnknownOutcome) Unpublish(*table, paths);
    return Because(std::move(result).error(), fmt::format("table {}", spec.name));
  }
  if (const auto* conflict = std::get_if<delta::Conflict>(&*result)) {
    Unpublish(*table, paths);
    return Fail(ErrorKind::kConflict, fmt::format("table {}: {}", spec.name, conflict->message));
  }
  const auto& committed = std::get<delta::Committed>(*result);
  CheckpointIfDue(lake, *table, committed);
  return AppendResult{true, committed.version};
}

Status CommitTxns(Lake& lake, std::string_view name, const CommitNote& note, const Wait& wait) {
  const auto commit = [&]() -> Status {
    VL_TRY(delta::Table* const table, lake.OpenTable(name));
    VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
    if (note.IsIn(*snapshot)) return {};
    VL_RETURN_IF_ERROR(note.CheckStarts(*snapshot));
    delta::Transaction transaction(*table, snapshot);
    transaction.ReadNothing();
    transaction.SetIsolation(delta::Isolation::kWriteSerializable);
    Annotate(transaction, note);
    VL_TRY(const delta::CommitResult result, transaction.Commit(wait));
    if (const auto* conflict = std::get_if<delta::Conflict>(&result)) {
      return Fail(ErrorKind::kConflict, conflict->message);
    }
    CheckpointIfDue(lake, *table, std::get<delta::Committed>(result));
    return {};
  };
  auto done = commit();
  if (!done) return Because(std::move(done).error(), fmt::format("table {}", name));
  return done;
}

void CheckpointOrWarn(delta::Table& table, Version version) {
  if (auto written = table.Checkpoint(version); !written) {
    log::Warn("no checkpoint of {} at version {}: {}", table.root(), version.value,
              written.error().ToString());
  }
}

void CheckpointIfDue(const Lake& lake, delta::Table& table, const delta::Committed& committed) {
  if (committed.version.value % lake.options().maintain.checkpoint_every != 0) return;
  CheckpointOrWarn(table, committed.version);
}

}  // namespace vitalake::lake
