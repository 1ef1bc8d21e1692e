#include "lake/file_rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json_tree.h"
#include "base/log.h"
#include "base/parallel.h"
#include "delta/json_copy.h"
#include "engine/relation.h"
#include "lake/sql_text.h"

namespace vitalake::lake {
namespace {

using engine::QuoteLiteral;
using engine::QuoteName;

// A table that other connections of the engine see; dropped with the handle.
class SharedTable {
 public:
  SharedTable(engine::Connection& connection, std::string name)
      : connection_(connection), name_(std::move(name)) {}
  SharedTable(const SharedTable&) = delete;
  SharedTable& operator=(const SharedTable&) = delete;
  ~SharedTable() {
    // Only memory is at stake, and the engine goes with the process.
    (void)connection_.Execute("DROP TABLE IF EXISTS " + name_);
  }
  const std::string& name() const { return name_; }

 private:
  engine::Connection& connection_;
  std::string name_;
};

}  // namespace

std::string StatsWithout(const std::string& stats, const std::vector<std::string>& columns) {
  JsonParser parser;
  const auto tree = parser.Parse(stats);
  if (!tree || !tree->is_object()) return {};
  JsonWriter out;
  out.BeginObject();
  for (JsonValue member : tree->children()) {
    out.Key(member.key());
    if (!member.is_object()) {
      delta::CopyJson(out, member);
      continue;
    }
    out.BeginObject();
    for (JsonValue column : member.children()) {
      if (std::ranges::find(columns, column.key()) != columns.end()) continue;
      out.Key(column.key());
      delta::CopyJson(out, column);
    }
    out.EndObject();
  }
  return out.EndObject().Take();
}

std::string ChangedColumns::Select(const std::vector<std::string>& one,
                                   const std::vector<std::string>& other) {
  std::string select;
  for (size_t i = 0; i < one.size(); ++i) {
    select += fmt::format(", bool_or({} IS DISTINCT FROM {})", one[i], other[i]);
  }
  return select;
}

ChangedColumns ChangedColumns::Read(const engine::QueryResult& row, size_t first,
                                    const std::vector<std::string>& columns,
                                    const std::vector<std::string>& clustered_by) {
  ChangedColumns changed;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!row.GetBool(first + i)) continue;
    changed.names.push_back(columns[i]);
    changed.in_order &= std::ranges::find(clustered_by, columns[i]) == clustered_by.end();
  }
  return changed;
}

Result<std::optional<engine::WrittenFile>> SpliceFile(Lake& lake, std::string_view table,
                                                      const delta::SnapshotPtr& snapshot,
                                                      const std::string& path,
                                                      const engine::RowPatch& patch,
                                                      const std::filesystem::path& target) {
  VL_TRY(const std::filesystem::path local, lake.Files(snapshot, table).LocalFile(path));
  const auto spliced = engine::SpliceParquet(local, patch, target);
  if (!spliced && (spliced.error().kind == ErrorKind::kUnsupported ||
                   spliced.error().kind == ErrorKind::kCorrupt)) {
    log::Debug("{} is written anew: {}", path, spliced.error().ToString());
    return std::nullopt;
  }
  if (!spliced) return std::unexpected(spliced.error());
  std::vector<std::string> columns;
  for (const engine::ColumnPatch& column : patch.columns) columns.push_back(column.column);
  engine::WrittenFile file;
  file.path = target;
  file.size_bytes = spliced->size_bytes;
  file.rows = spliced->rows;
  file.stats_json = StatsWithout(snapshot->FindFile(path)->stats, columns);
  return file;
}

std::filesystem::path NewFile(Lake& lake, const std::filesystem::path& folder,
                              std::string_view prefix) {
  return folder / fmt::format("{}-0-{}.parquet", prefix, lake.random().Uuid());
}

SuccessorFile SuccessorOf(const delta::Snapshot& snapshot, const std::string& path,
                          const engine::WrittenFile& file) {
  const delta::AddFilePtr old_file = snapshot.FindFile(path);
  return {{old_file->path, old_file->size_bytes, file.rows},
          {file.path.filename().string(), file.size_bytes, file.rows}};
}

