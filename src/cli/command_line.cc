#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/signals.h"

namespace vitalake::cli {
namespace {

// Standard error of the program: "vitalake: what (where)".
void SayError(const Error& error) {
  Terminal terminal = DetectTerminal(2);
  Say(fmt::format("{} {}", Paint(terminal, Colour::kRed, "vitalake:"), error.ToString()));
}

int ExitCodeOf(const Error& error, const Context& context) {
  if (IsOutputClosed(error)) return 128 + SIGPIPE;
  int signal = Signals::Install().received();
  if (signal != 0 && error.kind == ErrorKind::kCancelled) return 128 + signal;
  return context.usage_fault() ? kExitUsage : kExitFailed;
}

// A mistyped command, with the nearest one; "" when that is not the fault.
std::string UnknownCommand(CLI::App& at) {
  std::vector<std::string> names;
  for (const CLI::App* command : at.get_subcommands({})) names.push_back(command->get_name());
  if (names.empty()) return "";
  std::vector<std::string> rest = at.remaining();
  auto word = std::ranges::find_if(rest, [](const std::string& r) { return !r.starts_with("-"); });
  if (word == rest.end()) return "";
  std::string nearest = Nearest(*word, names);
  std::string group = at.get_parent() ? at.get_name() + " " : "";
  return fmt::format("no command `{}{}`{}", group, *word,
                     nearest.empty() ? "" : fmt::format("; did you mean `{}{}`?", group, nearest));
}

}  // namespace

CommandLine::CommandLine()
    : app_(
          "Vitalake: a healthcare lakehouse in one program. FHIR R4 in, Delta Lake tables inside, "
          "SQL "
          "out.",
          "vitalake") {
  app_.fallthrough();
  app_.require_subcommand(1);
  app_.get_formatter()->column_width(34);
  app_.add_option("--lake", globals_.lake, "Folder of the lake [$VITALAKE_LAKE, else ./lake]")
      ->type_name("LAKE");
  app_.add_option("--config", globals_.config, "Settings [$VITALAKE_CONFIG, else ./vitalake.yaml]")
      ->type_name("FILE");
  app_.add_flag("--json", globals_.json,
                "Results as one JSON object, or one object a line for lists");
  app_.add_option("--log-level", globals_.log_level,
                  "What is told on standard error: trace, debug, info, warn, error, off [warn]")
      ->type_name("L");
  app_.set_help_flag("-h,--help", "This help; after a command, the command's");
  app_.set_version_flag("--version", []() { return std::string("vitalake " VITALAKE_VERSION); });
  AddExamples(&app_, {"demo", "ingest patients.ndjson bundles/ --lake ./lake",
                      "sql \"SELECT * FROM gold.patient_observations LIMIT 5\"",
                      "table history silver.patient"});
}

CLI::App* CommandLine::Add(CLI::App* parent, std::string name, std::string description,
                           CommandAction action) {
  CLI::App* command =
      (parent ? parent : &app_)->add_subcommand(std::move(name), std::move(description));
  command->callback([this, action = std::move(action)] { chosen_ = action; });
  return command;
}

CLI::App* CommandLine::AddGroup(std::string name, std::string description) {
  CLI::App* group = app_.add_subcommand(std::move(name), std::move(description));
  group->require_subcommand(1);
  group->footer("");
  return group;
}

std::string CommandLine::Parse(const std::vector<std::string>& arguments) {
  try {
    app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    return "";
  } catch (const CLI::ParseError& fault) {
    return fault.what();
  }
}

int CommandLine::Run(int argc, const char* const* argv, std::stop_token stop) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    CLI::App* shown = &app_;
    std::string before;
    while (!shown->get_subcommands().empty()) {
      before += (before.empty() ? "" : " ") + shown->get_name();
      shown = shown->get_subcommands().front();
    }
    return WriteStdout(shown->help(before)) ? kExitDone : kExitFailed;
  } catch (const CLI::CallForVersion& version) {
    return WriteStdout(std::string(version.what()) + "\n") ? kExitDone : kExitFailed;
  } catch (const CLI::ParseError& fault) {
    CLI::App* at = &app_;
    std::string name;
    while (!at->get_subcommands().empty()) {
      at = at->get_subcommands().front();
      name += at->get_name() + " ";
    }
    std::string unknown = UnknownCommand(*at);
    Say(fmt::format("vitalake: {}\nTry `vitalake {}--help`.",
                    unknown.empty() ? fault.what() : unknown, name));
    return kExitUsage;
  }
  return RunChosen(std::move(stop));
}

int CommandLine::RunChosen(std::stop_token stop) {
  Context context(globals_, std::move(stop));
  Result<int> code = [&]() -> Result<int> {
    try {
      return chosen_(context);
    } catch (const std::exception& fault) {
      return Fail(ErrorKind::kInternal, fmt::format("a fault of ours: {}", fault.what()));
    }
  }();
  if (code) return *code;
  if (!IsOutputClosed(code.error())) SayError(code.error());
  return ExitCodeOf(code.error(), context);
}

void AddExamples(CLI::App* command, const std::vector<std::string>& lines) {
  std::string text = "Examples:";
  for (const std::string& line : lines) text += "\n  vitalake " + line;
  command->footer(text);
}

void AddRowOptions(CLI::App* command, RowOptions& options) {
  command
      ->add_option("--format", options.format,
                   "table, csv, json, ndjson or parquet [table; ndjson with --json]")
      ->type_name("F")
      ->check(CLI::IsMember({"table", "csv", "json", "ndjson", "parquet"}));
  command->add_option("-o,--output", options.file, "Write to this file [standard output]")
      ->type_name("FILE");
}

void AddAllCommands(CommandLine& line) {
  AddDemoCommand(line);
  AddInitCommand(line);
  AddIngestCommand(line);
  AddRunCommand(line);
  AddSqlCommand(line);
  AddTableCommands(line);
  AddQuarantineCommands(line);
  AddLedgerCommand(line);
  AddAlertCommands(line);
  AddGoldCommand(line);
  AddViewCommands(line);
  AddGenerateCommands(line);
  AddConfigCommands(line);
  AddDoctorCommand(line);
  AddVersionCommand(line);
  AddCompletionCommand(line);
}

}  // namespace vitalake::cli
