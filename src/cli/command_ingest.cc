#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/ingest_report.h"
#include "cli/progress.h"
#include "ingest/batch_run.h"
#include "lake/compaction.h"
#include "storage/object_key.h"

namespace vitalake::cli {
namespace {

struct IngestOptions {
  ingest::BatchOptions batch;
  std::string key = "id";
  bool strict = false;
};

// Runs leave a file a table and thread; so that they do not pile up. The run is done and stands,
// whatever becomes of this.
void CompactAfter(Context& context, lake::Lake& lake, const IngestOptions& options) {
  if (options.batch.dry_run) return;
  ProgressBar bar;
  const auto show = [&](const std::string& table) {
    ProgressState state;
    state.step = "compacting " + table;
    bar.Update(std::move(state));
  };
  const auto done = lake::CompactionRounds(lake).Run(context.wait(), show);
  bar.Clear();
  if (!done) {
    Say(fmt::format("vitalake: small files were left as they are: {}", done.error().ToString()));
    return;
  }
  for (const lake::TableCompaction& table : *done) {
    Say(fmt::format("vitalake: {} small files of {} became {}", table.result.files_replaced,
                    table.table, table.result.files_written));
  }
}

Result<int> Ingest(Context& context, IngestOptions& options) {
  options.batch.key = options.key == "identifier" ? fhir::KeyRule::kIdentifier : fhir::KeyRule::kId;
  if (!options.batch.source.empty() &&
      !storage::CheckKey(fmt::format("bronze/{}/file", options.batch.source))) {
    return Usage(context, fmt::format("--source {}: it names a folder of bronze, which '.', '..' "
                                      "and empty parts cannot",
                                      options.batch.source));
  }
  VL_TRY(lake::Lake * lake, context.lake());
  Result<ingest::BatchSummary> summary = [&] {
    ProgressBar bar;
    auto show = [&bar](const ingest::BatchProgress& progress) {
      ProgressState state;
      state.step = progress.step;
      state.bytes_done = progress.bytes_done;
      state.bytes_total = progress.bytes_total;
      state.records = progress.records;
      bar.Update(std::move(state));
    };
    return ingest::RunBatch(*lake, options.batch, show, context.wait());
  }();
  if (!summary) {
    Error error = std::move(summary).error();
    if (error.kind == ErrorKind::kCancelled) {
      error.message = "stopped; the lake is whole, and the same command goes on where it was";
    }
    return std::unexpected(std::move(error));
  }
  const bool nothing = summary->files.empty();
  if (nothing) {
    Say(fmt::format(
        "vitalake: nothing to take in: no .json, .ndjson (or either with .gz, .zst) under {}",
        fmt::join(options.batch.paths, ", ")));
  }
  if (nothing && !context.json() && summary->recovered_runs == 0) return kExitDone;
  if (context.json()) {
    VL_RETURN_IF_ERROR(WriteStdout(IngestReportJson(*summary, options.batch.dry_run)));
  } else {
    VL_TRY(engine::Connection connection, lake->engine().Connect());
    VL_TRY(std::string text,
           IngestReportText(connection, *summary, options.batch.dry_run, context.out()));
    VL_RETURN_IF_ERROR(WriteStdout(text));
  }
  CompactAfter(context, *lake, options);
  if (std::ranges::any_of(summary->files, &ingest::FileResult::failed)) return kExitFailed;
  if (options.strict && summary->counts.quarantined > 0) return kExitQuarantined;
  return kExitDone;
}

}  // namespace

void AddIngestCommand(CommandLine& line) {
  auto options = std::make_shared<IngestOptions>();
  CLI::App* command = line.Add(nullptr, "ingest", "Take FHIR files into the lake, as one run",
                               [options](Context& context) { return Ingest(context, *options); });
  command
      ->add_option(
          "PATH", options->batch.paths,
          "Files, folders, globs: .json (resource, array, Bundle), .ndjson, each also .gz, .zst")
      ->required();
  command
      ->add_option("--source", options->batch.source,
                   "Name of the sender [patient, observation or mixed, by content]")
      ->type_name("NAME");
  command
      ->add_option("--id-space", options->batch.id_space,
                   "Whose ids these are: the same id in two spaces is two people [none]")
      ->type_name("S");
  command
      ->add_option("--key", options->key,
                   "What names a record: id, or identifier (its first UUID) [id]")
      ->type_name("K")
      ->check(CLI::IsMember({"id", "identifier"}));
  command->add_flag("--strict", options->strict, "Exit with 3 when a record was quarantined");
  command->add_flag("--dry-run", options->batch.dry_run,
                    "Read and judge everything, write nothing");
  AddExamples(command,
              {"ingest patients.ndjson.gz", "ingest bundles/ --source clinic_a --id-space a",
               "ingest 'export/**/*.ndjson' --strict --json"});
}

}  // namespace vitalake::cli
