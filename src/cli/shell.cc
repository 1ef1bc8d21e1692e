#include "cli/shell.h"

#include <fmt/format.h>
#include <unistd.h>

#include <mutex>

#include "cli/quantity.h"
#include "cli/shell_input.h"
#include "cli/signals.h"
#include "cli/statement.h"
#include "cli/table_about.h"
#include "lake/sql_views.h"

namespace vitalake::cli {
namespace {

constexpr int64_t kShownRows = 1000;

constexpr std::string_view kHelp =
    "Statements end with ; and may run over several lines. Tables are bronze.*, silver.*, gold.*, "
    "ops.*.\n"
    "  \\d          tables and views\n"
    "  \\d TABLE    columns of a table\n"
    "  \\dt         tables with version, rows and size\n"
    "  \\?          this help\n"
    "  \\q          leave (or Ctrl-D)\n"
    "Ctrl-C stops the running statement. The past: FROM silver.patient AT (VERSION => 3).\n";

class Shell {
 public:
  Shell(Context& context, lake::Lake& lake, engine::SqlSession& session, const RowOptions& options)
      : context_(context),
        lake_(lake),
        session_(session),
        options_(options),
        interactive_(isatty(STDIN_FILENO) == 1),
        input_(OpenShellInput(context.stop())),
        on_stop_(context.stop(), [this] { input_->Interrupt(); }) {
    if (interactive_ && options_.file.empty()) options_.table_rows = kShownRows;
    if (interactive_) Signals::Install().OnInterrupt([this] { Interrupt(); });
  }
  ~Shell() {
    if (interactive_) Signals::Install().OnInterrupt(nullptr);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  Result<int> Run() {
    if (interactive_) {
      Say(fmt::format("Vitalake {} on {}. \\? for help, \\q to leave.", VITALAKE_VERSION,
                      lake_.options().location));
    }
    while (!left_) {
      InputLine line = input_->ReadLine(reader_.empty() ? "vitalake> " : "       -> ");
      if (line.event == LineEvent::kEnd) break;
      if (line.event == LineEvent::kInterrupt) {
        reader_.Clear();
        continue;
      }
      VL_RETURN_IF_ERROR(Take(line.text));
    }
    if (context_.stop().stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
    std::string rest = reader_.Rest();
    if (!left_ && !rest.empty() && !interactive_) VL_RETURN_IF_ERROR(RunStatement(rest));
    return kExitDone;
  }

 private:
  Status Take(const std::string& line) {
    size_t first = line.find_first_not_of(" \t");
    if (reader_.empty() && first != std::string::npos && line[first] == '\\') {
      input_->Remember(line);
      return Report(RunBackslash(line.substr(first)));
    }
    if (reader_.empty() && (line == "exit" || line == "quit")) {
      left_ = true;
      return {};
    }
    reader_.AddLine(line);
    while (auto statement = reader_.Next()) {
      input_->Remember(OneLine(*statement) + ";");
      VL_RETURN_IF_ERROR(Report(RunStatement(*statement)));
    }
    return {};
  }

  // On a terminal errors end with their message.
  Status Report(Status status) {
    if (status || !interactive_ || IsOutputClosed(status.error())) return status;
    if (status.error().kind == ErrorKind::kCancelled) {
      Say("stopped");
      return {};
    }
    Say(fmt::format("{} {}", Paint(DetectTerminal(2), Colour::kRed, "error:"),
                    status.error().ToString()));
    return {};
  }

  Status RunStatement(const std::string& statement) {
    std::stop_source source;
    // A SIGTERM ends the statement as well.
    std::stop_callback forward(context_.stop(), [&source] { source.request_stop(); });
    SetRunning(&source);
    auto began = context_.clock().Steady();
    auto code = GiveStatement(context_, session_, statement, options_,
                              Wait{std::chrono::nanoseconds::max(), source.get_token()});
    SetRunning(nullptr);
    if (!code) return std::unexpected(std::move(code).error());
    if (interactive_) {
      double seconds = std::chrono::duration<double>(context_.clock().Steady() - began).count();
      Say(Paint(DetectTerminal(2), Colour::kDim, fmt::format("{:.3f} s", seconds)));
    }
    return {};
  }

  Status RunBackslash(const std::string& line) {
    size_t blank = line.find_first_of(" \t");
    std::string name = line.substr(1, blank == std::string::npos ? blank : blank - 1);
    std::string argument = blank == std::string::npos ? "" : line.substr(blank + 1);
    while (!argument.empty() && (argument.back() == ' ' || argument.back() == ';'))
      argument.pop_back();
    if (name == "q") {
      left_ = true;
      return {};
    }
    if (name == "?" || name == "h") return WriteStdout(kHelp);
    if (name == "d" && !argument.empty()) return RunStatement("DESCRIBE SELECT * FROM " + argument);
    if (name == "d") return ListNames();
    if (name == "dt") return ListTables();
    return Fail(ErrorKind::kInvalidArgument, fmt::format("no command \\{}; \\? lists them", name));
  }

  Status ListNames() {
    RowList rows({{"name"}, {"kind"}});
    VL_TRY(auto catalogue, lake_.Catalogue());
    for (const lake::TableSpec* spec : catalogue) rows.Add({spec->name, "table"});
    VL_TRY(auto views, lake::SqlViews(lake_));
    for (const auto& [name, sql] : views) rows.Add({name, "view"});
    return Give(rows);
  }

  Status ListTables() {
    RowList rows(
        {{"table"}, {"version", "BIGINT"}, {"rows", "BIGINT"}, {"size"}, {"columns", "BIGINT"}});
    VL_TRY(auto catalogue, lake_.Catalogue());
    for (const lake::TableSpec* spec : catalogue) {
      auto snapshot = lake_.Latest(spec->name);
      if (!snapshot && snapshot.error().kind == ErrorKind::kNotFound) continue;
      if (!snapshot) return std::unexpected(std::move(snapshot).error());
      auto count = (*snapshot)->NumRecords();
      rows.Add({spec->name, Cell((*snapshot)->version().value), count ? Cell(*count) : RowCell(),
                FormatSize((*snapshot)->size_bytes()),
                Cell(static_cast<int64_t>((*snapshot)->schema().fields().size()))});
    }
    return Give(rows);
  }

  Status Give(const RowList& rows) {
    if (auto code = GiveRows(context_, rows.ToSql(), options_); !code) {
      return std::unexpected(std::move(code).error());
    }
    return {};
  }

  // SIGINT, on the signal thread.
  void Interrupt() {
    std::lock_guard lock(mutex_);
    if (running_) {
      running_->request_stop();
    } else {
      input_->Interrupt();
    }
  }

  void SetRunning(std::stop_source* source) {
    std::lock_guard lock(mutex_);
    running_ = source;
  }

  static std::string OneLine(std::string text) {
    if (text.find("--") != std::string::npos) return text;  // a comment would swallow the rest
    for (char& c : text) {
      if (c == '\n') c = ' ';
    }
    size_t first = text.find_first_not_of(' ');
    return first == std::string::npos ? text : text.substr(first);
  }

  Context& context_;
  lake::Lake& lake_;
  engine::SqlSession& session_;
  RowOptions options_;
  const bool interactive_;
  std::unique_ptr<ShellInput> input_;
  std::stop_callback<std::function<void()>> on_stop_;
  StatementReader reader_;
  bool left_ = false;
  std::mutex mutex_;
  std::stop_source* running_ = nullptr;  // guarded by mutex_
};

}  // namespace

Result<int> RunShell(Context& context, lake::Lake& lake, engine::SqlSession& session,
                     const RowOptions& options) {
  return Shell(context, lake, session, options).Run();
}

}  // namespace vitalake::cli
