#include "lake/gold.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/relation.h"
#include "lake/gold_model.h"
#include "lake/sql_text.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

constexpr int64_t kRowsPerFile = 245'760;

// Whom a patient's readings count for: the end of the chain of `replaced_by`; in a cycle the
// smallest id of it. Only patients with a link are in it.
std::string PersonLinkSql(std::string_view patients) {
  return fmt::format(
      "WITH RECURSIVE link AS (SELECT coalesce(id_space, '') AS id_space, id, replaced_by FROM "
      "({}) "
      "  WHERE replaced_by IS NOT NULL AND replaced_by <> id AND retracted_at IS NULL), "
      "chain(id_space, patient_id, tail_id) AS (SELECT id_space, id, replaced_by FROM link "
      "  UNION SELECT c.id_space, c.patient_id, l.replaced_by FROM chain c "
      "    JOIN link l ON l.id_space = c.id_space AND l.id = c.tail_id), "
      "tail AS (SELECT c.*, l.id IS NULL AS is_end FROM chain c "
      "  LEFT JOIN link l ON l.id_space = c.id_space AND l.id = c.tail_id) "
      "SELECT id_space, patient_id, "
      "  coalesce(any_value(tail_id) FILTER (is_end), least(min(tail_id), patient_id)) AS "
      "person_id "
      "FROM tail GROUP BY id_space, patient_id",
      patients);
}

std::string TxnApp(const GoldModel& model, const GoldSource& source) {
  return fmt::format("gold/{}/{}", model.table, source.table);
}

// One model's refresh.
class ModelRefresh {
 public:
  ModelRefresh(Lake& lake, const GoldModel& model, delta::Table& table,
               const std::map<std::string, delta::SnapshotPtr>& sources,
               engine::Connection& connection, const Wait& wait)
      : lake_(lake),
        model_(model),
        table_(table),
        sources_(sources),
        connection_(connection),
        wait_(wait) {}

  // nullopt: nothing to do. Loses races and starts again by itself.
  Result<std::optional<GoldResult>> Run(bool full);

 private:
  Status Execute(const std::string& sql) { return RunSql(connection_, sql, wait_); }
  const delta::SnapshotPtr& Source(std::string_view table) const {
    return sources_.find(std::string(table))->second;
  }
  Result<std::string> SourceRows(const GoldSource& source, bool touched_only);
  // Fills touched (id_space, id): whatever the change feeds name since the last refresh. False when
  // a feed does not reach back that far.
  Result<bool> CollectTouched();
  Status ExpandTouched();
  Status ComputeRows(bool touched_only);
  Result<Rewrite> MakeRewrite(const std::filesystem::path& folder, bool full);
  std::string Columns() const;
  std::string Changed() const;

  Lake& lake_;
  const GoldModel& model_;
  delta::Table& table_;
  const std::map<std::string, delta::SnapshotPtr>& sources_;
  engine::Connection& connection_;
  const Wait& wait_;
  delta::SnapshotPtr snapshot_;
  std::string person_link_;
};

std::string ModelRefresh::Columns() const {
  std::vector<std::string> names;
  for (const delta::Field& field : snapshot_->schema().fields()) names.push_back(field.name);
  return NameList(names);
}

Result<std::string> ModelRefresh::SourceRows(const GoldSource& source, bool touched_only) {
  VL_TRY(std::string rows, engine::RelationSql(lake_.Files(Source(source.table), source.table)));
  if (!touched_only) return rows;
  return fmt::format(
      "SELECT r.* FROM ({}) r SEMI JOIN touched_patient t "
      "ON t.id = r.{} AND t.id_space = coalesce(r.id_space, '')",
      rows, engine::QuoteName(source.person_column));
}

