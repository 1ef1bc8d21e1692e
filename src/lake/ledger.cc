#include "lake/ledger.h"

#include <fmt/format.h>

#include "engine/column_appender.h"
#include "engine/relation.h"
#include "lake/catalogue.h"
#include "lake/cell_row.h"
#include "lake/sql_text.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

using engine::QuoteLiteral;

const TableSpec& LedgerSpec() { return FixedTable("ops.ledger"); }

LedgerFile ReadFile(const engine::QueryResult& row) {
  LedgerFile file;
  file.ordinal = row.GetInt64(2);
  file.path = row.GetString(3);
  file.source = row.GetString(4);
  file.sha256 = row.GetString(5);
  file.bytes = row.GetInt64(6);
  file.modified_at = row.GetInt64(7);
  file.received_at = row.GetInt64(8);
  file.bronze_path = row.GetString(9);
  file.id_space = row.GetString(10);
  file.key_mode = row.GetString(11);
  file.message = row.GetString(12);
  return file;
}

}  // namespace

Result<std::string> Ledger::Relation(bool with_positions) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest("ops.ledger"));
  return engine::RelationSql(lake_.Files(snapshot, "ops.ledger"),
                             {.with_positions = with_positions});
}

// Fills the temporary table ledger_row.
Status Ledger::WriteRows(engine::Connection& connection, const LedgerRun& run,
                         const std::map<int64_t, OutcomeCounts>* counts) {
  std::vector<view::ColumnSpec> columns;
  std::vector<view::ColumnType> types;
  for (const TableColumn& column : LedgerSpec().columns) {
    types.push_back(column.type == "string"      ? view::ColumnType::kVarchar
                    : column.type == "timestamp" ? view::ColumnType::kTimestamp
                                                 : view::ColumnType::kBigint);
    columns.push_back({column.name, types.back(), "", ""});
  }
  VL_RETURN_IF_ERROR(connection.Execute("DROP TABLE IF EXISTS temp.ledger_row"));
  std::string create = engine::CreateTableSql("ledger_row", columns);
  create.replace(0, std::string_view("CREATE ").size(), "CREATE TEMP ");
  VL_RETURN_IF_ERROR(connection.Execute(create));
  VL_TRY(auto appender, engine::ColumnAppender::Make(connection, "ledger_row", types));
  CellRow row;
  const Micros now = lake_.clock().NowMicros();
  for (const LedgerFile& file : run.files) {
    row.Clear();
    row.Text(run.run.value).Text(file.source).Text(file.path);
    if (counts != nullptr) {
      const OutcomeCounts& c = counts->at(file.ordinal);
      if (!c.Balances()) {
        return Fail(ErrorKind::kInternal,
                    fmt::format("the counts of {} do not balance: received {}, written {}, "
                                "superseded {}, duplicate {}, quarantined {}, out of scope {}",
                                file.path, c.received, c.written, c.superseded, c.duplicate,
                                c.quarantined, c.out_of_scope));
      }
      row.Int(c.received).Int(c.written).Int(c.superseded).Int(c.duplicate).Int(c.quarantined);
      row.Int(c.out_of_scope);
    } else {
      for (int i = 0; i < 6; ++i) row.Null();
    }
    row.Int(file.bytes).Int(run.started_at);
    row.Int(counts != nullptr ? std::optional<int64_t>(now) : std::nullopt);
    row.Int(file.ordinal).TextOrNull(file.sha256).TextOrNull(file.bronze_path);
    row.Int(file.modified_at).Int(file.received_at).Text(file.id_space).Text(file.key_mode);
    row.TextOrNull(file.message);
    VL_RETURN_IF_ERROR(appender.Append(row.cells()));
  }
  return appender.Close();
}

Status Ledger::OpenRun(const LedgerRun& run, const Wait& wait) {
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_RETURN_IF_ERROR(WriteRows(connection, run, nullptr));
  CommitNote note;
  note.info["run"] = fmt::format("\"{}\"", run.run.value);
  auto done = AppendRows(lake_, connection, LedgerSpec(), "SELECT * FROM ledger_row", note, wait);
  if (!done) return Because(std::move(done).error(), "opening the run in the ledger");
  return {};
}

Result<std::vector<LedgerRun>> Ledger::FindOpenRuns() {
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(const std::string relation, Relation(false));
  VL_TRY(engine::QueryResult rows,
         connection.Query(fmt::format(
             "SELECT run, started_at, ordinal, range, source, sha256, bytes, modified_at, "
             "received_at, bronze_path, id_space, key_mode, message FROM ({}) "
             "WHERE finished_at IS NULL ORDER BY run, ordinal",
             relation)));
  std::vector<LedgerRun> runs;
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return runs;
    if (runs.empty() || runs.back().run.value != rows.GetString(0)) {
      runs.push_back({RunId{std::string(rows.GetString(0))}, rows.GetInt64(1), {}});
    }
    runs.back().files.push_back(ReadFile(rows));
  }
}

