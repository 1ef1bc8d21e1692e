#include "lake/upsert.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "engine/relation.h"
#include "lake/sql_text.h"
#include "lake/upsert_sql.h"

namespace vitalake::lake {
namespace {

using engine::QuoteLiteral;
using engine::QuoteName;

// Rows of a file at most: one correction must not re-encode millions.
constexpr int64_t kRowsPerFile = 245'760;

// One try against one snapshot.
class UpsertTry {
 public:
  UpsertTry(Lake& lake, const UpsertRequest& request, delta::Table& table,
            delta::SnapshotPtr snapshot, engine::Connection& connection, const Wait& wait)
      : lake_(lake),
        request_(request),
        table_(table),
        snapshot_(std::move(snapshot)),
        connection_(connection),
        wait_(wait) {}

  // Whether the staged files are the whole change (step 1).
  Result<bool> IsPlainAppend();
  // Step 2: fills the decision tables and the outcomes.
  Status Decide(UpsertResult& result);
  // Step 3: writes files into `folder`.
  Result<Rewrite> MakeRewrite(const std::filesystem::path& folder);

  const delta::SnapshotPtr& snapshot() const { return snapshot_; }

 private:
  Status Run(const std::string& sql) { return RunSql(connection_, sql, wait_); }
  Result<std::string> TableRows(const std::vector<std::string>& columns,
                                std::optional<std::vector<std::string>> files) const {
    return engine::RelationSql(
        lake_.Files(snapshot_, request_.view.table),
        {.columns = columns, .with_positions = true, .files = std::move(files)});
  }
  std::string StagedRows() const {
    std::vector<std::string> paths;
    for (const auto& file : request_.staged.files) paths.push_back(file.path.string());
    return ReadParquetSql(paths);
  }
  Result<std::vector<std::string>> FilesWithStagedKeys();
  Status PointDeletes();
  Result<std::vector<std::string>> Strings(const std::string& sql) {
    return ReadStrings(connection_, sql, wait_);
  }
  std::vector<std::string> SchemaNames() const;
  std::string EmptiedOnDelete() const;
  Status CreateNewRows();
  Status RewriteFile(const std::string& path, const std::filesystem::path& folder, Rewrite& out);
  Status WriteChanges(const std::filesystem::path& folder, Rewrite& out);
  engine::ParquetOptions DataOptions(std::vector<std::string> sort_by) const;

