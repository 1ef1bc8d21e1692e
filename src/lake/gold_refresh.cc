// 1. A table without files: the model's rows go straight to sorted files.
// 2. Else the model's rows (all, or those of the persons touched) are joined with the table's by
//    key; what differs on the two sides is the difference.
// 3. The files that hold an old side of it are replaced: spliced where every row stays in its place
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
        columns_(ColumnNames(*snapshot)),
        difference_(sources.Relation("difference of " + model.table)) {}
  RewriteMaker(const RewriteMaker&) = delete;
  RewriteMaker& operator=(const RewriteMaker&) = delete;
  // Only memory is at stake: the schema goes with the sources.
  ~RewriteMaker() { (void)connection_.Execute("DROP TABLE IF EXISTS " + difference_); }

  Result<Rewrite> WriteAll();
  Result<Rewrite> WriteDifference(bool touched_only);

 private:
  // A file with an old side of the difference.
  struct OldFile {
    InPlaceChange change;
    bool in_place = false;
  };

  Status FindDifference(bool touched_only);
  Result<std::vector<OldFile>> SumUpDifference(Rewrite& rewrite);
  Status ReplaceFiles(std::vector<OldFile> files, Rewrite& rewrite);
  Result<std::vector<engine::WrittenFile>> WriteData(const std::string& select);
  Result<std::vector<engine::WrittenFile>> WriteChanges();
  std::string TargetOfInserted(const std::vector<OldFile>& files, int64_t inserted) const;
  Status SplitDifference(const std::string& target, const std::vector<std::string>& spliced);
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
  const std::string difference_;  // a table that all connections see
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
      fmt::format("CREATE TABLE {} AS SELECT o._file AS file, "
                  "o._row AS place, coalesce(n._new, false) AS has_new{} "
                  "FROM ({}) o FULL JOIN (SELECT true AS _new, m.* FROM ({}\n) m) n ON {} WHERE {}",
                  difference_, sides, table, rows, SameKey(model_.key, "o", "n"), differs),
      wait_);
}

// Counts what goes and comes, and finds what changes in each file.
Result<std::vector<RewriteMaker::OldFile>> RewriteMaker::SumUpDifference(Rewrite& rewrite) {
  std::vector<std::string> of_old, of_new;
  for (size_t i = 0; i < columns_.size(); ++i) {
    of_old.push_back(SideName('o', i));
    of_new.push_back(SideName('n', i));
  }
  VL_TRY(engine::QueryResult rows,
         connection_.Query(fmt::format("SELECT file, count(*) FILTER (has_new), "
                                       "count(*) FILTER (NOT has_new){} FROM {} GROUP BY file "
                                       "ORDER BY file",
                                       ChangedColumns::Select(of_old, of_new), difference_),
                           {}, wait_));
  std::vector<OldFile> files;
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return files;
    if (rows.IsNull(0)) {
      rewrite.inserted = rows.GetInt64(1);
      continue;
    }
    rewrite.updated += rows.GetInt64(1);
    rewrite.deleted += rows.GetInt64(2);
    OldFile& file = files.emplace_back();
    file.change.path = rows.GetString(0);
    ChangedColumns changed = ChangedColumns::Read(rows, 3, columns_, model_.clustered_by);
    file.change.columns = std::move(changed.names);
    file.in_place = changed.in_order && rows.GetInt64(2) == 0;
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
std::string RewriteMaker::TargetOfInserted(const std::vector<OldFile>& files,
                                           int64_t inserted) const {
  std::string target;
  if (inserted == 0) return target;
  int64_t fewest = kGoldRowsPerFile - inserted;
  for (const OldFile& file : files) {
    const auto rows = snapshot_->FindFile(file.change.path)->NumRecords();
    if (!rows || *rows > fewest) continue;
    fewest = *rows;
    target = file.change.path;
  }
  return target;
}

// The tables that FileRewriter wants, of all files but those spliced.
Status RewriteMaker::SplitDifference(const std::string& target,
                                     const std::vector<std::string>& spliced) {
  std::string rest = difference_;
  if (!spliced.empty()) {
    std::string paths;
    for (const std::string& path : spliced) {
      paths += (paths.empty() ? "" : ", ") + engine::QuoteLiteral(path);
    }
    rest = fmt::format("(FROM {} WHERE coalesce(file NOT IN ({}), true))", difference_, paths);
  }
  return RunSql(
      connection_,
      fmt::format(
          "CREATE OR REPLACE TEMP TABLE old_row AS SELECT file AS _file, place AS _row, {0} "
          "FROM {2} WHERE file IS NOT NULL; "
          "CREATE OR REPLACE TEMP TABLE new_row AS SELECT _target IS NOT NULL AS _known, "
          "_target, {1} FROM (SELECT *, coalesce(file, nullif({3}, '')) AS _target "
          "FROM {2} WHERE has_new)",
          Side('o'), Side('n'), rest, engine::QuoteLiteral(target)),
      wait_);
}

Status RewriteMaker::ReplaceFiles(std::vector<OldFile> files, Rewrite& rewrite) {
  SilverView view;
  view.table = model_.table;
  view.clustered_by = model_.clustered_by;
  view.row_key = model_.key;
  FileRewriter rewriter(lake_, view, snapshot_, connection_, wait_);
  const std::string target = TargetOfInserted(files, rewrite.inserted);
  std::vector<InPlaceChange> changes;
  for (OldFile& file : files) {
    if (!file.in_place || file.change.path == target) file.change.columns.clear();
    changes.push_back(std::move(file.change));
  }
  VL_TRY(auto spliced, rewriter.SpliceAll(changes,
                                          fmt::format("SELECT file AS _file, place AS _row, {} "
                                                      "FROM {} WHERE has_new",
                                                      Side('n'), difference_),
                                          folder_));
  times_.Done("splice");
  std::vector<std::string> done;
  for (size_t i = 0; i < changes.size(); ++i) {
    if (!spliced[i]) continue;
    rewrite.data.push_back(*std::move(spliced[i]));
    done.push_back(changes[i].path);
  }
  if (done.size() < changes.size()) {
    VL_RETURN_IF_ERROR(SplitDifference(target, done));
    VL_TRY([[maybe_unused]] const auto successors, rewriter.Run(folder_, rewrite));
    times_.Done("files");
  }
  std::ranges::move(done, std::back_inserter(rewrite.replaced));
  if (target.empty() && rewrite.inserted > 0) {
    VL_TRY(auto written,
           WriteData(fmt::format("SELECT {} FROM {} WHERE file IS NULL", Side('n'), difference_)));
    std::ranges::move(written, std::back_inserter(rewrite.data));
  }
  return {};
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
                  Side('o'), Side('n'), difference_),
      folder_, options, wait_);
}

Result<Rewrite> RewriteMaker::WriteDifference(bool touched_only) {
  Rewrite rewrite;
  VL_RETURN_IF_ERROR(FindDifference(touched_only));
  VL_TRY(auto files, SumUpDifference(rewrite));
  times_.Done("difference");
  if (rewrite.inserted + rewrite.updated + rewrite.deleted == 0) return rewrite;
  VL_RETURN_IF_ERROR(ReplaceFiles(std::move(files), rewrite));
  if (rewrite.replaced.empty()) return rewrite;  // files only added are their own change feed
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
