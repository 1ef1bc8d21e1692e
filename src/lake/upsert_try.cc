#include "lake/upsert_try.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "engine/relation.h"
#include "lake/row_fetch.h"
#include "lake/upsert_sql.h"

namespace vitalake::lake {
namespace {

using engine::QuoteName;

// Rows of a file at most: one correction must not re-encode millions.
constexpr int64_t kRowsPerFile = 245'760;
// Up to so many rows are read whole at once; of more, first what the decision needs.
constexpr size_t kWholeRows = 100'000;

// What the rank and the outcomes of a row's version hang on, of a table's columns.
std::vector<std::string> DecidingColumns(const delta::Snapshot& snapshot, const SilverView& view) {
  std::vector<std::string> columns = {
      "id_space",     "id",      "version_id",    "last_updated",  "content_hash",
      "identifier",   "deleted", "received_at",   "source",        "source_partition",
      "retracted_at", "status",  "source_offset", "source_length", "ingestion_date"};
  std::erase_if(columns,
                [&](const std::string& name) { return name == "status" && !view.has_status; });
  for (const std::string& name : ColumnNames(snapshot)) {
    const bool is_there = std::ranges::find(columns, name) != columns.end();
    if (!is_there && (HasWord(view.home, name) || HasWord(view.bare, name))) {
      columns.push_back(name);
    }
  }
  return columns;
}

}  // namespace

Result<std::vector<KeyHit>> UpsertTry::FindRows(std::string_view table,
                                                const delta::SnapshotPtr& snapshot,
                                                std::span<const uint64_t> wanted) {
  if (wanted.empty()) return std::vector<KeyHit>{};
  return KeyIndex(lake_, table).Find(snapshot, snapshot->files(), wanted, wait_);
}

Result<bool> UpsertTry::IsPlainAppend() {
  if (request_.staged.deletes > 0) return false;
  wanted_ = keys_.all;
  VL_TRY(hits_, FindRows(request_.view.table, snapshot_, *wanted_));
  if (request_.compared) return hits_->empty();
  if (keys_.own->repeated) return false;
  // Records at home in either table have rows elsewhere: a repeat there may be across the two.
  if (keys_.elsewhere->repeated && !keys_.own->hashes.empty()) return false;
  if (!hits_->empty()) return false;
  if (!request_.elsewhere) return true;
  VL_TRY(const delta::SnapshotPtr other, Elsewhere());
  VL_TRY(const auto there, FindRows(request_.elsewhere->table, other, keys_.own->hashes));
  return there.empty();
}

Result<delta::SnapshotPtr> UpsertTry::Elsewhere() {
  if (!elsewhere_) elsewhere_ = request_.elsewhere_at;
  if (elsewhere_) return elsewhere_;
  VL_TRY(elsewhere_, lake_.Latest(request_.elsewhere->table));
  return elsewhere_;
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
  VL_TRY(const std::string own,
         engine::RelationSql(lake_.Files(snapshot_, request_.view.table), {.columns = columns}));
  std::string others = none;
  if (request_.elsewhere) {
    const std::string_view table = request_.elsewhere->table;
    VL_TRY(const delta::SnapshotPtr other, Elsewhere());
    VL_TRY(const std::string rows,
           engine::RelationSql(lake_.Files(other, table), {.columns = columns}));
    // A tombstone there is the same deletion, waiting.
    others = fmt::format(fmt::runtime(shape), rows) + " AND content_hash IS NOT NULL";
  }
  return Run(upsert_sql::ResolveDeletes(fmt::format(fmt::runtime(shape), own), others));
}

// elsewhere: versions of staged keys that the other table holds. A key that this table holds has
// its best version here.
Status UpsertTry::LoadElsewhere() {
  if (!request_.elsewhere) {
    SilverView none;
    none.home = "true";
    return Run(upsert_sql::CreateElsewhere(
        "SELECT *, NULL::TIMESTAMPTZ AS retracted_at FROM staged WHERE false", none));
  }
  const std::string_view table = request_.elsewhere->table;
  VL_TRY(const delta::SnapshotPtr other, Elsewhere());
  VL_TRY(const auto own,
         HashKeys(connection_,
                  request_.compared ? "FROM present"
                                    : "FROM staged s ANTI JOIN present p USING (id_space, id) "
                                      "WHERE NOT s.elsewhere",
                  wait_));
  VL_TRY(const auto hits, FindRows(table, other, own));
  VL_RETURN_IF_ERROR(FetchRows(
      lake_, connection_,
      {table, other, hits, DecidingColumns(*other, *request_.elsewhere), "elsewhere_row"}, wait_));
  return Run(upsert_sql::CreateElsewhere("FROM elsewhere_row", *request_.elsewhere));
}

// Step 2 without statements, where all records of known keys are simply newer (newer_versions.h).
Result<bool> UpsertTry::OnlyNewerVersions() {
  if (!hits_ || request_.compared) return false;  // deletions, or no records
  std::vector<uint64_t> repeats = keys_.own->repeats;
  if (keys_.own->repeated && repeats.empty()) return false;
  if (keys_.elsewhere->repeated) {
    if (keys_.elsewhere->repeats.empty()) return false;
    std::ranges::set_intersection(keys_.own->hashes, keys_.elsewhere->repeats,
                                  std::back_inserter(repeats));
  }
  newer_.emplace(lake_, request_, snapshot_, connection_, wait_);
  VL_TRY(bool all, newer_->Take(*hits_, repeats));
  if (all && request_.elsewhere) {
    // The others must be new there, too.
    std::vector<uint64_t> others;
    std::ranges::copy_if(keys_.own->hashes, std::back_inserter(others),
                         [&](uint64_t hash) { return !newer_->HasStored(hash); });
    VL_TRY(const delta::SnapshotPtr other, Elsewhere());
    VL_TRY(const auto there, FindRows(request_.elsewhere->table, other, others));
    all = there.empty();
  }
  if (!all) newer_.reset();
  return all;
}

Status UpsertTry::Decide(UpsertResult& result) {
  VL_TRY(const bool newer, OnlyNewerVersions());
  if (!newer) return Rank(result);
  result.refused.clear();
  return newer_->TellOutcomes(result);
}

// Fills the decision tables and the outcomes.
Status UpsertTry::Rank(UpsertResult& result) {
  if (request_.staged.files.empty()) {
    VL_TRY(const std::string none, engine::RelationSql(lake_.Files(snapshot_, request_.view.table),
                                                       {.files = std::vector<std::string>{}}));
    VL_RETURN_IF_ERROR(Run(upsert_sql::CreateStaged(none, request_.view)));
  } else {
    VL_RETURN_IF_ERROR(Run(upsert_sql::CreateStaged(StagedRows(request_.staged), request_.view)));
  }
  if (request_.elsewhere && !request_.staged_elsewhere->files.empty()) {
    VL_RETURN_IF_ERROR(Run(upsert_sql::AddStagedElsewhere(StagedRows(*request_.staged_elsewhere),
                                                          *request_.elsewhere)));
  }
  if (request_.staged.deletes > 0) {
    VL_RETURN_IF_ERROR(PointDeletes());
    // A deletion names a resource id; by now it has the key of the row it is for.
    VL_TRY(auto wanted, HashKeys(connection_, "SELECT * FROM staged WHERE NOT dropped", wait_));
    wanted_ = std::make_shared<const std::vector<uint64_t>>(std::move(wanted));
    hits_.reset();
  }
  if (!hits_) {
    if (!wanted_) wanted_ = keys_.all;
    VL_TRY(hits_, FindRows(request_.view.table, snapshot_, *wanted_));
  }
  whole_rows_ = hits_->size() <= kWholeRows;
  VL_RETURN_IF_ERROR(FetchKnown(whole_rows_ ? ColumnNames(*snapshot_)
                                            : DecidingColumns(*snapshot_, request_.view)));
  VL_RETURN_IF_ERROR(Run(upsert_sql::CreatePresent("FROM known_row", request_.view)));
  VL_RETURN_IF_ERROR(LoadElsewhere());
  VL_RETURN_IF_ERROR(Run(upsert_sql::MarkKeyConflicts()));
  VL_RETURN_IF_ERROR(Run(upsert_sql::CreateDecision()));
  return CollectOutcomes(result);
}

Status UpsertTry::CollectOutcomes(UpsertResult& result) {
  using upsert_sql::Per;
  result.exceptions.clear();
  result.placed.clear();
  const std::string select =
      upsert_sql::SelectExceptions(request_.by_place ? Per::kPlace : Per::kPartition);
  VL_TRY(engine::QueryResult counted, connection_.Query(select, {}, wait_));
  for (;;) {
    VL_TRY(const bool more, counted.Next());
    if (!more) break;
    Exceptions found;
    const std::string_view outcome = counted.GetString(1);
    int64_t& count = outcome == "superseded"  ? found.superseded
                     : outcome == "duplicate" ? found.duplicate
                                              : found.refused;
    count = counted.GetInt64(2);
    const std::string partition(counted.GetString(0));
    result.exceptions[partition] += found;
    if (request_.by_place) result.placed.push_back({partition, counted.GetInt64(3), found});
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
              "many resources, `vitalake quarantine replay --reason key-conflict --key identifier` "
              "takes them in, and --key identifier (key: identifier) what comes from it later"
            : "the deletion names a resource id that several live rows have";
    result.refused.push_back(std::move(record));
  }
  return {};
}

// What differs from the rows the decision takes: a deletion, and a retraction of their key that has
// none of its own, empty them and put themselves in.
std::string UpsertTry::ChangedCells() const {
  std::string out;
  for (const std::string& column : request_.view.measured) {
    out += fmt::format("CASE WHEN NOT d.deleted AND NOT d.marked THEN r.{0} END AS {0}, ",
                       QuoteName(column));
  }
  for (const std::string_view column :
       {"version_id", "last_updated", "content_hash", "received_at", "source", "source_partition",
        "source_offset", "source_length"}) {
    out += fmt::format("CASE WHEN d.marked THEN d.{0} ELSE r.{0} END AS {0}, ", column);
  }
  if (request_.view.has_status) {
    out +=
        "CASE WHEN d.deleted THEN 'entered-in-error' WHEN d.marked THEN d.status ELSE r.status "
        "END AS status, ";
  }
  return out +
         fmt::format(
             "CASE WHEN d.deleted THEN {} WHEN d.marked THEN d.received_at ELSE r.retracted_at "
             "END AS retracted_at, ",
             upsert_sql::DeletionTime("d.deleted_at", "d.retraction")) +
         "d.deleted AS deleted, d.id AS id, "
         "coalesce(d.ingestion_date, r.ingestion_date) AS ingestion_date";
}

// known_row: the rows of hits_, with _file and _row.
Status UpsertTry::FetchKnown(std::vector<std::string> columns) {
  return FetchRows(lake_, connection_,
                   {request_.view.table, snapshot_, *hits_, std::move(columns), "known_row"},
                   wait_);
}

// old_row: the rows that the changed keys have, with _file and _row.
Status UpsertTry::CreateOldRows() {
  if (!whole_rows_) VL_RETURN_IF_ERROR(FetchKnown(ColumnNames(*snapshot_)));
  // Others stay: of keys with a hash in common, and of keys that were not decided (their staged
  // records are refused).
  const std::string changed =
      "(SELECT id_space, id FROM decision WHERE change IN ('update', 'remove')) d "
      "ON d.id = t.id AND d.id_space = coalesce(t.id_space, '')";
  VL_TRY(const int64_t staying,
         connection_.ScalarInt("SELECT count(*) FROM known_row t ANTI JOIN " + changed));
  if (staying == 0) {
    return Run("DROP TABLE IF EXISTS old_row; ALTER TABLE known_row RENAME TO old_row");
  }
  return Run("CREATE OR REPLACE TEMP TABLE old_row AS SELECT t.* FROM known_row t SEMI JOIN " +
             changed);
}

// new_row: the rows the changed keys have from now on, with _known and _target (file they go to).
Status UpsertTry::CreateNewRows() {
  const std::string now = fmt::format("make_timestamptz({})", lake_.clock().NowMicros());
  // A key whose best version is in the table changes only by a deletion; all others come staged.
  std::string sql = fmt::format(
      "SELECT r.* EXCLUDE (_file, _row) REPLACE ({0}, {1} AS update_date), "
      "  true AS _known, d.file AS _target FROM old_row r JOIN decision d "
      "  ON d.id = r.id AND d.id_space = coalesce(r.id_space, '') "
      "  WHERE d.change = 'update' AND d.origin = 'T'",
      ChangedCells(), now);
  if (!request_.staged.files.empty()) {
    sql += fmt::format(
        " UNION ALL BY NAME SELECT r.* REPLACE ({0}, "
        "  CASE WHEN d.known THEN {1} END AS update_date), "
        "  d.known AS _known, d.file AS _target FROM ({2}) r JOIN decision d "
        "  ON r.source_partition = d.row_partition AND r.source_offset = d.row_offset "
        "  WHERE d.change IN ('insert', 'update') AND d.origin IS DISTINCT FROM 'T'",
        ChangedCells(), now, StagedRows(request_.staged));
  }
  return Run(
      fmt::format("CREATE OR REPLACE TEMP TABLE new_row AS SELECT {}, _known, _target FROM ({})",
                  NameList(ColumnNames(*snapshot_)), sql));
}

Status UpsertTry::WriteChanges(const std::filesystem::path& folder, Rewrite& out) {
  if (!snapshot_->change_feed_enabled() || out.replaced.empty()) return {};
  const std::string names = NameList(ColumnNames(*snapshot_));
  const std::string same = SameKey(request_.view.row_key, "o", "n");
  // Nearly always each old row has its new one, and no row needs to be looked up.
  const std::string replaced =
      out.deleted == 0
          ? "true"
          : fmt::format("EXISTS (SELECT 1 FROM new_row n WHERE n._known AND {})", same);
  VL_TRY(const int64_t added,
         connection_.ScalarInt(fmt::format(
             "SELECT count(*) FROM new_row n ANTI JOIN old_row o ON {} WHERE n._known", same)));
  const std::string replaces =
      added == 0 ? "true" : fmt::format("EXISTS (SELECT 1 FROM old_row o WHERE {})", same);
  const std::string sql = fmt::format(
      "SELECT {0}, CASE WHEN {1} THEN 'update_preimage' ELSE 'delete' END AS _change_type "
      "FROM old_row o "
      "UNION ALL SELECT {0}, CASE WHEN n._known AND {2} THEN 'update_postimage' ELSE 'insert' END "
      "FROM new_row n",
      names, replaced, replaces);
  engine::ParquetOptions options;
  options.name_prefix = "cdc";
  VL_TRY(out.changes, engine::WriteParquet(connection_, sql, folder, options, wait_));
  return {};
}

Result<Rewrite> UpsertTry::MakeRewrite(const std::filesystem::path& folder) {
  if (newer_) {
    VL_TRY(auto out, newer_->MakeRewrite(folder));
    if (out) {
      successors_ = newer_->successors();
      return *std::move(out);
    }
    UpsertResult same;  // they come to the same
    VL_RETURN_IF_ERROR(Rank(same));
  }
  return RewriteRanked(folder);
}

Result<Rewrite> UpsertTry::RewriteRanked(const std::filesystem::path& folder) {
  Rewrite out;
  VL_RETURN_IF_ERROR(CreateOldRows());
  VL_RETURN_IF_ERROR(CreateNewRows());
  VL_TRY(successors_,
         FileRewriter(lake_, request_.view, snapshot_, connection_, wait_).Run(folder, out));
  engine::ParquetOptions options;
  options.max_rows_per_file = kRowsPerFile;
  options.sort_by = request_.view.clustered_by;
  options.stats_columns = request_.view.clustered_by;
  VL_TRY(auto inserted, engine::WriteParquet(connection_,
                                             fmt::format("SELECT {} FROM new_row WHERE NOT _known",
                                                         NameList(ColumnNames(*snapshot_))),
                                             folder, options, wait_));
  for (auto& file : inserted) {
    out.inserted += file.rows;
    out.data.push_back(std::move(file));
  }
  VL_TRY(out.updated, connection_.ScalarInt("SELECT count(*) FROM new_row WHERE _known"));
  VL_TRY(
      out.deleted,
      connection_.ScalarInt(fmt::format(
          "SELECT count(*) FROM old_row o ANTI JOIN (SELECT * FROM new_row WHERE _known) n ON {}",
          SameKey(request_.view.row_key, "o", "n"))));
  VL_RETURN_IF_ERROR(WriteChanges(folder, out));
  return out;
}

void UpsertTry::NameWhatWasRead(Rewrite& rewrite) {
  // A deletion looked at all resource ids of the table.
  if (request_.staged.deletes > 0) return;
  std::set<std::string> read;
  for (const KeyHit& hit : *hits_) read.insert(hit.file->path);
  rewrite.read = {read.begin(), read.end()};
  rewrite.touches = [this](const delta::AddFile& added) -> Result<bool> {
    const std::vector<delta::AddFilePtr> file = {std::make_shared<const delta::AddFile>(added)};
    VL_TRY(const auto hits,
           KeyIndex(lake_, request_.view.table).Find(snapshot_, file, *wanted_, wait_));
    return !hits.empty();
  };
}

}  // namespace vitalake::lake
