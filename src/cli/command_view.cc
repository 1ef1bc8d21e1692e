#include <fmt/format.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/json_writer.h"
#include "base/parallel.h"
#include "cli/command.h"
#include "cli/delta_output.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/quantity.h"
#include "cli/row_list.h"
#include "engine/column_appender.h"
#include "engine/fhir_parquet.h"
#include "engine/fhir_scan.h"
#include "engine/path_pattern.h"
#include "lake/built_in_files.h"
#include "view/view.h"

namespace vitalake::cli {
namespace {

constexpr char kDeltaFormat[] = "delta";  // of `run` alone: its output is a folder

struct ViewOptions {
  std::string view;
  std::vector<std::string> inputs;
  RowOptions rows;
  bool strict = false;
};

// A file's text, else that of the built-in view of that name.
Result<std::string> ReadView(Context& context, const std::string& named) {
  std::error_code error;
  if (std::filesystem::is_regular_file(named, error)) {
    std::ifstream in(named, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return Fail(ErrorKind::kIo, fmt::format("{} cannot be read", named));
    return std::move(text).str();
  }
  VL_TRY(lake::LakeOptions options, context.lake_options());
  bool is_name = named.find('/') == std::string::npos && !named.ends_with(".json");
  auto built_in =
      is_name ? lake::ReadBuiltIn(lake::BuiltIn::kView, options.views_folder, named + ".json")
              : Result<std::string>(Fail(ErrorKind::kNotFound, ""));
  if (built_in) return built_in;
  return Fail(
      ErrorKind::kNotFound,
      fmt::format("{} is neither a file nor a built-in view (patient, observation, vital_sign)",
                  named));
}

// Shows records and their rate while a scan runs on another thread.
class ScanProgress {
 public:
  explicit ScanProgress(const engine::ScanReport& report)
      : thread_([&report](const std::stop_token& stop) { Watch(report, stop); }) {}

 private:
  static void Watch(const engine::ScanReport& report, const std::stop_token& stop) {
    ProgressBar bar;
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      ProgressState state;
      state.step = "reading";
      state.records = report.records();
      bar.Update(std::move(state));
      stopped.wait_for(lock, stop, std::chrono::milliseconds(50), [] { return false; });
    }
  }
  std::jthread thread_;
};

std::string ScanSql(const ViewOptions& options, const std::string& view) {
  std::string paths;
  for (const std::string& input : options.inputs) {
    paths += (paths.empty() ? "" : ", ") + engine::QuoteLiteral(input);
  }
  return fmt::format("SELECT * FROM read_fhir([{}], view := {})", paths,
                     engine::QuoteLiteral(view));
}

void TellFaults(const engine::ScanReport& report) {
  if (report.faults() == 0) return;
  Say(fmt::format("vitalake: {} of {} records left out; the first:", FormatCount(report.faults()),
                  FormatCount(report.records())));
  for (const engine::ScanFault& fault : report.first()) {
    Say(fmt::format("  {}: {}", fault.place, fault.message));
  }
}

// The rows as a Parquet file or a Delta table, made without the engine's statements.
Status WriteFiles(Context& context, const ViewOptions& options,
                  const std::shared_ptr<const view::View>& view,
                  const engine::FhirScanOptions& scan, const engine::EngineOptions& engine_options,
                  const std::optional<NewTableFolder>& folder) {
  const int threads = engine_options.threads > 0 ? engine_options.threads : MachineThreads();
  const auto write = [&](const std::filesystem::path& path) {
    return engine::WriteFhirParquet(options.inputs, view, scan, path, threads, context.wait());
  };
  if (!folder) {
    VL_TRY(OutputTarget target, OutputTarget::Open(options.rows.file));
    VL_TRY([[maybe_unused]] const engine::WrittenFile file, write(target.path()));
    return target.Finish();
  }
  VL_TRY(auto engine, engine::Engine::Open(engine_options));
  VL_TRY([[maybe_unused]] const int64_t rows,
         WriteDeltaTable(*engine, *view, write, *folder, context.clock(), context.random(),
                         context.wait()));
  return {};
}

Status WriteByEngine(Context& context, const ViewOptions& options, const std::string& view,
                     const engine::FhirScanOptions& scan,
                     const engine::EngineOptions& engine_options) {
  VL_TRY(auto engine, engine::Engine::Open(engine_options));
  VL_TRY(engine::Connection connection, engine->Connect());
  VL_RETURN_IF_ERROR(engine::RegisterReadFhir(connection, scan));
  VL_TRY([[maybe_unused]] const int64_t rows,
         WriteSelect(connection, ScanSql(options, view), options.rows, context.json(),
                     context.wait()));
  return {};
}

Result<int> RunView(Context& context, ViewOptions& options) {
  if (options.rows.format.empty() && !FormatOfName(options.rows.file)) {
    options.rows.format = "ndjson";
  }
  std::optional<NewTableFolder> folder;
  bool as_files = true;
  if (options.rows.format == kDeltaFormat) {
    if (options.rows.file.empty() || options.rows.file == "-") {
      return Usage(context, "--format delta needs a new folder: add -o DIR");
    }
    VL_TRY(folder, NewTableFolder::At(options.rows.file));
  } else if (const auto format = ChooseFormat(options.rows, context.json()); !format) {
    return Usage(context, format.error().message);
  } else {
    as_files = *format == engine::ResultFormat::kParquet;
  }
  for (const std::string& input : options.inputs) {
    if (auto files = engine::ExpandPaths(input); !files) {
      return Because(std::move(files).error(), fmt::format("INPUT {}", input));
    }
  }
  VL_TRY(std::string view, ReadView(context, options.view));
  VL_TRY(const auto compiled, view::View::Compile(view));
  VL_TRY(lake::LakeOptions settings, context.lake_options());
  engine::EngineOptions engine_options;
  engine_options.threads = settings.threads;
  engine_options.memory_bytes = settings.memory_bytes * 3 / 4;
  auto report = std::make_shared<engine::ScanReport>();
  engine::FhirScanOptions scan;
  scan.report = report;
  {
    bool quiet = options.rows.file.empty() && context.out().is_terminal;
    std::optional<ScanProgress> progress;
    if (!quiet) progress.emplace(*report);
    VL_RETURN_IF_ERROR(as_files
                           ? WriteFiles(context, options, compiled, scan, engine_options, folder)
                           : WriteByEngine(context, options, view, scan, engine_options));
  }
  TellFaults(*report);
  return options.strict && report->faults() > 0 ? kExitQuarantined : kExitDone;
}

std::string ColumnsJson(const view::View& view) {
  JsonWriter writer;
  writer.BeginObject().Key("name").String(view.name()).Key("resource").String(view.resource());
  writer.Key("columns").BeginArray();
  for (const view::ColumnSpec& column : view.columns()) {
    writer.BeginObject().Key("name").String(column.name);
    writer.Key("type").String(engine::SqlType(column.type));
    writer.Key("fhir_type").String(column.fhir_type);
    writer.Key("description").String(column.description).EndObject();
  }
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

Result<int> CheckView(Context& context, ViewOptions& options) {
  VL_TRY(std::string text, ReadView(context, options.view));
  auto view = view::View::Compile(text);
  if (!view) return Because(std::move(view).error(), options.view);
  if (context.json()) {
    VL_RETURN_IF_ERROR(WriteStdout(ColumnsJson(**view)));
    return kExitDone;
  }
  RowList rows({{"column"}, {"type"}, {"fhir_type"}, {"description"}});
  for (const view::ColumnSpec& column : (*view)->columns()) {
    rows.Add({column.name, std::string(engine::SqlType(column.type)), column.fhir_type,
              column.description});
  }
  Say(fmt::format("{}: a good view of {} with {} columns", options.view, (*view)->resource(),
                  (*view)->columns().size()));
  return GiveRows(context, rows.ToSql(), options.rows);
}

}  // namespace

void AddViewCommands(CommandLine& line) {
  CLI::App* group =
      line.AddGroup("view", "SQL-on-FHIR views over files, no lake needed: run, check");
  auto options = std::make_shared<ViewOptions>();
  CLI::App* run = line.Add(group, "run", "The rows a view gives for FHIR files",
                           [options](Context& context) { return RunView(context, *options); });
  run->add_option("VIEW", options->view,
                  "A ViewDefinition's file, or a built-in view: patient, observation, vital_sign")
      ->required();
  run->add_option("INPUT", options->inputs, "FHIR files, folders, globs")->required();
  run->add_option("--format", options->rows.format,
                  "table, csv, json, ndjson, parquet or delta [as FILE ends, else ndjson]")
      ->type_name("F")
      ->check(CLI::IsMember({"table", "csv", "json", "ndjson", "parquet", kDeltaFormat}));
  run->add_option("-o,--output", options->rows.file,
                  "Write to this file; delta: to this new or empty folder [standard output]")
      ->type_name("FILE");
  run->add_flag("--strict", options->strict, "Exit with 3 when a record had to be left out");
  AddExamples(run, {"view run patient.json export/*.ndjson",
                    "view run patient bundles/ --format parquet -o patients.parquet",
                    "view run patient bundles/ --format delta -o patients"});
  CLI::App* check = line.Add(group, "check", "Whether a view is good, and its columns",
                             [options](Context& context) { return CheckView(context, *options); });
  check->add_option("VIEW", options->view, "A ViewDefinition's file, or a built-in view")
      ->required();
  AddRowOptions(check, options->rows);
  AddExamples(check, {"view check patient.json"});
}

}  // namespace vitalake::cli