Result<std::set<int64_t>> Ledger::KnownSizes() {
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(const std::string relation, Relation(false));
  VL_TRY(engine::QueryResult rows,
         connection.Query(fmt::format("SELECT DISTINCT bytes FROM ({}) WHERE bytes IS NOT NULL "
                                      "AND bronze_path IS NOT NULL",
                                      relation)));
  std::set<int64_t> sizes;
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return sizes;
    sizes.insert(rows.GetInt64(0));
  }
}

Result<std::set<Ledger::TakenFile>> Ledger::TakenFiles() {
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(const std::string relation, Relation(false));
  VL_TRY(
      engine::QueryResult rows,
      connection.Query(fmt::format("SELECT range, bytes, modified_at FROM ({}) WHERE finished_at "
                                   "IS NOT NULL AND sha256 IS NOT NULL",
                                   relation)));
  std::set<TakenFile> files;
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return files;
    files.insert({std::string(rows.GetString(0)), rows.GetInt64(1), rows.GetInt64(2)});
  }
}

Result<std::map<int64_t, KnownFile>> Ledger::FindKnown(const std::vector<LedgerFile>& files) {
  std::map<int64_t, KnownFile> known;
  std::map<std::string, std::vector<const LedgerFile*>> by_hash;
  for (const LedgerFile& file : files) {
    if (!file.sha256.empty()) by_hash[file.sha256].push_back(&file);
  }
  if (by_hash.empty()) return known;
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(const std::string relation, Relation(false));
  VL_TRY(engine::QueryResult rows,
         connection.Query(fmt::format("SELECT sha256, source, coalesce(id_space, ''), run, range, "
                                      "received FROM ({}) WHERE finished_at IS NOT NULL "
                                      "AND bronze_path IS NOT NULL",
                                      relation)));
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return known;
    const auto same = by_hash.find(std::string(rows.GetString(0)));
    if (same == by_hash.end()) continue;
    for (const LedgerFile* file : same->second) {
      if (rows.GetString(1) != file->source || rows.GetString(2) != file->id_space) continue;
      KnownFile& entry = known[file->ordinal];
      entry.run = rows.GetString(3);
      entry.path = rows.GetString(4);
      entry.counts.received = entry.counts.duplicate = rows.GetInt64(5);
    }
  }
}

Status Ledger::CloseRun(const LedgerRun& run, const std::map<int64_t, OutcomeCounts>& counts,
                        const Wait& wait) {
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_RETURN_IF_ERROR(WriteRows(connection, run, &counts));
  VL_TRY(delta::Table* const table, lake_.OpenTable("ops.ledger"));
  for (;;) {
    VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "closing the run in the ledger"));
    VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
    VL_TRY(const std::string rows,
           engine::RelationSql(lake_.Files(snapshot, "ops.ledger"), {.with_positions = true}));
    VL_TRY(const std::vector<std::string> replaced,
           ReadStrings(connection,
                       fmt::format("SELECT DISTINCT _file FROM ({}) WHERE run = {}", rows,
                                   QuoteLiteral(run.run.value)),
                       wait));
    std::string select = "SELECT * FROM ledger_row";
    if (!replaced.empty()) {
      VL_TRY(const std::string old,
             engine::RelationSql(lake_.Files(snapshot, "ops.ledger"), {.files = replaced}));
      select += fmt::format(" UNION ALL BY NAME SELECT * FROM ({}) WHERE run <> {}", old,
                            QuoteLiteral(run.run.value));
    }
    VL_TRY(const Lake::WorkFolder folder, lake_.MakeWorkFolder("ledger"));
    engine::ParquetOptions options;
    options.stats_columns = LedgerSpec().clustered_by;
    VL_TRY(const auto written,
           engine::WriteParquet(connection, select, folder.path(), options, wait));
    VL_TRY(const std::vector<std::string> paths, Publish(*table, written));
    delta::Transaction transaction(*table, snapshot);
    transaction.ReadFiles(replaced);
    transaction.SetIsolation(delta::Isolation::kWriteSerializable);
    transaction.SetOperation("MERGE");
    transaction.SetUserInfo("run", fmt::format("\"{}\"", run.run.value));
    for (size_t i = 0; i < written.size(); ++i) transaction.Add(AddOf(written[i], paths[i]));
    for (const std::string& path : replaced) transaction.Remove(path);
    VL_TRY(const delta::CommitResult result, transaction.Commit(wait));
    if (const auto* committed = std::get_if<delta::Committed>(&result)) {
      CheckpointIfDue(lake_, *table, *committed);
      return {};
    }
    Unpublish(*table, paths);
  }
}

Status Ledger::AppendFinished(const LedgerRun& run, const std::map<int64_t, OutcomeCounts>& counts,
                              const CommitNote& note, const Wait& wait) {
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_RETURN_IF_ERROR(WriteRows(connection, run, &counts));
  auto done = AppendRows(lake_, connection, LedgerSpec(), "SELECT * FROM ledger_row", note, wait);
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

}  // namespace vitalake::lake
