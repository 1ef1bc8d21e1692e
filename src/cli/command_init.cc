#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"
#include "cli/command.h"

namespace vitalake::cli {
namespace {

struct InitOptions {
  std::string compat;
};

std::string ToJson(const std::string& location, const std::vector<std::string>& created) {
  JsonWriter writer;
  writer.BeginObject().Key("lake").String(location).Key("created").BeginArray();
  for (const std::string& table : created) writer.String(table);
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

Result<int> Init(Context& context, const InitOptions& options) {
  if (!options.compat.empty()) {
    return Fail(
        ErrorKind::kUnsupported,
        "--compat reference: a lake cannot keep SQL views yet; run `vitalake init` without it");
  }
  VL_TRY(lake::Lake * lake, context.lake());
  VL_TRY(std::vector<std::string> created, lake->CreateMissingTables());
  const std::string& location = lake->options().location;
  if (context.json()) {
    VL_RETURN_IF_ERROR(WriteStdout(ToJson(location, created)));
    return kExitDone;
  }
  if (created.empty()) {
    VL_RETURN_IF_ERROR(WriteStdout(fmt::format("Nothing to do: {} has every table.\n", location)));
    return kExitDone;
  }
  VL_RETURN_IF_ERROR(
      WriteStdout(fmt::format("Made {} empty tables in {}:\n  {}\nNext: vitalake ingest PATH\n",
                              created.size(), location, fmt::join(created, "\n  "))));
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
  AddExamples(command, {"init --lake ./lake"});
}

}  // namespace vitalake::cli
