#include <fmt/format.h>

#include "cli/command.h"
#include "cli/quantity.h"
#include "ingest/replay.h"
#include "lake/quarantine.h"

namespace vitalake::cli {
namespace {

struct QuarantineOptions {
  lake::QuarantineFilter filter;
  std::string key;
  RowOptions rows;
};

Result<int> List(Context& context, const QuarantineOptions& options) {
  VL_TRY(lake::Lake * lake, context.existing_lake());
  VL_TRY(engine::Connection connection, lake->engine().Connect());
  VL_TRY(engine::QueryResult result, lake::ListQuarantine(*lake, connection, options.filter));
  return GiveResult(context, connection, result, options.rows);
}

std::string OneByOne(engine::QueryResult& row) {
  std::string text;
  for (size_t i = 0; i < row.columns().size(); ++i) {
    if (!row.IsNull(i)) text += fmt::format("{:<13} {}\n", row.columns()[i].name, row.Text(i));
  }
  return text;
}

std::string OneObject(engine::QueryResult& row) {
  std::string text = "{";
  for (size_t i = 0; i < row.columns().size(); ++i) {
    text += fmt::format("{}\"{}\":", i ? "," : "", row.columns()[i].name);
    row.AppendJson(i, text);
  }
  return text + "}\n";
}

Result<int> Show(Context& context, QuarantineOptions& options) {
  options.filter.include_replayed = true;
  VL_TRY(lake::Lake * lake, context.existing_lake());
  VL_TRY(engine::Connection connection, lake->engine().Connect());
  VL_TRY(engine::QueryResult result, lake::ListQuarantine(*lake, connection, options.filter));
  VL_TRY(bool found, result.Next());
  if (!found) {
    return Fail(
        ErrorKind::kNotFound,
        fmt::format("nothing in quarantine has the id {}; `vitalake quarantine list --all` shows "
                    "what is there",
                    options.filter.id));
  }
  VL_RETURN_IF_ERROR(WriteStdout(context.json() ? OneObject(result) : OneByOne(result)));
  return kExitDone;
}

std::string ReplayText(const ingest::ReplaySummary& done) {
  if (done.selected == 0) return "Nothing in quarantine to replay.\n";
  return fmt::format(
      "{} tried: {} written, {} superseded, {} duplicate, {} out of scope, {} still refused{}\n",
      FormatCount(done.selected), FormatCount(done.counts.written),
      FormatCount(done.counts.superseded), FormatCount(done.counts.duplicate),
      FormatCount(done.counts.out_of_scope), FormatCount(done.still_refused),
      done.run.empty() ? "" : ", run " + done.run);
}

Result<int> Replay(Context& context, const QuarantineOptions& options) {
  VL_TRY(lake::Lake * lake, context.existing_lake());
  ingest::ReplayOptions replay;
  if (options.key == "id") replay.key = fhir::KeyRule::kId;
  if (options.key == "identifier") replay.key = fhir::KeyRule::kIdentifier;
  VL_TRY(ingest::ReplaySummary done,
         ingest::ReplayQuarantine(*lake, options.filter, replay, context.wait()));
  VL_RETURN_IF_ERROR(
      WriteStdout(context.json() ? ingest::ReplayJson(done) + "\n" : ReplayText(done)));
  return kExitDone;
}

}  // namespace

void AddQuarantineCommands(CommandLine& line) {
  CLI::App* group =
      line.AddGroup("quarantine", "Records that could not be used: list, show, replay");
  auto options = std::make_shared<QuarantineOptions>();
  CLI::App* list = line.Add(group, "list", "What is in quarantine, newest first",
                            [options](Context& context) { return List(context, *options); });
  list->add_option("--reason", options->filter.reason, "Only with this reason [any]")
      ->type_name("R");
  list->add_flag("--all", options->filter.include_replayed, "Also what was replayed since");
  AddRowOptions(list, options->rows);
  AddExamples(list, {"quarantine list", "quarantine list --reason key-conflict --format csv"});
  CLI::App* show = line.Add(group, "show", "One record with its payload",
                            [options](Context& context) { return Show(context, *options); });
  show->add_option("ID", options->filter.id, "As `quarantine list` shows it")->required();
  AddExamples(show, {"quarantine show 5f0c2a91d3e8b746"});
  CLI::App* replay =
      line.Add(group, "replay", "Take records in again, after what kept them out was mended",
               [options](Context& context) { return Replay(context, *options); });
  replay->add_option("--reason", options->filter.reason, "Only with this reason [any]")
      ->type_name("R");
  replay->add_option("--id", options->filter.id, "Only this record [all]")->type_name("ID");
  replay
      ->add_option("--key", options->key,
                   "What names a record: id, or identifier (its first UUID) [as it came]")
      ->type_name("K")
      ->check(CLI::IsMember({"id", "identifier"}));
  AddExamples(replay, {"quarantine replay --reason unit",
                       "quarantine replay --reason key-conflict --key identifier"});
}

}  // namespace vitalake::cli
