#include <fmt/format.h>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/row_list.h"
#include "cli/table_about.h"
#include "cli/table_source.h"
#include "engine/relation.h"
#include "lake/sql_views.h"

namespace vitalake::cli {
namespace {

struct TableOptions {
  std::string table;
  RowOptions rows;
  std::optional<int64_t> version;
  std::string timestamp;
  std::vector<std::string> columns;
  std::string where;
  std::optional<int64_t> limit;
  int64_t from = 0;
  std::optional<int64_t> to;
};

RowCell CellOf(std::optional<int64_t> value) { return value ? Cell(*value) : RowCell(); }

Result<std::vector<RowCell>> ListRow(lake::Lake& lake, const lake::TableSpec& spec) {
  auto snapshot = lake.Latest(spec.name);
  if (!snapshot && snapshot.error().kind == ErrorKind::kNotFound) {
    return std::vector<RowCell>{spec.name, {}, {}, {}, {}, {}, "table"};
  }
  if (!snapshot) return Because(std::move(snapshot).error(), "table " + spec.name);
  return std::vector<RowCell>{spec.name,
                              Cell((*snapshot)->version().value),
                              CellOf((*snapshot)->NumRecords()),
                              Cell(static_cast<int64_t>((*snapshot)->files().size())),
                              Cell((*snapshot)->size_bytes()),
                              FormatUtc((*snapshot)->timestamp()),
                              "table"};
}

Result<int> List(Context& context, const TableOptions& options) {
  VL_TRY(lake::Lake * lake, context.existing_lake());
  VL_TRY(auto catalogue, lake->Catalogue());
  RowList rows({{"table"},
                {"version", "BIGINT"},
                {"rows", "BIGINT"},
                {"files", "BIGINT"},
                {"bytes", "BIGINT"},
                {"changed", "TIMESTAMPTZ"},
                {"kind"}});
  for (const lake::TableSpec* spec : catalogue) {
    VL_TRY(std::vector<RowCell> row, ListRow(*lake, *spec));
    rows.Add(std::move(row));
  }
  VL_TRY(auto views, lake::SqlViews(*lake));
  for (const auto& [name, sql] : views) rows.Add({name, {}, {}, {}, {}, {}, "view"});
  return GiveRows(context, rows.ToSql(), options.rows);
}

Result<int> Show(Context& context, const TableOptions& options) {
  VL_TRY(auto source, TableSource::Open(context, options.table));
  VL_TRY(delta::SnapshotPtr snapshot, options.version
                                          ? source->table().At(Version{*options.version})
                                          : source->table().Latest());
  if (!options.rows.format.empty() && options.rows.format != "table") {
    return GiveRows(context, ColumnRows(*snapshot).ToSql(), options.rows);
  }
  if (context.json()) {
    VL_RETURN_IF_ERROR(WriteStdout(TableAboutJson(*source, options.table, *snapshot)));
    return kExitDone;
  }
  if (options.rows.file.empty()) {
    VL_RETURN_IF_ERROR(WriteStdout(TableAboutText(*source, options.table, *snapshot) + "\n"));
  }
  return GiveRows(context, ColumnRows(*snapshot).ToSql(), options.rows);
}

std::string ToJson(const delta::StringMap& map) {
  JsonWriter writer;
  writer.BeginObject();
  for (const auto& [name, value] : map) writer.Key(name).String(value);
  return writer.EndObject().Take();
}

Result<int> History(Context& context, const TableOptions& options) {
  VL_TRY(auto source, TableSource::Open(context, options.table));
  auto limit = static_cast<size_t>(options.limit.value_or(std::numeric_limits<int64_t>::max()));
  VL_TRY(std::vector<delta::HistoryEntry> entries, source->table().History(limit));
  RowList rows({{"version", "BIGINT"},
                {"timestamp", "TIMESTAMPTZ"},
                {"operation"},
                {"metrics", "JSON"},
                {"parameters", "JSON"}});
  for (const delta::HistoryEntry& entry : entries) {
    rows.Add({Cell(entry.version.value), FormatUtc(entry.timestamp), entry.operation,
              ToJson(entry.metrics), ToJson(entry.parameters)});
  }
  return GiveRows(context, rows.ToSql(), options.rows);
}

std::string ReadStatement(const TableSource& source, const TableOptions& options) {
  std::string columns = options.columns.empty() ? "*" : "";
  for (const std::string& column : options.columns) {
    columns += (columns.empty() ? "" : ", ") + engine::QuoteName(column);
  }
  std::string sql = fmt::format("SELECT {} FROM {}", columns, source.sql_name());
  if (options.version) sql += fmt::format(" AT (VERSION => {})", *options.version);
  if (!options.timestamp.empty()) {
    sql += fmt::format(" AT (TIMESTAMP => {})", engine::QuoteLiteral(options.timestamp));
  }
  if (!options.where.empty()) sql += fmt::format(" WHERE ({}\n)", options.where);
  if (options.limit) sql += fmt::format(" LIMIT {}", *options.limit);
  return sql;
}

Result<bool> IsTime(Context& context, const std::string& text) {
  VL_TRY(lake::Lake * lake, context.lake());
  VL_TRY(engine::Connection connection, lake->engine().Connect());
  VL_TRY(const int64_t times,
         connection.ScalarInt("SELECT count(TRY_CAST(? AS TIMESTAMPTZ))", {text}));
  return times == 1;
}

Result<int> Read(Context& context, const TableOptions& options) {
  if (!options.timestamp.empty()) {
    VL_TRY(const bool is_time, IsTime(context, options.timestamp));
    if (!is_time) {
      return Usage(context, fmt::format("--timestamp {} is no time; write it like "
                                        "2026-11-22T17:00:00Z",
                                        options.timestamp));
    }
  }
  VL_TRY(auto source, TableSource::OpenForReading(context, options.table));
  VL_TRY(engine::SqlSession * session, source->session());
  return GiveStatement(context, *session, ReadStatement(*source, options), options.rows);
}

Result<int> Changes(Context& context, const TableOptions& options) {
  VL_TRY(auto source, TableSource::Open(context, options.table));
  VL_TRY(delta::SnapshotPtr latest, source->table().Latest());
  Version last{options.to.value_or(latest->version().value)};
  if (options.from > last.value) {
    return Usage(context, fmt::format("--from {} is later than {} {}", options.from,
                                      options.to ? "--to" : "the latest version,", last.value));
  }
  VL_TRY(std::vector<delta::ChangeFile> files,
         source->table().Changes(Version{options.from}, last));
  VL_TRY(delta::SnapshotPtr snapshot, source->table().At(last));
  VL_RETURN_IF_ERROR(engine::CheckChanges(source->FilesOf(snapshot), files, options.table));
  VL_TRY(std::string changes, engine::ChangesSql(source->FilesOf(snapshot), files));
  std::string sql = fmt::format("SELECT * FROM ({}) ORDER BY _commit_version", changes);
  return GiveRows(context, sql, options.rows);
}

CLI::App* AddTable(CommandLine& line, CLI::App* group, const std::string& name,
                   const std::string& description, const std::shared_ptr<TableOptions>& options,
                   Result<int> (*run)(Context&, const TableOptions&)) {
  CLI::App* command = line.Add(group, name, description,
                               [options, run](Context& context) { return run(context, *options); });
  if (name != "list") {
    command
        ->add_option("T", options->table,
                     "A name (silver.patient) or the folder of any Delta table")
        ->required();
  }
  AddRowOptions(command, options->rows);
  return command;
}

CLI::Option* AddNumber(CLI::App* command, const std::string& flag, std::optional<int64_t>& value,
                       const std::string& description) {
  return command->add_option(flag, value, description)
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
}

void AddReadCommand(CommandLine& line, CLI::App* group,
                    const std::shared_ptr<TableOptions>& options) {
  CLI::App* read = AddTable(line, group, "read", "Its rows, now or as they were", options, Read);
  CLI::Option* version =
      AddNumber(read, "--version", options->version, "As of this version [the latest]");
  read->add_option("--timestamp", options->timestamp, "As of this time, e.g. 2026-11-22T17:00:00Z")
      ->type_name("TIME")
      ->excludes(version);
  read->add_option("--columns", options->columns, "Only these, by comma [all]")
      ->type_name("A,B,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  read->add_option("--where", options->where, "SQL condition [all rows]")->type_name("SQL");
  AddNumber(read, "--limit", options->limit, "Most rows [all]");
  AddExamples(read,
              {"table read silver.patient --columns id,family_name --where \"gender = 'female'\"",
               "table read silver.patient --version 3 --format csv -o patients.csv",
               "table read /data/some/delta/table --limit 10"});
}

}  // namespace

void AddTableCommands(CommandLine& line) {
  CLI::App* group =
      line.AddGroup("table", "Tables: list, show, read, optimize, vacuum, verify, ...");
  auto options = std::make_shared<TableOptions>();
  CLI::App* list = AddTable(line, group, "list", "The tables and views of the lake", options, List);
  AddExamples(list, {"table list", "table list --format csv"});
  CLI::App* show = AddTable(line, group, "show", "Columns, size and properties", options, Show);
  AddNumber(show, "--version", options->version, "As of this version [the latest]");
  AddExamples(show, {"table show silver.patient", "table show ./exports/delta_table --json"});
  CLI::App* history =
      AddTable(line, group, "history", "Its commits, newest first", options, History);
  AddNumber(history, "--limit", options->limit, "Most commits [all]");
  AddExamples(history, {"table history silver.observation --limit 10"});
  AddReadCommand(line, group, options);
  CLI::App* changes = AddTable(
      line, group, "changes", "Rows inserted, updated, deleted between versions", options, Changes);
  changes->add_option("--from", options->from, "First version, included")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->required();
  AddNumber(changes, "--to", options->to, "Last version, included [the latest]");
  AddExamples(changes, {"table changes silver.patient --from 1",
                        "table changes silver.patient --from 1 --to 3 --json"});
  AddUpkeepCommands(line, group);
}

}  // namespace vitalake::cli
