// What commands are made of: how they join the command line, and what they work with.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/random.h"
#include "base/result.h"
#include "cli/config.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "engine/sql_session.h"
#include "lake/lake.h"

namespace vitalake::cli {

// Exit codes of the program.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;        // also a config error
inline constexpr int kExitQuarantined = 3;  // done, but --strict and some records were quarantined

// Options accepted before and after every command.
struct GlobalOptions {
  std::string lake;
  std::string config;
  std::string log_level;
  bool json = false;
};

// What a command works with. Config and lake are opened when first asked for.
class Context {
 public:
  Context(GlobalOptions globals, std::stop_token stop)
      : globals_(std::move(globals)), stop_(std::move(stop)) {}

  const GlobalOptions& globals() const { return globals_; }
  bool json() const { return globals_.json; }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }
  const std::stop_token& stop() const { return stop_; }
  Wait wait() const { return Wait{std::chrono::nanoseconds::max(), stop_}; }
  const Terminal& out() const { return out_; }

  // Errors of the config are usage errors.
  Result<const Config*> config();
  // What lake::Lake::Open needs, out of the config.
  Result<lake::LakeOptions> lake_options();
  // The lake; it need not exist on disk.
  Result<lake::Lake*> lake();
  // The same with LakeOptions::upkeep_apart.
  Result<lake::Lake*> lake_of_service();
  // The lake, with an error that says how to make it when it does not exist.
  Result<lake::Lake*> existing_lake();
  // Takes another location than the config's, before the lake is opened.
  void set_lake_location(std::string location) { location_ = std::move(location); }
  // Whether the last error came from config or arguments: exit code 2.
  bool usage_fault() const { return usage_fault_; }

 private:
  friend std::unexpected<Error> Usage(Context& context, std::string message);

  GlobalOptions globals_;
  std::stop_token stop_;
  SystemClock clock_;
  SystemRandom random_;
  Terminal out_ = DetectTerminal(1);
  std::optional<std::string> location_;
  std::optional<Config> config_;
  std::unique_ptr<lake::Lake> lake_;
  bool usage_fault_ = false;
};

// An error in what the user typed: exit code 2. The message names the flag or key.
std::unexpected<Error> Usage(Context& context, std::string message);

// Gives the exit code.
using CommandAction = std::function<Result<int>(Context&)>;

// The command line while it is put together and parsed.
class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  CLI::App& app() { return app_; }
  GlobalOptions& globals() { return globals_; }
  // A command (of `parent`, or of the program) that runs `action` when it is chosen. Options bind
  // to what the action captures.
  CLI::App* Add(CLI::App* parent, std::string name, std::string description, CommandAction action);
  // A command that only holds commands.
  CLI::App* AddGroup(std::string name, std::string description);

  // Parses and runs; messages go to standard error. Gives the exit code.
  int Run(int argc, const char* const* argv, std::stop_token stop);
  // Only parses; for tests. The message of a fault, "" when there is none.
  std::string Parse(const std::vector<std::string>& arguments);

 private:
  int RunChosen(std::stop_token stop);

  CLI::App app_;
  GlobalOptions globals_;
  CommandAction chosen_;
};

// Examples at the end of a command's help: one per line, without the program's name.
void AddExamples(CLI::App* command, const std::vector<std::string>& lines);
// --format and -o.
void AddRowOptions(CLI::App* command, RowOptions& options);
// Three ways to give rows out in the form asked for; kExitDone: those of any SQL (a RowList's),
// those of a statement on the lake, and those of a result that is there already.
Result<int> GiveRows(Context& context, const std::string& select, const RowOptions& options);
Result<int> GiveStatement(Context& context, engine::SqlSession& session,
                          const std::string& statement, const RowOptions& options,
                          const Wait& wait);
Result<int> GiveStatement(Context& context, engine::SqlSession& session,
                          const std::string& statement, const RowOptions& options);
Result<int> GiveResult(Context& context, engine::Connection& connection,
                       engine::QueryResult& result, const RowOptions& options);

// One per command group, each in command_<name>.cc.
void AddInitCommand(CommandLine& line);
void AddIngestCommand(CommandLine& line);
void AddRunCommand(CommandLine& line);
void AddSqlCommand(CommandLine& line);
void AddTableCommands(CommandLine& line);
// Those of `table` that keep tables in shape.
void AddUpkeepCommands(CommandLine& line, CLI::App* group);
void AddQuarantineCommands(CommandLine& line);
void AddLedgerCommand(CommandLine& line);
void AddAlertCommands(CommandLine& line);
void AddGoldCommand(CommandLine& line);
void AddGenerateCommands(CommandLine& line);
void AddViewCommands(CommandLine& line);
void AddConfigCommands(CommandLine& line);
void AddDoctorCommand(CommandLine& line);
void AddVersionCommand(CommandLine& line);
void AddCompletionCommand(CommandLine& line);
void AddDemoCommand(CommandLine& line);

// The whole program's.
void AddAllCommands(CommandLine& line);

}  // namespace vitalake::cli
