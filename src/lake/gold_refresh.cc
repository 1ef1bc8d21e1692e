// 1. A table without files: the model's rows go straight to sorted files.
// 2. Else the model's rows (all, or those of the persons touched) are joined with the table's by
//    key; what differs on the two sides is the difference.
// 3. The files that hold an old side of it are replaced: in place where every row stays
//    (file_rewrite.h), else what they keep and the new sides. New rows join the smallest of them
//    as long as it is small, else they get files of their own.
// 4. The difference is the change feed.
#include "lake/gold_refresh.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/relation.h"
#include "lake/file_rewrite.h"
#include "lake/sql_text.h"
#include "lake/step_times.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

constexpr int64_t kRowsPerGroup = 20'480;

constexpr std::string_view kDifference = "gold_difference";

std::string TxnApp(const GoldModel& model, const GoldSource& source) {
  return fmt::format("gold/{}/{}", model.table, source.table);
}

// Writes what a refresh changes in one table.
class RewriteMaker {
 public:
  RewriteMaker(Lake& lake, engine::Connection& connection, const GoldModel& model,
               const GoldSources& sources, const delta::SnapshotPtr& snapshot,
               const std::filesystem::path& folder, StepTimes& times, const Wait& wait)
      : lake_(lake),
        connection_(connection),
        model_(model),
        sources_(sources),
        snapshot_(snapshot),
        files_(lake.Files(snapshot, model.table)),
        folder_(folder),
        times_(times),
        wait_(wait),
        columns_(ColumnNames(*snapshot)) {}

  Result<Rewrite> WriteAll();
  Result<Rewrite> WriteDifference(bool touched_only);

 private:
  Status FindDifference(bool touched_only);
  Status CountDifference(Rewrite& rewrite);
  Result<std::vector<engine::WrittenFile>> WriteData(const std::string& select);
  Result<std::vector<engine::WrittenFile>> WriteChanges();
  std::string TargetOfInserted(const Rewrite& counted) const;
  Status SplitDifference(const std::string& target);
  // One side of the difference under the table's column names; `side` is 'o'ld or 'n'ew.
  std::string Side(char side) const;
  static std::string SideName(char side, size_t column) {
    return fmt::format("{}{}", side, column);
  }

  Lake& lake_;
  engine::Connection& connection_;
  const GoldModel& model_;
  const GoldSources& sources_;
  const delta::SnapshotPtr& snapshot_;
  const engine::TableFiles files_;
  const std::filesystem::path& folder_;
  StepTimes& times_;
  const Wait& wait_;
  const std::vector<std::string> columns_;
};

Result<std::vector<engine::WrittenFile>> RewriteMaker::WriteData(const std::string& select) {
  engine::ParquetOptions options;
  options.max_rows_per_file = kGoldRowsPerFile;
  options.row_group_rows = kRowsPerGroup;
  options.stats_columns = model_.clustered_by;
  options.sort_by = model_.clustered_by;
  return engine::WriteParquet(connection_, select, folder_, options, wait_);
}

Result<Rewrite> RewriteMaker::WriteAll() {
  Rewrite rewrite;
  VL_TRY(const std::string rows, sources_.ModelSql(model_, false));
  VL_TRY(rewrite.data, WriteData(fmt::format("SELECT {} FROM ({}\n)", NameList(columns_), rows)));
  for (const engine::WrittenFile& file : rewrite.data) rewrite.inserted += file.rows;
  times_.Done("files");
  return rewrite;
}

Status RewriteMaker::FindDifference(bool touched_only) {
  VL_TRY(const std::string rows, sources_.ModelSql(model_, touched_only));
  engine::RelationOptions options;
  options.with_positions = true;
  std::string table;
  if (touched_only) {
    VL_TRY(table, sources_.TouchedRowsSql(files_, model_.person_column, model_.day_column,
                                          std::move(options)));
  } else {
    VL_TRY(table, engine::RelationSql(files_, options));
  }
  std::string sides;
  std::string differs;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string name = engine::QuoteName(columns_[i]);
    sides += fmt::format(", o.{0} AS {1}, n.{0} AS {2}", name, SideName('o', i), SideName('n', i));
    differs += fmt::format("{0}o.{1} IS DISTINCT FROM n.{1}", i == 0 ? "" : " OR ", name);
  }
  return RunSql(
      connection_,
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT o._file AS file, "
                  "o._row AS place, coalesce(n._new, false) AS has_new{} "
                  "FROM ({}) o FULL JOIN (SELECT true AS _new, m.* FROM ({}\n) m) n ON {} WHERE {}",
                  kDifference, sides, table, rows, SameKey(model_.key, "o", "n"), differs),
      wait_);
}

Status RewriteMaker::CountDifference(Rewrite& rewrite) {
  VL_TRY(engine::QueryResult counts,
         connection_.Query(
             fmt::format("SELECT file, count(*) FILTER (file IS NULL), "
                         "count(*) FILTER (file IS NOT NULL AND has_new), "
                         "count(*) FILTER (NOT has_new) FROM {} GROUP BY file ORDER BY file",
                         kDifference),
             {}, wait_));
  for (;;) {
    VL_TRY(const bool more, counts.Next());
    if (!more) return {};
    if (!counts.IsNull(0)) rewrite.replaced.emplace_back(counts.GetString(0));
    rewrite.inserted += counts.GetInt64(1);
    rewrite.updated += counts.GetInt64(2);
    rewrite.deleted += counts.GetInt64(3);
  }
}

