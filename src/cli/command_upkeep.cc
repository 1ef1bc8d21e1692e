// table optimize, vacuum, checkpoint, verify, restore.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/quantity.h"
#include "cli/row_list.h"
#include "cli/table_source.h"
#include "lake/compaction.h"
#include "lake/table_writer.h"
#include "lake/upkeep.h"

namespace vitalake::cli {
namespace {

struct UpkeepOptions {
  std::string table;
  RowOptions rows;
  std::string retain;
  bool dry_run = false;
  int64_t version = -1;
  bool rewind = false;
};

std::string Files(int64_t count) {
  return fmt::format("{} file{}", FormatCount(count), count == 1 ? "" : "s");
}

Result<int> Optimize(Context& context, const UpkeepOptions& options) {
  VL_TRY(auto source, TableSource::OpenForUpkeep(context, options.table));
  VL_TRY(lake::Lake * lake, context.lake());
  auto result = [&] {
    ProgressBar bar;
    return lake::Compact(*lake, source->upkeep(), context.wait(), [&](int64_t done, int64_t total) {
      ProgressState state;
      state.step = "compacting";
      state.bytes_done = done;
      state.bytes_total = total;
      bar.Update(std::move(state));
    });
  }();
  if (!result) return std::unexpected(std::move(result).error());
  if (result->groups_given_way > 0) {
    Say(
        fmt::format("vitalake: {} of the small files changed under another writer and were left as "
                    "they are; run it again for the rest",
                    result->groups_given_way == 1 ? "a group" : "some groups"));
  } else if (result->files_replaced == 0) {
    Say(fmt::format("vitalake: {} has no two small files that go together", options.table));
  }
  RowList rows({{"table"},
                {"version", "BIGINT"},
                {"files_before", "BIGINT"},
                {"files_after", "BIGINT"},
                {"files_replaced", "BIGINT"},
                {"files_written", "BIGINT"},
                {"rows_moved", "BIGINT"},
                {"bytes_read", "BIGINT"},
                {"bytes_written", "BIGINT"}});
  rows.Add({options.table, Cell(result->version.value), Cell(result->files_before),
            Cell(result->files_after), Cell(result->files_replaced), Cell(result->files_written),
            Cell(result->rows_moved), Cell(result->bytes_read), Cell(result->bytes_written)});
  return GiveRows(context, rows.ToSql(), options.rows);
}

Result<Micros> RetainOf(Context& context, const lake::Lake& lake, const UpkeepOptions& options) {
  if (options.retain.empty()) return lake.options().maintain.retain;
  const auto retain = ParseDuration(options.retain);
  if (!retain) return Usage(context, fmt::format("--retain: {}", retain.error().message));
  return std::chrono::duration_cast<std::chrono::microseconds>(*retain).count();
}

void SayWhatIsHeldBack(const lake::VacuumView& view) {
  if (view.plan.kept_for_feed == 0 || view.consumers.empty()) return;
  const lake::FeedConsumer& slowest = view.consumers.front();
  Say(fmt::format("vitalake: {} stay for {}, which has read the changes up to version {}; {}",
                  Files(view.plan.kept_for_feed), slowest.name, slowest.seen.value,
                  slowest.remedy));
}

Result<int> GiveGarbage(Context& context, const UpkeepOptions& options,
                        const delta::VacuumPlan& plan) {
  RowList rows({{"path"}, {"kind"}, {"bytes", "BIGINT"}, {"written", "TIMESTAMPTZ"}});
  for (const delta::Garbage& file : plan.files) {
    rows.Add({file.path, std::string(delta::ToString(file.kind)), Cell(file.size_bytes),
              FormatUtc(file.modified)});
  }
  Say(fmt::format("vitalake: {} ({}) would be deleted",
                  Files(static_cast<int64_t>(plan.files.size())), FormatSize(plan.size_bytes)));
  return GiveRows(context, rows.ToSql(), options.rows);
}

Result<int> Vacuum(Context& context, const UpkeepOptions& options) {
  VL_TRY(lake::Lake * lake, context.lake());
  VL_TRY(const Micros retain, RetainOf(context, *lake, options));
  VL_TRY(auto source, options.dry_run ? TableSource::Open(context, options.table)
                                      : TableSource::OpenForUpkeep(context, options.table));
  VL_TRY(const lake::VacuumView view, lake::PlanVacuum(*lake, source->upkeep(), retain));
  SayWhatIsHeldBack(view);
  if (options.dry_run) return GiveGarbage(context, options, view.plan);
  auto gone = [&] {
    ProgressBar bar;
    return lake::Vacuum(*lake, source->upkeep(), view.plan, context.wait(), [&](size_t done) {
      ProgressState state;
      state.step = "deleting";
      state.records = static_cast<int64_t>(done);
      state.records_total = static_cast<int64_t>(view.plan.files.size());
      bar.Update(std::move(state));
    });
  }();
  if (!gone) return std::unexpected(std::move(gone).error());
  const auto count = [&](delta::GarbageKind kind) {
    return Cell(std::ranges::count(gone->files, kind, &delta::Garbage::kind));
  };
  RowList rows({{"table"},
                {"files_deleted", "BIGINT"},
                {"bytes_deleted", "BIGINT"},
                {"removed", "BIGINT"},
                {"orphans", "BIGINT"},
                {"changes", "BIGINT"},
                {"kept_for_consumers", "BIGINT"}});
  rows.Add({options.table, Cell(static_cast<int64_t>(gone->files.size())), Cell(gone->size_bytes),
            count(delta::GarbageKind::kRemoved), count(delta::GarbageKind::kOrphan),
            count(delta::GarbageKind::kChanges), Cell(view.plan.kept_for_feed)});
  return GiveRows(context, rows.ToSql(), options.rows);
}

Result<int> Checkpoint(Context& context, const UpkeepOptions& options) {
  VL_TRY(auto source, TableSource::OpenForUpkeep(context, options.table));
  VL_TRY(const delta::SnapshotPtr snapshot, source->table().Latest());
  VL_RETURN_IF_ERROR(source->table().Checkpoint(snapshot->version()));
  RowList rows({{"table"}, {"version", "BIGINT"}, {"files", "BIGINT"}});
  rows.Add({options.table, Cell(snapshot->version().value),
            Cell(static_cast<int64_t>(snapshot->files().size()))});
  return GiveRows(context, rows.ToSql(), options.rows);
}

std::string Looked(const lake::Soundness& sound) {
  const delta::LogCheck& log = sound.log;
  std::string text =
      fmt::format("{} commits, {} checkpoints and {} checksums compared", FormatCount(log.commits),
                  FormatCount(log.checkpoints), FormatCount(log.checksums));
  if (!log.snapshot) return text;
  return fmt::format("version {}: {}, {} read, {}{}", log.snapshot->version().value,
                     Files(static_cast<int64_t>(log.snapshot->files().size())),
                     FormatSize(log.snapshot->size_bytes()), text,
                     sound.key_checked ? ", no key there twice" : "");
}

Result<int> Verify(Context& context, const UpkeepOptions& options) {
  VL_TRY(auto source, TableSource::Open(context, options.table));
  VL_TRY(lake::Lake * lake, context.lake());
  auto sound = [&] {
    ProgressBar bar;
    return lake::Verify(*lake, source->upkeep(), context.wait(), [&](int64_t done, int64_t total) {
      ProgressState state;
      state.step = "verifying";
      state.bytes_done = done;
      state.bytes_total = total;
      bar.Update(std::move(state));
    });
  }();
  if (!sound) return std::unexpected(std::move(sound).error());
  const bool as_table =
      options.rows.format.empty() ? !context.json() : options.rows.format == "table";
  if (sound->findings.empty() && as_table && options.rows.file.empty()) {
    VL_RETURN_IF_ERROR(
        WriteStdout(fmt::format("{} is sound ({})\n", options.table, Looked(*sound))));
    return kExitDone;
  }
  RowList rows({{"check"}, {"place"}, {"problem"}});
  for (const delta::Finding& finding : sound->findings) {
    rows.Add({finding.check, finding.place, finding.message});
  }
  VL_RETURN_IF_ERROR(GiveRows(context, rows.ToSql(), options.rows));
  if (sound->findings.empty()) return kExitDone;
  Say(
      fmt::format("vitalake: {} is damaged: {} problem{}; `table history` and `table restore` lead "
                  "back to a version that is whole",
                  options.table, FormatCount(static_cast<int64_t>(sound->findings.size())),
                  sound->findings.size() == 1 ? "" : "s"));
  return kExitFailed;
}

std::string Moved(const std::vector<delta::MovedPosition>& moved) {
  constexpr size_t kShown = 5;
  std::vector<std::string> names;
  for (const delta::MovedPosition& position : moved) {
    if (names.size() == kShown) {
      names.emplace_back("...");
      break;
    }
    names.push_back(position.app_id);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<int> Restore(Context& context, const UpkeepOptions& options) {
  VL_TRY(auto source, TableSource::OpenForUpkeep(context, options.table));
  VL_TRY(lake::Lake * lake, context.lake());
  VL_TRY(const delta::RestorePlan plan,
         delta::PlanRestore(source->table(), Version{options.version}));
  const bool rewinds = options.rewind && !plan.moved.empty();
  if (!plan.moved.empty() && !options.rewind) {
    return Fail(
        ErrorKind::kUnsupported,
        fmt::format(
            "{} took in more after version {}: {} position{} moved on ({}), and rows taken "
            "back would not come again. With --rewind the positions go back, too: streams "
            "and gold do their part again; files of batch runs come in again only when they "
            "are ingested under another --source",
            options.table, options.version, plan.moved.size(),
            plan.moved.size() == 1 ? " has" : "s have", Moved(plan.moved)));
  }
  Version version = plan.now->version();
  if (plan.IsEmpty() && !rewinds) {
    Say(fmt::format("vitalake: {} is as it was at version {} already", options.table,
                    options.version));
  } else {
    const auto positions = rewinds ? delta::Positions::kRewind : delta::Positions::kKeep;
    VL_TRY(version, lake::Restore(*lake, source->upkeep(), plan, positions, context.wait()));
  }
  RowList rows({{"table"},
                {"version", "BIGINT"},
                {"restored", "BIGINT"},
                {"files_added", "BIGINT"},
                {"files_removed", "BIGINT"},
                {"positions_rewound", "BIGINT"}});
  rows.Add({options.table, Cell(version.value), Cell(options.version),
            Cell(static_cast<int64_t>(plan.added.size())),
            Cell(static_cast<int64_t>(plan.removed.size())),
            Cell(rewinds ? static_cast<int64_t>(plan.moved.size()) : 0)});
  return GiveRows(context, rows.ToSql(), options.rows);
}

CLI::App* AddUpkeep(CommandLine& line, CLI::App* group, const std::string& name,
                    const std::string& description, const std::shared_ptr<UpkeepOptions>& options,
                    Result<int> (*run)(Context&, const UpkeepOptions&)) {
  CLI::App* command = line.Add(group, name, description,
                               [options, run](Context& context) { return run(context, *options); });
  command
      ->add_option("T", options->table, "A name (silver.patient) or the folder of any Delta table")
      ->required();
  AddRowOptions(command, options->rows);
  return command;
}

}  // namespace

void AddUpkeepCommands(CommandLine& line, CLI::App* group) {
  auto options = std::make_shared<UpkeepOptions>();
  CLI::App* optimize =
      AddUpkeep(line, group, "optimize", "Make few files of many small ones", options, Optimize);
  AddExamples(optimize, {"table optimize silver.observation", "table optimize ./exports/a_table"});
  CLI::App* vacuum = AddUpkeep(line, group, "vacuum", "Delete files that no version in use needs",
                               options, Vacuum);
  vacuum
      ->add_option("--retain", options->retain,
                   "Keep what left the table later than so long ago [maintain.retain: 168h]")
      ->type_name("TIME");
  vacuum->add_flag("--dry-run", options->dry_run, "Only say which files would go");
  AddExamples(vacuum, {"table vacuum silver.observation --dry-run",
                       "table vacuum silver.observation --retain 30d"});
  CLI::App* checkpoint =
      AddUpkeep(line, group, "checkpoint", "Write its newest version as one file, quick to open",
                options, Checkpoint);
  AddExamples(checkpoint, {"table checkpoint silver.observation"});
  CLI::App* verify = AddUpkeep(
      line, group, "verify", "Check its log, files, statistics, changes and key", options, Verify);
  AddExamples(verify, {"table verify silver.observation", "table verify ./exports/a_table --json"});
  CLI::App* restore = AddUpkeep(line, group, "restore",
                                "Make a new version that is as an old one was", options, Restore);
  restore->add_option("--version", options->version, "The version to go back to")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->required();
  restore->add_flag("--rewind", options->rewind,
                    "Let the positions of what feeds the table go back, too");
  AddExamples(restore, {"table history gold.bp_daily",
                        "table restore gold.bp_daily --version 12 "
                        "--rewind"});
}

}  // namespace vitalake::cli