Result<std::string> FileRewriter::RowsOf(const std::string& path,
                                         const std::vector<std::string>& columns) const {
  return engine::RelationSql(
      lake_.Files(snapshot_, view_.table),
      {.columns = columns, .with_positions = true, .files = std::vector<std::string>{path}});
}

Result<std::vector<FileRewriter::FileChange>> FileRewriter::FindChanges() {
  std::vector<FileChange> changes;
  VL_TRY(engine::QueryResult rows,
         connection_.Query("SELECT _file, _row FROM old_row ORDER BY 1, 2", {}, wait_));
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) break;
    if (changes.empty() || changes.back().path != rows.GetString(0)) {
      changes.push_back({std::string(rows.GetString(0)), {}, {}, false});
    }
    changes.back().rows.push_back(rows.GetInt64(1));
  }
  VL_RETURN_IF_ERROR(CompareRows(changes));
  return changes;
}

// Sets in_place and columns.
Status FileRewriter::CompareRows(std::vector<FileChange>& changes) {
  const std::vector<std::string> names = ColumnNames(*snapshot_);
  std::vector<std::string> of_old, of_new;
  for (const std::string& name : names) {
    of_old.push_back("o." + QuoteName(name));
    of_new.push_back("n." + QuoteName(name));
  }
  VL_TRY(
      engine::QueryResult rows,
      connection_.Query(
          fmt::format(
              "SELECT o._file, count(*) AS pairs, count(n._target) AS matched, "
              "  any_value(t.rows) AS wanted, count(DISTINCT n.rowid) AS rows{} "
              "FROM old_row o LEFT JOIN new_row n ON n._known AND n._target = o._file AND {} "
              "LEFT JOIN (SELECT _target, count(*) AS rows FROM new_row WHERE _known GROUP BY 1) "
              "  t ON t._target = o._file GROUP BY o._file",
              ChangedColumns::Select(of_old, of_new), SameKey(view_.row_key, "o", "n")),
          {}, wait_));
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return {};
    FileChange& change = *std::ranges::find(changes, rows.GetString(0), &FileChange::path);
    const auto count = static_cast<int64_t>(change.rows.size());
    ChangedColumns changed = ChangedColumns::Read(rows, 5, names, view_.clustered_by);
    change.columns = std::move(changed.names);
    change.in_place = changed.in_order && rows.GetInt64(1) == count && rows.GetInt64(2) == count &&
                      rows.GetInt64(3) == count && rows.GetInt64(4) == count;
  }
}

// The new values by place.
Status FileRewriter::CreatePatch(const std::vector<FileChange>& changes, const std::string& table) {
  std::set<std::string> columns;
  for (const FileChange& change : changes) {
    if (change.in_place) columns.insert(change.columns.begin(), change.columns.end());
  }
  return RunSql(
      connection_,
      fmt::format("CREATE TABLE {} AS SELECT o._file, o._row, {} FROM old_row o JOIN new_row n "
                  "ON n._known AND n._target = o._file AND {}",
                  table, NameList({columns.begin(), columns.end()}, "n."),
                  SameKey(view_.row_key, "o", "n")),
      wait_);
}

Result<std::optional<engine::WrittenFile>> FileRewriter::Splice(
    engine::Connection& connection, const InPlaceChange& change, const std::string& patch,
    const std::filesystem::path& target) {
  VL_TRY(engine::QueryResult rows,
         connection.Query(fmt::format("SELECT _row, {} FROM ({}) WHERE _file = {} ORDER BY 1",
                                      NameList(change.columns), patch, QuoteLiteral(change.path)),
                          {}, wait_));
  const auto row_patch = engine::ReadPatch(rows);
  if (!row_patch && row_patch.error().kind == ErrorKind::kUnsupported) {
    log::Debug("{} is written anew: {}", change.path, row_patch.error().ToString());
    return std::nullopt;
  }
  if (!row_patch) return std::unexpected(row_patch.error());
  return SpliceFile(lake_, view_.table, snapshot_, change.path, *row_patch, target);
}

