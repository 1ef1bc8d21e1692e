#include "cli/command.h"
#include "cli/shell.h"
#include "lake/queries.h"

namespace vitalake::cli {
namespace {

struct SqlOptions {
  std::optional<std::string> query;
  RowOptions rows;
};

Result<int> RunSql(Context& context, const SqlOptions& options) {
  VL_TRY(lake::Lake * lake, context.lake());
  VL_TRY(auto session, lake::OpenSqlSession(*lake));
  if (!options.query) return RunShell(context, *lake, *session, options.rows);
  return GiveStatement(context, *session, *options.query, options.rows);
}

}  // namespace

void AddSqlCommand(CommandLine& line) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* command =
      line.Add(nullptr, "sql", "One SQL statement, or (without one) an interactive shell",
               [options](Context& context) { return RunSql(context, *options); });
  command->add_option("QUERY", options->query,
                      "A SELECT over bronze.*, silver.*, gold.*, ops.* [read from standard input]");
  AddRowOptions(command, options->rows);
  AddExamples(command,
              {"sql \"SELECT family_name, avg_systolic_pressure FROM gold.patient_observations\"",
               "sql \"SELECT * FROM silver.patient AT (VERSION => 3)\" --format csv -o old.csv",
               "sql < report.sql", "sql"});
}

}  // namespace vitalake::cli