  Lake& lake_;
  const UpsertRequest& request_;
  delta::Table& table_;
  delta::SnapshotPtr snapshot_;
  engine::Connection& connection_;
  const Wait& wait_;
};

std::vector<std::string> UpsertTry::SchemaNames() const {
  std::vector<std::string> names;
  for (const delta::Field& field : snapshot_->schema().fields()) names.push_back(field.name);
  return names;
}

engine::ParquetOptions UpsertTry::DataOptions(std::vector<std::string> sort_by) const {
  engine::ParquetOptions options;
  options.max_rows_per_file = kRowsPerFile;
  options.sort_by = std::move(sort_by);
  options.stats_columns = request_.view.clustered_by;
  return options;
}

Result<std::vector<std::string>> UpsertTry::FilesWithStagedKeys() {
  if (snapshot_->files().empty()) return std::vector<std::string>{};
  VL_TRY(const std::string keys, TableRows({"id_space", "id"}, std::nullopt));
  return Strings(
      fmt::format("SELECT DISTINCT t._file FROM ({}) t SEMI JOIN staged_key s "
                  "ON s.id = t.id AND s.id_space = coalesce(t.id_space, '') ORDER BY 1",
                  keys));
}

Result<bool> UpsertTry::IsPlainAppend() {
  if (request_.staged.deletes > 0) return false;
  VL_TRY(const int64_t keys,
         connection_.ScalarInt(
             fmt::format("SELECT count(DISTINCT hash(id_space, id)) FROM ({})", StagedRows())));
  if (keys != request_.staged.records) return false;
  if (snapshot_->files().empty()) return true;
  VL_RETURN_IF_ERROR(
      Run(fmt::format("CREATE OR REPLACE TEMP TABLE staged_key AS "
                      "SELECT DISTINCT id_space, id FROM ({})",
                      StagedRows())));
  VL_TRY(const auto hits, FilesWithStagedKeys());
  return hits.empty();
}

Status UpsertTry::PointDeletes() {
  const std::string none =
      "SELECT '' AS id_space, '' AS id, '' AS resource_id, false AS live "
      "WHERE false";
  const std::vector<std::string> columns = {"id_space", "id", "resource_id", "retracted_at",
                                            "content_hash"};
  const std::string shape =
      "SELECT coalesce(id_space, '') AS id_space, id, resource_id, "
      "retracted_at IS NULL AS live FROM ({}) WHERE resource_id IN "
      "(SELECT resource_id FROM staged WHERE deleted)";
  VL_TRY(const std::string own, TableRows(columns, std::nullopt));
  std::string sibling = none;
  if (!request_.sibling.empty()) {
    VL_TRY(const delta::SnapshotPtr other, lake_.Latest(request_.sibling));
    VL_TRY(const std::string rows,
           engine::RelationSql(lake_.Files(other, request_.sibling), {.columns = columns}));
    // A tombstone there is the same deletion, waiting.
    sibling = fmt::format(fmt::runtime(shape), rows) + " AND content_hash IS NOT NULL";
  }
  return Run(upsert_sql::ResolveDeletes(fmt::format(fmt::runtime(shape), own), sibling));
}

Status UpsertTry::Decide(UpsertResult& result) {
  VL_RETURN_IF_ERROR(Run(upsert_sql::CreateStaged(StagedRows(), request_.view.home)));
  if (request_.staged.deletes > 0) VL_RETURN_IF_ERROR(PointDeletes());
  VL_RETURN_IF_ERROR(
      Run("CREATE OR REPLACE TEMP TABLE staged_key AS SELECT DISTINCT id_space, id "
          "FROM staged WHERE NOT dropped"));
  VL_TRY(std::vector<std::string> files, FilesWithStagedKeys());
  VL_TRY(const std::string rows,
         TableRows({"id_space", "id", "version_id", "last_updated", "content_hash", "identifier",
                    "retracted_at", "deleted", "received_at", "source_partition", "source_offset",
                    "ingestion_date"},
                   std::move(files)));
  for (const std::string& sql : {upsert_sql::CreatePresent(fmt::format(
                                     "SELECT t.* FROM ({}) t SEMI JOIN staged_key s "
                                     "ON s.id = t.id AND s.id_space = coalesce(t.id_space, '')",
                                     rows)),
                                 upsert_sql::MarkKeyConflicts(), upsert_sql::CreateDecision()}) {
    VL_RETURN_IF_ERROR(Run(sql));
  }

  result.exceptions.clear();
  VL_TRY(engine::QueryResult counted, connection_.Query(upsert_sql::SelectExceptions(), {}, wait_));
  for (;;) {
    VL_TRY(const bool more, counted.Next());
    if (!more) break;
    Exceptions& exceptions = result.exceptions[std::string(counted.GetString(0))];
    const std::string_view outcome = counted.GetString(1);
    int64_t& count = outcome == "superseded"  ? exceptions.superseded
                     : outcome == "duplicate" ? exceptions.duplicate
                                              : exceptions.refused;
    count += counted.GetInt64(2);
  }

  result.refused.clear();
  VL_TRY(engine::QueryResult refused, connection_.Query(upsert_sql::SelectRefused(), {}, wait_));
  for (;;) {
    VL_TRY(const bool more, refused.Next());
    if (!more) break;
    RefusedRecord record{std::string(refused.GetString(0)),
                         refused.GetInt64(1),
                         std::string(refused.GetString(2)),
                         {}};
    record.message =
        record.reason == "key-conflict"
            ? "the id is known with another business identifier; if this source uses one id for "
              "many resources, ingest it with --key identifier (key: identifier)"
            : "the deletion names a resource id that several live rows have";
    result.refused.push_back(std::move(record));
  }
  return {};
}

std::string UpsertTry::EmptiedOnDelete() const {
  std::string out;
  for (const std::string& column : request_.view.measured) {
    out += fmt::format("CASE WHEN NOT d.deleted THEN r.{0} END AS {0}, ", QuoteName(column));
  }
  if (request_.view.has_status) {
    out += "CASE WHEN d.deleted THEN 'entered-in-error' ELSE r.status END AS status, ";
  }
  return out +
         "CASE WHEN d.deleted THEN coalesce(r.retracted_at, d.deleted_at) "
         "ELSE r.retracted_at END AS retracted_at, d.deleted AS deleted, d.id AS id, "
         "coalesce(d.ingestion_date, r.ingestion_date) AS ingestion_date";
}

// new_row: the rows the changed keys have from now on, with _known and _target (file they go to);
// old_row: the rows they had, with _file.
Status UpsertTry::CreateNewRows() {
  const std::string names = NameList(SchemaNames());
  VL_TRY(std::vector<std::string> files,
         Strings("SELECT DISTINCT file FROM decision WHERE change = 'update' ORDER BY 1"));
  VL_TRY(const std::string rows, TableRows(SchemaNames(), std::move(files)));
  VL_RETURN_IF_ERROR(
      Run(fmt::format("CREATE OR REPLACE TEMP TABLE old_row AS SELECT t.* FROM ({}) t SEMI JOIN "
                      "(SELECT id_space, id FROM decision WHERE change = 'update') d "
                      "ON d.id = t.id AND d.id_space = coalesce(t.id_space, '')",
                      rows)));
  const std::string now = fmt::format("make_timestamptz({})", lake_.clock().NowMicros());
  // A key whose best version is in the table changes only by a deletion; all others come staged.
  return Run(fmt::format(
      "CREATE OR REPLACE TEMP TABLE new_row AS SELECT {0}, _known, _target FROM ("
      "SELECT r.* REPLACE ({1}, CASE WHEN d.known THEN {2} END AS update_date), "
      "  d.known AS _known, d.file AS _target FROM ({3}) r JOIN decision d "
      "  ON r.source_partition = d.source_partition AND r.source_offset = d.source_offset "
      "  WHERE d.change <> 'none' AND d.origin IS DISTINCT FROM 'T' "
      "UNION ALL BY NAME "
      "SELECT r.* EXCLUDE (_file, _row) REPLACE ({1}, {2} AS update_date), "
      "  true AS _known, d.file AS _target FROM old_row r JOIN decision d "
      "  ON d.id = r.id AND d.id_space = coalesce(r.id_space, '') "
      "  WHERE d.change = 'update' AND d.origin = 'T')",
      names, EmptiedOnDelete(), now, StagedRows()));
}

Status UpsertTry::RewriteFile(const std::string& path, const std::filesystem::path& folder,
                              Rewrite& out) {
  VL_TRY(const std::string rows, TableRows(SchemaNames(), std::vector<std::string>{path}));
  const std::string names = NameList(SchemaNames());
  const std::string sql = fmt::format(
      "SELECT {0} FROM ({1}) t ANTI JOIN (SELECT id_space, id FROM decision WHERE change = "
      "'update') "
      "d ON d.id = t.id AND d.id_space = coalesce(t.id_space, '') "
      "UNION ALL SELECT {0} FROM new_row WHERE _known AND _target = {2}",
      names, rows, QuoteLiteral(path));
  engine::ParquetOptions options = DataOptions({});
  options.max_rows_per_file = 0;
  VL_TRY(auto written, engine::WriteParquet(connection_, sql, folder, options, wait_));
  std::ranges::move(written, std::back_inserter(out.data));
  out.replaced.push_back(path);
  return {};
}

Status UpsertTry::WriteChanges(const std::filesystem::path& folder, Rewrite& out) {
  if (!snapshot_->change_feed_enabled() || out.replaced.empty()) return {};
  const std::string names = NameList(SchemaNames());
  const std::vector<std::string>& key = request_.view.row_key;
  const std::string sql = fmt::format(
      "SELECT {0}, CASE WHEN EXISTS (SELECT 1 FROM new_row n WHERE n._known AND {1}) "
      "  THEN 'update_preimage' ELSE 'delete' END AS _change_type FROM old_row o "
      "UNION ALL SELECT {0}, CASE WHEN n._known AND EXISTS (SELECT 1 FROM old_row o WHERE {1}) "
      "  THEN 'update_postimage' ELSE 'insert' END FROM new_row n",
      names, SameKey(key, "o", "n"));
  engine::ParquetOptions options;
  options.name_prefix = "cdc";
  VL_TRY(out.changes, engine::WriteParquet(connection_, sql, folder, options, wait_));
  return {};
}

Result<Rewrite> UpsertTry::MakeRewrite(const std::filesystem::path& folder) {
  Rewrite out;
  VL_RETURN_IF_ERROR(CreateNewRows());
  VL_TRY(const auto files, Strings("SELECT DISTINCT _file FROM old_row ORDER BY 1"));
  for (const std::string& file : files) VL_RETURN_IF_ERROR(RewriteFile(file, folder, out));
  VL_TRY(auto inserted,
         engine::WriteParquet(
             connection_,
             fmt::format("SELECT {} FROM new_row WHERE NOT _known", NameList(SchemaNames())),
             folder, DataOptions(request_.view.clustered_by), wait_));
  for (auto& file : inserted) {
    out.inserted += file.rows;
    out.data.push_back(std::move(file));
  }
  VL_TRY(out.updated, connection_.ScalarInt("SELECT count(*) FROM new_row WHERE _known"));
  VL_RETURN_IF_ERROR(WriteChanges(folder, out));
  return out;
}

// The staged files themselves, as links: publishing moves a file, and after a lost race the staged
// ones are needed again.
Result<Rewrite> StagedAsData(const StagedRecords& staged, const std::filesystem::path& folder) {
  Rewrite files;
  files.data = staged.files;
  for (engine::WrittenFile& file : files.data) {
    const std::filesystem::path link = folder / file.path.filename();
    std::error_code error;
    std::filesystem::create_hard_link(file.path, link, error);
    if (error) {
      return Fail(ErrorKind::kIo,
                  fmt::format("cannot link {}: {}", file.path.string(), error.message()));
    }
    file.path = link;
    files.inserted += file.rows;
  }
  return files;
}

Result<UpsertResult> UpsertOn(Lake& lake, const UpsertRequest& request, const Wait& wait) {
  VL_TRY(delta::Table* const table, lake.OpenTable(request.view.table));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  for (;;) {
    VL_RETURN_IF_ERROR(wait.Check(lake.clock(), "upsert"));
    VL_TRY(delta::SnapshotPtr snapshot, table->Latest());
    UpsertResult result;
    result.version = snapshot->version();
    if (request.staged.files.empty()) return result;
    UpsertTry attempt(lake, request, *table, snapshot, connection, wait);
    VL_TRY(const Lake::WorkFolder folder, lake.MakeWorkFolder("upsert"));
    VL_TRY(const bool append, attempt.IsPlainAppend());
    Rewrite files;
    if (!append) VL_RETURN_IF_ERROR(attempt.Decide(result));
    const CommitNote note = request.note(result.exceptions);
    if (note.IsIn(*snapshot)) return result;
    if (append) {
      VL_TRY(files, StagedAsData(request.staged, folder.path()));
    } else {
      VL_TRY(files, attempt.MakeRewrite(folder.path()));
      if (files.data.empty() && files.replaced.empty()) return result;
    }
    VL_TRY(const auto version, CommitRewrite(lake, *table, snapshot, files, note, wait));
    if (!version) continue;
    result.committed = true;
    result.version = *version;
    result.rows_inserted = files.inserted;
    result.rows_updated = files.updated;
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