// By place in `changes`; nullopt where the file must be written anew.
Result<std::vector<std::optional<engine::WrittenFile>>> FileRewriter::SpliceChanges(
    const std::vector<FileChange>& changes, const std::filesystem::path& folder) {
  std::vector<InPlaceChange> in_place;
  for (const FileChange& change : changes) {
    in_place.push_back(
        {change.path, change.in_place ? change.columns : std::vector<std::string>()});
  }
  if (std::ranges::all_of(in_place, [](const auto& change) { return change.columns.empty(); })) {
    return std::vector<std::optional<engine::WrittenFile>>(changes.size());
  }
  const SharedTable patch(connection_, fmt::format("upsert_patch_{:016x}", lake_.random().Next()));
  VL_RETURN_IF_ERROR(CreatePatch(changes, patch.name()));
  return SpliceAll(in_place, "FROM " + patch.name(), folder);
}

Result<std::vector<std::optional<engine::WrittenFile>>> FileRewriter::SpliceAll(
    const std::vector<InPlaceChange>& changes, const std::string& patch,
    const std::filesystem::path& folder) {
  std::vector<std::optional<engine::WrittenFile>> files(changes.size());
  std::vector<std::filesystem::path> targets;
  for (size_t i = 0; i < changes.size(); ++i) {
    targets.push_back(NewFile(lake_, folder));
  }
  std::vector<Status> results(changes.size());
  const auto splice = [&](size_t i) -> Status {
    if (changes[i].columns.empty()) return {};
    VL_TRY(engine::Connection connection, connection_.engine().Connect());
    VL_TRY(files[i], Splice(connection, changes[i], patch, targets[i]));
    return {};
  };
  const auto in_place = static_cast<size_t>(
      std::ranges::count_if(changes, [](const auto& change) { return !change.columns.empty(); }));
  const auto threads = static_cast<size_t>(connection_.engine().options().threads);
  ForEachIndex(changes.size(), std::min(threads, in_place), [&](size_t i) {
    results[i] = splice(i);
    return results[i].has_value();
  });
  for (Status& result : results) VL_RETURN_IF_ERROR(std::move(result));
  return files;
}

Status FileRewriter::WriteAnew(const FileChange& change, const std::filesystem::path& folder,
                               Rewrite& out) {
  VL_TRY(const std::string rows, RowsOf(change.path, ColumnNames(*snapshot_)));
  const std::string names = NameList(ColumnNames(*snapshot_));
  engine::ParquetOptions options;
  options.sort_by = options.stats_columns = view_.clustered_by;
  VL_TRY(auto written,
         engine::WriteParquet(
             connection_,
             fmt::format("SELECT {0} FROM ({1}) t ANTI JOIN (SELECT _row FROM old_row WHERE "
                         "_file = {2}) o ON o._row = t._row "
                         "UNION ALL SELECT {0} FROM new_row WHERE _known AND _target = {2}",
                         names, rows, QuoteLiteral(change.path)),
             folder, options, wait_));
  std::ranges::move(written, std::back_inserter(out.data));
  return {};
}

Result<std::vector<SuccessorFile>> FileRewriter::Run(const std::filesystem::path& folder,
                                                     Rewrite& out) {
  VL_TRY(const std::vector<FileChange> changes, FindChanges());
  VL_TRY(auto spliced, SpliceChanges(changes, folder));
  std::vector<SuccessorFile> successors;
  for (size_t i = 0; i < changes.size(); ++i) {
    out.replaced.push_back(changes[i].path);
    if (!spliced[i]) {
      VL_RETURN_IF_ERROR(WriteAnew(changes[i], folder, out));
      continue;
    }
    successors.push_back(SuccessorOf(*snapshot_, changes[i].path, *spliced[i]));
    out.data.push_back(*std::move(spliced[i]));
  }
  return successors;
}

}  // namespace vitalake::lake
