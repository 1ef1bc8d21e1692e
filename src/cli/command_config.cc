#include <fmt/format.h>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/config_text.h"
#include "cli/run_settings.h"

namespace vitalake::cli {
namespace {

Result<int> Check(Context& context) {
  VL_TRY(const Config* config, context.config());
  if (auto good = config->ResolveAll(); !good) return Usage(context, good.error().ToString());
  if (auto run = ReadRunSetup(*config); !run) return Usage(context, run.error().ToString());
  VL_RETURN_IF_ERROR(context.lake_options());
  if (context.json()) {
    JsonWriter writer;
    writer.BeginObject().Key("file").String(config->file().string()).Key("remarks").BeginArray();
    for (const std::string& remark : config->remarks()) writer.String(remark);
    VL_RETURN_IF_ERROR(WriteStdout(writer.EndArray().EndObject().Take() + "\n"));
    return kExitDone;
  }
  std::string text = config->file().empty()
                         ? std::string("No config file; environment and defaults are good.\n")
                         : fmt::format("{} is good.\n", config->file().string());
  for (const std::string& remark : config->remarks()) text += "note: " + remark + "\n";
  VL_RETURN_IF_ERROR(WriteStdout(text));
  return kExitDone;
}

Result<int> Print(Context& context) {
  VL_TRY(const Config* config, context.config());
  VL_RETURN_IF_ERROR(WriteStdout(context.json() ? ConfigJson(*config) : ConfigYaml(*config)));
  return kExitDone;
}

}  // namespace

void AddConfigCommands(CommandLine& line) {
  CLI::App* group = line.AddGroup("config", "Settings: check, print");
  CLI::App* check = line.Add(group, "check", "Whether file, environment and flags are good", Check);
  AddExamples(check, {"config check --config vitalake.yaml"});
  CLI::App* print =
      line.Add(group, "print", "Every setting with where it comes from; secrets masked", Print);
  AddExamples(print, {"config print", "config print --json"});
}

}  // namespace vitalake::cli
