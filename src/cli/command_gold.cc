#include <fmt/format.h>

#include <chrono>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/row_list.h"
#include "lake/gold.h"

namespace vitalake::cli {
namespace {

struct GoldOptions {
  bool full = false;
  RowOptions rows;
};

std::string ResultsJson(const std::vector<lake::GoldResult>& results, double seconds) {
  JsonWriter writer;
  writer.BeginObject().Key("seconds").Double(seconds).Key("tables").BeginArray();
  for (const lake::GoldResult& result : results) {
    writer.BeginObject().Key("table").String(result.table).Key("full").Bool(result.full);
    writer.Key("version").Int(result.version).Key("persons").Int(result.keys_touched);
    writer.Key("rows_inserted").Int(result.rows_inserted);
    writer.Key("rows_updated").Int(result.rows_updated);
    writer.Key("rows_deleted").Int(result.rows_deleted).EndObject();
  }
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

Result<int> RefreshGoldTables(Context& context, const GoldOptions& options) {
  VL_TRY(lake::Lake * lake, context.existing_lake());
  lake->SweepLeftovers();
  const auto begin = context.clock().Steady();
  VL_TRY(const auto results, lake::RefreshGold(*lake, options.full, context.wait()));
  const double seconds = std::chrono::duration<double>(context.clock().Steady() - begin).count();
  if (context.json()) {
    VL_RETURN_IF_ERROR(WriteStdout(ResultsJson(results, seconds)));
    return kExitDone;
  }
  RowList rows({{"table"},
                {"version", "BIGINT"},
                {"computed"},
                {"inserted", "BIGINT"},
                {"updated", "BIGINT"},
                {"deleted", "BIGINT"}});
  for (const lake::GoldResult& result : results) {
    rows.Add({result.table, Cell(result.version),
              result.full ? "all" : fmt::format("{} persons", result.keys_touched),
              Cell(result.rows_inserted), Cell(result.rows_updated), Cell(result.rows_deleted)});
  }
  if (rows.empty()) {
    Say("gold is up to date");
    return kExitDone;
  }
  return GiveRows(context, rows.ToSql(), options.rows);
}

}  // namespace

void AddGoldCommand(CommandLine& line) {
  auto options = std::make_shared<GoldOptions>();
  CLI::App* command =
      line.Add(nullptr, "gold", "Bring the gold tables up to date (every ingest does)",
               [options](Context& context) { return RefreshGoldTables(context, *options); });
  command->add_flag("--full", options->full,
                    "Compute everything anew, as after a change of a model");
  AddRowOptions(command, options->rows);
  AddExamples(command, {"gold", "gold --full"});
}

}  // namespace vitalake::cli
