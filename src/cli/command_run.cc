#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/quantity.h"
#include "cli/service.h"
#include "cli/signals.h"

namespace vitalake::cli {
namespace {

std::string SummaryJson(const ServiceSummary& summary) {
  JsonWriter json;
  json.BeginObject().Key("messages").Int(summary.messages).Key("records").Int(summary.records);
  json.Key("files").Int(summary.files).Key("file_records").Int(summary.file_records);
  json.Key("alerts").Int(summary.alerts);
  json.Key("seconds").Double(summary.seconds).EndObject();
  return json.Take() + "\n";
}

// On SIGHUP. What cannot be used changes nothing.
void ReadRulesAnew(const Config& config, Service& service) {
  auto rules = ReadMonitorRules(config);
  auto versions = rules ? rules->Versions() : std::unexpected(rules.error());
  if (!versions) {
    return log::Fault("rule files refused, the rules in force stay: {}",
                      versions.error().ToString());
  }
  log::Info("rule files read anew: {}", *versions);
  service.UseRules(std::move(*rules));
}

Result<int> RunService(Context& context) {
  VL_TRY(const Config* config, context.config());
  // A service says what it does unless it is told not to.
  if (config->Find("log_level")->source == SettingSource::kDefault) {
    VL_RETURN_IF_ERROR(log::SetLevel("info"));
  }
  auto setup = ReadRunSetup(*config);
  if (!setup) return Usage(context, setup.error().ToString());
  if (!setup->landing && setup->streams.empty()) {
    return Usage(context,
                 "nothing to run: the config has neither `landing` nor `streams` (see docs/"
                 "streaming.md)");
  }
  VL_TRY(lake::Lake * lake, context.lake_of_service());
  Service service(*lake, std::move(*setup));
  Signals::Install().OnHangup([&] { ReadRulesAnew(*config, service); });
  auto ran = service.Run(context.stop());
  Signals::Install().OnHangup(nullptr);
  VL_TRY(const ServiceSummary summary, std::move(ran));
  if (context.json()) {
    VL_RETURN_IF_ERROR(WriteStdout(SummaryJson(summary)));
  } else {
    Say(fmt::format(
        "stopped: {} messages with {} records, {} files with {} records, {} alert events in {}",
        FormatCount(summary.messages), FormatCount(summary.records), FormatCount(summary.files),
        FormatCount(summary.file_records), FormatCount(summary.alerts),
        FormatSeconds(summary.seconds)));
  }
  return kExitDone;
}

}  // namespace

void AddRunCommand(CommandLine& line) {
  CLI::App* command =
      line.Add(nullptr, "run",
               "The service: takes in streams and a landing folder, keeps gold; SIGTERM ends it",
               RunService);
  AddExamples(command,
              {"run --config vitalake.yaml", "run --config vitalake.yaml --log-level debug"});
}

}  // namespace vitalake::cli
