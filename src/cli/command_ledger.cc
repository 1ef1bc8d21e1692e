#include <fmt/format.h>

#include "cli/command.h"
#include "lake/queries.h"

namespace vitalake::cli {
namespace {

struct LedgerOptions {
  std::string run;
  RowOptions rows;
};

Result<int> ShowLedger(Context& context, const LedgerOptions& options) {
  VL_TRY(lake::Lake * lake, context.existing_lake());
  VL_TRY(auto session, lake::OpenSqlSession(*lake));
  std::string where = options.run.empty()
                          ? std::string()
                          : fmt::format(" WHERE run = {}", engine::QuoteLiteral(options.run));
  return GiveStatement(
      context, *session,
      fmt::format("SELECT run, source, range, received, written, superseded, duplicate, "
                  "quarantined, out_of_scope, bytes, started_at, finished_at "
                  "FROM ops.ledger{} ORDER BY started_at, run, range",
                  where),
      options.rows);
}

}  // namespace

void AddLedgerCommand(CommandLine& line) {
  auto options = std::make_shared<LedgerOptions>();
  CLI::App* command =
      line.Add(nullptr, "ledger", "What came in, and what became of it, per file",
               [options](Context& context) { return ShowLedger(context, *options); });
  command->add_option("--run", options->run, "Only this run [all]")->type_name("ID");
  AddRowOptions(command, options->rows);
  AddExamples(command, {"ledger", "ledger --run 20261122T170000Z-3f9c0a7d --format csv"});
}

}  // namespace vitalake::cli