Result<bool> ModelRefresh::CollectTouched() {
  VL_RETURN_IF_ERROR(
      Execute("CREATE OR REPLACE TEMP TABLE touched (id_space VARCHAR, id VARCHAR)"));
  for (const GoldSource& source : model_.sources) {
    const std::optional<int64_t> seen = snapshot_->FindTxn(TxnApp(model_, source));
    const Version now = Source(source.table)->version();
    if (!seen) return false;
    if (*seen >= now.value) continue;
    VL_TRY(delta::Table* const table, lake_.OpenTable(source.table));
    auto changes = table->Changes(Version{*seen + 1}, now);
    if (!changes && changes.error().kind == ErrorKind::kNotFound) return false;
    if (!changes) return std::unexpected(std::move(changes).error());
    std::vector<std::string> paths;
    for (const delta::ChangeFile& file : *changes) {
      VL_TRY(const auto path,
             lake_.store().LocalPath(fmt::format("{}/{}", table->root(), file.path)));
      paths.push_back(path.string());
    }
    if (paths.empty()) continue;
    std::string columns = engine::QuoteName(source.person_column);
    if (source.table == "silver.patient") columns = "unnest([id, replaced_by])";
    VL_RETURN_IF_ERROR(
        Execute(fmt::format("INSERT INTO touched SELECT DISTINCT * FROM ("
                            "SELECT coalesce(id_space, '') AS id_space, {} AS id FROM ({})) "
                            "WHERE id IS NOT NULL",
                            columns, ReadParquetSql(paths))));
  }
  return true;
}

// touched_person: persons to recompute, those that ids named before or name now; touched_patient:
// all patient ids that count for them.
Status ModelRefresh::ExpandTouched() {
  for (const std::string& sql :
       {fmt::format("CREATE OR REPLACE TEMP TABLE person_map AS {}", person_link_),
        std::string(
            "CREATE OR REPLACE TEMP TABLE touched_person AS SELECT id_space, id FROM touched "
            "UNION SELECT t.id_space, m.person_id FROM touched t JOIN person_map m "
            "ON m.id_space = t.id_space AND m.patient_id = t.id"),
        std::string("CREATE OR REPLACE TEMP TABLE touched_patient AS SELECT id_space, id FROM "
                    "touched_person UNION SELECT m.id_space, m.patient_id FROM person_map m "
                    "JOIN touched_person t ON t.id_space = m.id_space AND t.id = m.person_id")}) {
    VL_RETURN_IF_ERROR(Execute(sql));
  }
  return {};
}

Status ModelRefresh::ComputeRows(bool touched_only) {
  std::vector<std::string> relations;
  for (const GoldSource& source : model_.sources) {
    VL_TRY(std::string rows, SourceRows(source, touched_only));
    relations.push_back(std::move(rows));
  }
  std::string sql = BindSources(model_, relations, person_link_);
  if (touched_only) {
    sql = fmt::format(
        "SELECT m.* FROM ({}\n) m SEMI JOIN touched_person t ON t.id = m.{} "
        "AND t.id_space = m.id_space",
        sql, engine::QuoteName(model_.person_column));
  }
  return Execute(
      fmt::format("CREATE OR REPLACE TEMP TABLE new_row AS SELECT {} FROM ({}\n)", Columns(), sql));
}

// old_row and new_row as change rows; a row that stayed the same is no change.
std::string ModelRefresh::Changed() const {
  return fmt::format(
      "WITH gone AS (SELECT {0} FROM old_row EXCEPT SELECT {0} FROM new_row), "
      "come AS (SELECT {0} FROM new_row EXCEPT SELECT {0} FROM old_row) "
      "SELECT {0}, CASE WHEN EXISTS (SELECT 1 FROM come n WHERE {1}) THEN 'update_preimage' "
      "  ELSE 'delete' END AS _change_type FROM gone o "
      "UNION ALL SELECT {0}, CASE WHEN EXISTS (SELECT 1 FROM gone o WHERE {1}) "
      "  THEN 'update_postimage' ELSE 'insert' END FROM come n",
      Columns(), SameKey(model_.key, "o", "n"));
}