std::string RewriteMaker::Side(char side) const {
  std::string out;
  for (size_t i = 0; i < columns_.size(); ++i) {
    out += fmt::format("{}{} AS {}", i == 0 ? "" : ", ", SideName(side, i),
                       engine::QuoteName(columns_[i]));
  }
  return out;
}

// The file to be replaced that new rows go into, "" when there is none with room for them.
std::string RewriteMaker::TargetOfInserted(const Rewrite& counted) const {
  std::string target;
  int64_t fewest = kGoldRowsPerFile - counted.inserted;
  for (const std::string& path : counted.replaced) {
    const auto rows = snapshot_->FindFile(path)->NumRecords();
    if (!rows || *rows > fewest) continue;
    fewest = *rows;
    target = path;
  }
  return target;
}

// The tables that FileRewriter wants.
Status RewriteMaker::SplitDifference(const std::string& target) {
  return RunSql(
      connection_,
      fmt::format(
          "CREATE OR REPLACE TEMP TABLE old_row AS SELECT file AS _file, place AS _row, {0} "
          "FROM {2} WHERE file IS NOT NULL; "
          "CREATE OR REPLACE TEMP TABLE new_row AS SELECT _target IS NOT NULL AS _known, "
          "_target, {1} FROM (SELECT *, coalesce(file, nullif({3}, '')) AS _target "
          "FROM {2} WHERE has_new)",
          Side('o'), Side('n'), kDifference, engine::QuoteLiteral(target)),
      wait_);
}

Result<std::vector<engine::WrittenFile>> RewriteMaker::WriteChanges() {
  engine::ParquetOptions options;
  options.name_prefix = "cdc";
  return engine::WriteParquet(
      connection_,
      fmt::format("SELECT {0}, CASE WHEN has_new THEN 'update_preimage' ELSE 'delete' END "
                  "AS _change_type FROM {2} WHERE file IS NOT NULL "
                  "UNION ALL SELECT {1}, CASE WHEN file IS NULL THEN 'insert' "
                  "ELSE 'update_postimage' END FROM {2} WHERE has_new",
                  Side('o'), Side('n'), kDifference),
      folder_, options, wait_);
}

Result<Rewrite> RewriteMaker::WriteDifference(bool touched_only) {
  Rewrite rewrite;
  VL_RETURN_IF_ERROR(FindDifference(touched_only));
  times_.Done("difference");
  VL_RETURN_IF_ERROR(CountDifference(rewrite));
  if (rewrite.inserted + rewrite.updated + rewrite.deleted == 0) return rewrite;
  const std::string target = TargetOfInserted(rewrite);
  if (target.empty() && rewrite.inserted > 0) {
    VL_TRY(rewrite.data,
           WriteData(fmt::format("SELECT {} FROM {} WHERE file IS NULL", Side('n'), kDifference)));
  }
  if (rewrite.replaced.empty()) return rewrite;  // files only added are their own change feed
  rewrite.replaced.clear();
  VL_RETURN_IF_ERROR(SplitDifference(target));
  times_.Done("split");
  SilverView view;
  view.table = model_.table;
  view.clustered_by = model_.clustered_by;
  view.row_key = model_.key;
  VL_TRY([[maybe_unused]] const auto successors,
         FileRewriter(lake_, view, snapshot_, connection_, wait_).Run(folder_, rewrite));
  times_.Done("files");
  VL_TRY(rewrite.changes, WriteChanges());
  times_.Done("changes");
  return rewrite;
}

}  // namespace

CommitNote SourceNote(const GoldModel& model, const GoldSources& sources) {
  CommitNote note;
  for (const GoldSource& source : model.sources) {
    note.txns[TxnApp(model, source)] = sources.Version(source.table);
  }
  return note;
}

std::optional<int64_t> SeenVersion(const delta::Snapshot& gold, const GoldModel& model,
                                   const GoldSource& source) {
  return gold.FindTxn(TxnApp(model, source));
}

Result<std::optional<GoldResult>> RefreshModel(Lake& lake, engine::Connection& connection,
                                               const GoldModel& model, const GoldSources& sources,
                                               delta::Table& table,
                                               const delta::SnapshotPtr& snapshot,
                                               bool touched_only, const Wait& wait) {
  VL_RETURN_IF_ERROR(wait.Check(lake.clock(), fmt::format("refreshing {}", model.table)));
  VL_TRY(const Lake::WorkFolder folder, lake.MakeWorkFolder("gold"));
  StepTimes times(lake.clock(), fmt::format("refresh of {}", model.table));
  RewriteMaker maker(lake, connection, model, sources, snapshot, folder.path(), times, wait);
  auto rewrite = snapshot->files().empty() && !touched_only ? maker.WriteAll()
                                                            : maker.WriteDifference(touched_only);
  if (!rewrite) return std::unexpected(std::move(rewrite).error());
  VL_TRY(const auto version,
         CommitRewrite(lake, table, snapshot, *rewrite, SourceNote(model, sources), wait));
  times.Done("commit");
  if (!version) return std::nullopt;
  GoldResult result;
  result.table = model.table;
  result.full = !touched_only;
  result.keys_touched = touched_only ? sources.touched() : 0;
  result.rows_inserted = rewrite->inserted;
  result.rows_updated = rewrite->updated;
  result.rows_deleted = rewrite->deleted;
  result.version = version->value;
  for (const GoldSource& source : model.sources) {
    result.source_versions[source.table] = sources.Version(source.table);
  }
  return result;
}

}  // namespace vitalake::lake
