#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"
#include "cli/command.h"
#include "lake/sql_views.h"

namespace vitalake::cli {
namespace {

struct InitOptions {
  std::string compat;
};

struct Made {
  std::vector<std::string> tables;
  std::vector<std::string> views;
};

std::string ToJson(const std::string& location, const Made& made) {
  JsonWriter writer;
  writer.BeginObject().Key("lake").String(location).Key("created").BeginArray();
  for (const std::string& table : made.tables) writer.String(table);
  writer.EndArray().Key("views").BeginArray();
  for (const std::string& view : made.views) writer.String(view);
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

std::string ToText(const std::string& location, const Made& made) {
  if (made.tables.empty() && made.views.empty()) {
    return fmt::format("Nothing to do: {} has everything.\n", location);
  }
  std::string text;
  if (!made.tables.empty()) {
    text += fmt::format("Made {} empty tables in {}:\n  {}\n", made.tables.size(), location,
                        fmt::join(made.tables, "\n  "));
  }
  if (!made.views.empty()) {
    text += fmt::format("Made {} views, kept in {}/views:\n  {}\n", made.views.size(), location,
                        fmt::join(made.views, "\n  "));
  }
  return text + "Next: vitalake ingest PATH\n";
}

Result<int> Init(Context& context, const InitOptions& options) {
  VL_TRY(lake::Lake * lake, context.lake());
  Made made;
  VL_TRY(made.tables, lake->CreateMissingTables());
  if (options.compat == "reference") {
    VL_TRY(made.views, lake::KeepReferenceViews(*lake));
  }
  const std::string& location = lake->options().location;
  VL_RETURN_IF_ERROR(WriteStdout(context.json() ? ToJson(location, made) : ToText(location, made)));
  return kExitDone;
}

}  // namespace

void AddInitCommand(CommandLine& line) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* command = line.Add(nullptr, "init", "Make an empty lake (repeating it is harmless)",
                               [options](Context& context) { return Init(context, *options); });
  command
      ->add_option("--compat", options->compat,
                   "Also SQL views under another platform's names and columns: reference [none]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"reference"}));
  AddExamples(command, {"init --lake ./lake", "init --compat reference"});
}

}  // namespace vitalake::cli