Result<Rewrite> ModelRefresh::MakeRewrite(const std::filesystem::path& folder, bool full) {
  Rewrite rewrite;
  const std::string columns = Columns();
  VL_TRY(const std::string rows,
         engine::RelationSql(lake_.Files(snapshot_, model_.table), {.with_positions = true}));
  const std::string mine = fmt::format(
      "FROM ({}) r {} ", rows,
      full ? ""
           : fmt::format("SEMI JOIN touched_person t ON t.id = r.{} AND t.id_space = r.id_space",
                         engine::QuoteName(model_.person_column)));
  VL_RETURN_IF_ERROR(
      Execute(fmt::format("CREATE OR REPLACE TEMP TABLE old_row AS SELECT r.* {}", mine)));
  VL_RETURN_IF_ERROR(
      Execute(fmt::format("CREATE OR REPLACE TEMP TABLE change_row AS {}", Changed())));
  VL_TRY(rewrite.inserted,
         connection_.ScalarInt("SELECT count(*) FROM change_row WHERE _change_type = 'insert'"));
  VL_TRY(rewrite.updated,
         connection_.ScalarInt(
             "SELECT count(*) FROM change_row WHERE _change_type = 'update_postimage'"));
  VL_TRY(rewrite.deleted,
         connection_.ScalarInt("SELECT count(*) FROM change_row WHERE _change_type = 'delete'"));
  if (rewrite.inserted + rewrite.updated + rewrite.deleted == 0) return rewrite;

  VL_TRY(rewrite.replaced,
         ReadStrings(
             connection_,
             fmt::format(
                 "SELECT DISTINCT o._file FROM old_row o SEMI JOIN change_row n ON {} ORDER BY 1",
                 SameKey(model_.key, "o", "n")),
             wait_));
  VL_TRY(const std::string kept,
         engine::RelationSql(lake_.Files(snapshot_, model_.table), {.files = rewrite.replaced}));
  engine::ParquetOptions options;
  options.max_rows_per_file = kRowsPerFile;
  options.stats_columns = model_.clustered_by;
  options.sort_by = model_.clustered_by;
  VL_TRY(rewrite.data,
         engine::WriteParquet(connection_,
                              fmt::format("SELECT {0} FROM ({1}) o ANTI JOIN change_row n ON {2} "
                                          "UNION ALL SELECT {0} FROM change_row "
                                          "WHERE _change_type IN ('insert', 'update_postimage')",
                                          columns, kept, SameKey(model_.key, "o", "n")),
                              folder, options, wait_));
  if (rewrite.replaced.empty()) return rewrite;
  engine::ParquetOptions change_options;
  change_options.name_prefix = "cdc";
  VL_TRY(rewrite.changes, engine::WriteParquet(connection_, "SELECT * FROM change_row", folder,
                                               change_options, wait_));
  return rewrite;
}

Result<std::optional<GoldResult>> ModelRefresh::Run(bool full) {
  VL_TRY(const std::string patients,
         engine::RelationSql(lake_.Files(Source("silver.patient"), "silver.patient"),
                             {.columns = {"id_space", "id", "replaced_by", "retracted_at"}}));
  person_link_ = PersonLinkSql(patients);
  for (;;) {
    VL_RETURN_IF_ERROR(wait_.Check(lake_.clock(), fmt::format("refreshing {}", model_.table)));
    VL_TRY(snapshot_, table_.Latest());
    CommitNote note;
    GoldResult result;
    result.table = model_.table;
    for (const GoldSource& source : model_.sources) {
      const int64_t version = Source(source.table)->version().value;
      note.txns[TxnApp(model_, source)] = version;
      result.source_versions[source.table] = version;
    }
    if (!full && note.IsIn(*snapshot_)) return std::nullopt;
    result.full = full;
    if (!full) {
      VL_TRY(const bool reached, CollectTouched());
      result.full = !reached;
    }
    if (!result.full) {
      VL_RETURN_IF_ERROR(ExpandTouched());
      VL_TRY(result.keys_touched, connection_.ScalarInt("SELECT count(*) FROM touched_person"));
    }
    VL_RETURN_IF_ERROR(ComputeRows(!result.full));
    VL_TRY(const Lake::WorkFolder folder, lake_.MakeWorkFolder("gold"));
    VL_TRY(const Rewrite rewrite, MakeRewrite(folder.path(), result.full));
    VL_TRY(const auto version, CommitRewrite(lake_, table_, snapshot_, rewrite, note, wait_));
    if (!version) continue;
    result.version = version->value;
    result.rows_inserted = rewrite.inserted;
    result.rows_updated = rewrite.updated;
    result.rows_deleted = rewrite.deleted;
    return result;
  }
}

// "(SELECT NULL::VARCHAR AS a, ... WHERE false)": a table's shape without rows.
std::string EmptyRelation(const TableSpec& spec) {
  std::string columns;
  for (const TableColumn& column : spec.columns) {
    const std::string_view type = column.type == "string"      ? "VARCHAR"
                                  : column.type == "long"      ? "BIGINT"
                                  : column.type == "timestamp" ? "TIMESTAMPTZ"
                                                               : std::string_view(column.type);
    columns += fmt::format("{}NULL::{} AS {}", columns.empty() ? "" : ", ", type,
                           engine::QuoteName(column.name));
  }
  return fmt::format("SELECT {} WHERE false", columns);
}

}  // namespace

Result<std::vector<GoldResult>> RefreshGold(Lake& lake, bool full, const Wait& wait) {
  VL_TRY(const std::vector<GoldModel> models, LoadGoldModels(lake.options().models_folder));
  std::map<std::string, delta::SnapshotPtr> sources;
  VL_TRY(sources["silver.patient"], lake.Latest("silver.patient"));
  for (const GoldModel& model : models) {
    for (const GoldSource& source : model.sources) {
      if (!sources.contains(source.table)) {
        VL_TRY(sources[source.table], lake.Latest(source.table));
      }
    }
  }
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  std::vector<GoldResult> results;
  for (const GoldModel& model : models) {
    if (model.is_view) continue;
    VL_TRY(delta::Table* const table, lake.OpenTable(model.table));
    auto refreshed = ModelRefresh(lake, model, *table, sources, connection, wait).Run(full);
    if (!refreshed) {
      return Because(std::move(refreshed).error(), fmt::format("table {}", model.table));
    }
    if (*refreshed) results.push_back(std::move(**refreshed));
  }
  return results;
}

Result<std::map<std::string, std::string>> GoldViews(Lake& lake) {
  VL_TRY(const std::vector<GoldModel> models, LoadGoldModels(lake.options().models_folder));
  std::map<std::string, std::string> views;
  for (const GoldModel& model : models) {
    if (model.is_view) views[model.table] = model.sql;
  }
  return views;
}

Result<std::vector<TableSpec>> GoldSpecs(engine::Connection& connection,
                                         const std::filesystem::path& models_folder,
                                         const std::vector<TableSpec>& silver) {
  VL_TRY(const std::vector<GoldModel> models, LoadGoldModels(models_folder));
  const std::string no_links =
      "SELECT '' AS id_space, '' AS patient_id, '' AS person_id WHERE false";
  std::vector<TableSpec> specs;
  for (const GoldModel& model : models) {
    if (model.is_view) continue;
    std::vector<std::string> relations;
    for (const GoldSource& source : model.sources) {
      const auto spec = std::ranges::find(silver, source.table, &TableSpec::name);
      if (spec == silver.end()) {
        return Fail(
            ErrorKind::kInvalidArgument,
            fmt::format("{} reads {}, which is no silver table", model.table, source.table));
      }
      relations.push_back(EmptyRelation(*spec));
    }
    auto columns = DescribeColumns(connection, BindSources(model, relations, no_links));
    if (!columns)
      return Because(std::move(columns).error(), fmt::format("model of {}", model.table));
    std::string path = model.table;
    std::ranges::replace(path, '.', '/');
    specs.push_back({model.table, path, std::move(*columns), model.key, model.clustered_by, true});
  }
  return specs;
}

}  // namespace vitalake::lake
