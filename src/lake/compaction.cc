#include "lake/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/json_tree.h"
#include "base/log.h"
#include "engine/parquet_files.h"
#include "engine/relation.h"
#include "lake/key_index.h"
#include "lake/sql_text.h"
#include "lake/step_times.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

// Files read at once at most: each costs an open file and some words of SQL.
constexpr size_t kFilesPerGroup = 1000;

// How long a table is left alone whose commits did not let compaction win.
constexpr std::chrono::minutes kFirstPause{1};
constexpr std::chrono::minutes kLongestPause{32};

// "a,`b c`" -> a, b c.
std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '`') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      names.emplace_back();
    } else if (c != ' ' || quoted) {
      names.back() += c;
    }
  }
  std::erase(names, "");
  return names;
}

// Columns that the files' statistics tell of: no others are told of afterwards.
std::vector<std::string> ToldColumns(const delta::CompactionGroup& group) {
  std::set<std::string, std::less<>> names;
  JsonParser parser;
  for (const delta::AddFilePtr& file : group.files) {
    const auto stats = parser.Parse(file->stats);
    if (!stats) continue;
    for (const std::string_view member : {"minValues", "maxValues", "nullCount"}) {
      for (const JsonValue column : stats->Find(member).children()) names.emplace(column.key());
    }
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> StatsColumns(const delta::Snapshot& snapshot,
                                      const delta::CompactionGroup& group) {
  const auto named = snapshot.Property("delta.dataSkippingStatsColumns");
  return named ? SplitNames(*named) : ToldColumns(group);
}

// Columns that data files hold: those of partitions are in the log.
std::vector<std::string> DataColumns(const delta::Snapshot& snapshot) {
  std::vector<std::string> names = ColumnNames(snapshot);
  const auto& partitions = snapshot.metadata().partition_columns;
  std::erase_if(names, [&](const std::string& name) {
    return std::ranges::find(partitions, name) != partitions.end();
  });
  return names;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

std::vector<std::string> PathsOf(const delta::CompactionGroup& group) {
  std::vector<std::string> paths;
  for (const delta::AddFilePtr& file : group.files) paths.push_back(file->path);
  return paths;
}

// The rows the log says the files have; nullopt when it does not tell for all.
std::optional<int64_t> RowsOf(const delta::CompactionGroup& group) {
  int64_t rows = 0;
  for (const delta::AddFilePtr& file : group.files) {
    const auto count = file->NumRecords();
    if (!count) return std::nullopt;
    rows += *count;
  }
  return rows;
}

class Compactor {
 public:
  Compactor(Lake& lake, const UpkeepTable& target, engine::Connection& connection, const Wait& wait)
      : lake_(lake), target_(target), table_(target.table), connection_(connection), wait_(wait) {}

  Result<CompactionResult> Run(const CompactionProgress& progress) {
    VL_RETURN_IF_ERROR(Begin());
    result_.files_before = static_cast<int64_t>(snapshot_->files().size());
    // A group has so many files at most that its result may be small again. What comes meanwhile is
    // left to the next call: a stream would never let this one end.
    for (bool again = true; again;) {
      const auto groups = delta::PlanCompaction(*snapshot_, limits_, kFilesPerGroup);
      const int64_t replaced = result_.files_replaced;
      VL_RETURN_IF_ERROR(CompactAll(groups, progress));
      again = result_.files_replaced > replaced &&
              std::ranges::any_of(groups, [](const delta::CompactionGroup& group) {
                return group.files.size() >= kFilesPerGroup;
              });
    }
    if (target_.spec && result_.files_replaced > 0) {
      KeyIndex(lake_, target_.spec->name).DropAllBut(*snapshot_);
    }
    result_.files_after = static_cast<int64_t>(snapshot_->files().size());
    result_.version = snapshot_->version();
    return result_;
  }

  // The group of the oldest files alone.
  Status RunOnce() {
    VL_RETURN_IF_ERROR(Begin());
    const auto groups = delta::PlanCompaction(*snapshot_, limits_, kFilesPerGroup);
    if (groups.empty()) return {};
    VL_TRY([[maybe_unused]] const bool committed, CompactGroup(groups.front()));
    VL_TRY(snapshot_, table_.Latest());
    KeyIndex(lake_, target_.spec->name).DropAllBut(*snapshot_);
    return {};
  }

 private:
  Status Begin() {
    VL_TRY(snapshot_, table_.Latest());
    VL_RETURN_IF_ERROR(snapshot_->CheckWritable());
    limits_ = LimitsOf(lake_, target_, *snapshot_);
    return {};
  }

  Status CompactAll(const std::vector<delta::CompactionGroup>& groups,
                    const CompactionProgress& progress) {
    int64_t total = 0;
    for (const delta::CompactionGroup& group : groups) total += group.size_bytes;
    int64_t done = 0;
    for (const delta::CompactionGroup& group : groups) {
      VL_RETURN_IF_ERROR(wait_.Check(lake_.clock(), "compacting"));
      if (progress) progress(done, total);
      VL_TRY(const bool committed, CompactGroup(group));
      if (!committed) ++result_.groups_given_way;
      done += group.size_bytes;
      VL_TRY(snapshot_, table_.Latest());
    }
    return {};
  }

  // Whether the newest version still has all files of the group.
  bool IsThere(const delta::CompactionGroup& group) const {
    return std::ranges::all_of(group.files, [&](const delta::AddFilePtr& file) {
      return snapshot_->FindFile(file->path) != nullptr;
    });
  }

  Result<bool> CompactGroup(const delta::CompactionGroup& group) {
    if (!IsThere(group)) return false;
    VL_TRY(const std::filesystem::path staging, table_.environment().store.StagingFolder());
    VL_TRY(const Lake::WorkFolder folder,
           Lake::WorkFolder::Make(staging / ("optimize-" + lake_.random().Uuid())));
    StepTimes times(lake_.clock(),
                    fmt::format("compaction of {} files of {}", group.files.size(), table_.root()));
    VL_TRY(const auto written, Write(group, folder.path()));
    times.Done("write");
    int64_t rows = 0;
    int64_t bytes = 0;
    for (const engine::WrittenFile& file : written) {
      rows += file.rows;
      bytes += file.size_bytes;
    }
    if (const auto told = RowsOf(group); told && *told != rows) {
      return Fail(
          ErrorKind::kCorrupt,
          fmt::format("{} files with {} rows by the log hold {}; `table verify` finds which",
                      group.files.size(), *told, rows));
    }
    VL_TRY(const bool committed, Commit(group, written));
    times.Done(committed ? "commit" : "give way");
    if (!committed) return false;
    result_.files_replaced += static_cast<int64_t>(group.files.size());
    result_.files_written += static_cast<int64_t>(written.size());
    result_.rows_moved += rows;
    result_.bytes_read += group.size_bytes;
    result_.bytes_written += bytes;
    return true;
  }

  Result<std::vector<engine::WrittenFile>> Write(const delta::CompactionGroup& group,
                                                 const std::filesystem::path& folder) {
    const std::vector<std::string> columns = DataColumns(*snapshot_);
    const std::vector<std::string> paths = PathsOf(group);
    const bool clustered = target_.spec && !target_.spec->clustered_by.empty();
    engine::RelationOptions relation;
    relation.columns = columns;
    relation.with_positions = !clustered;
    relation.files = paths;
    VL_TRY(std::string rows, engine::RelationSql(target_.Files(snapshot_), relation));
    engine::ParquetOptions options;
    options.stats_columns = StatsColumns(*snapshot_, group);
    if (clustered) {
      for (const std::string& column : target_.spec->clustered_by) {
        options.sort_by.push_back(engine::QuoteName(column));
      }
    } else {
      rows = fmt::format("SELECT {} FROM ({}) ORDER BY {}, _row", NameList(columns), rows,
                         PlaceOfFile(paths));
    }
    options.row_group_rows = RowGroupRows(options.row_group_rows, columns.size());
    return engine::WriteParquet(connection_, rows, folder, options, wait_);
  }

  // Each thread holds a row group while it is written: with little memory they are small.
  int64_t RowGroupRows(int64_t most, size_t columns) const {
    constexpr int64_t kBytesPerValue = 32;
    constexpr int64_t kVector = 2048;
    const engine::EngineOptions& engine = connection_.engine().options();
    const int64_t row_bytes = kBytesPerValue * static_cast<int64_t>(columns) * engine.threads;
    int64_t rows = std::min(most, engine.memory_bytes / std::max<int64_t>(row_bytes, 1));
    rows = std::min(rows, target_.MostRows() / 2);
    return std::max(kVector, rows / kVector * kVector);
  }

  // SQL: a number that grows with the place of `_file` among `paths`.
  static std::string PlaceOfFile(const std::vector<std::string>& paths) {
    std::string list;
    for (const std::string& path : paths) {
      list += (list.empty() ? "" : ", ") + engine::QuoteLiteral(path);
    }
    return fmt::format("list_position([{}], _file)", list);
  }

  // False: another writer was there first; nothing is left of it.
  Result<bool> Commit(const delta::CompactionGroup& group,
                      const std::vector<engine::WrittenFile>& written) {
    VL_TRY(const std::vector<std::string> paths,
           Publish(table_, written, FolderOf(group.files.front()->path)));
    const std::vector<std::string> replaced = PathsOf(group);
    delta::Transaction tx(table_, snapshot_);
    tx.ReadFiles(replaced);
    tx.SetOperation("OPTIMIZE",
                    {{"targetRows", fmt::to_string(limits_.target_rows)},
                     {"targetBytes", fmt::to_string(limits_.target_bytes)}},
                    {{"numRemovedFiles", fmt::to_string(replaced.size())},
                     {"numRemovedBytes", fmt::to_string(group.size_bytes)},
                     {"numAddedFiles", fmt::to_string(written.size())}});
    for (size_t i = 0; i < written.size(); ++i) {
      delta::AddFile add = AddOf(written[i], paths[i]);
      add.partition_values = group.files.front()->partition_values;
      add.data_change = false;
      tx.Add(std::move(add));
    }
    for (const std::string& path : replaced) tx.Remove(path, /*data_change=*/false);
    auto result = tx.Commit(wait_);
    if (!result) {
      if (result.error().kind != ErrorKind::kUnknownOutcome) Unpublish(table_, paths);
      return std::unexpected(std::move(result).error());
    }
    if (const auto* conflict = std::get_if<delta::Conflict>(&*result)) {
      log::Debug("compaction of {} gives way: {}", table_.root(), conflict->message);
      Unpublish(table_, paths);
      return false;
    }
    FollowWithCheckpoint(lake_, target_, std::get<delta::Committed>(*result));
    return true;
  }

  Lake& lake_;
  const UpkeepTable& target_;
  delta::Table& table_;
  engine::Connection& connection_;
  const Wait& wait_;
  delta::CompactionLimits limits_;
  delta::SnapshotPtr snapshot_;
  CompactionResult result_;
};

Result<bool> HasMoreSmallFiles(Lake& lake, const UpkeepTable& target, int64_t most) {
  VL_TRY(const delta::SnapshotPtr snapshot, target.table.Latest());
  // Which files are small is told by their statistics, and this is asked after every commit.
  return std::ssize(snapshot->files()) > most &&
         delta::CountSmallFiles(*snapshot, LimitsOf(lake, target, *snapshot)) > most;
}

}  // namespace

delta::CompactionLimits LimitsOf(Lake& lake, const UpkeepTable& table,
                                 const delta::Snapshot& snapshot) {
  constexpr int64_t kSortedBytesPerValue = 24;
  const MaintainOptions& maintain = lake.options().maintain;
  delta::CompactionLimits limits{maintain.target_rows, maintain.target_bytes};
  limits.target_rows = std::min(limits.target_rows, table.MostRows());
  const auto columns = static_cast<int64_t>(snapshot.schema().fields().size());
  const int64_t sortable = lake.upkeep_engine().options().memory_bytes /
                           (kSortedBytesPerValue * std::max<int64_t>(columns, 1));
  limits.target_rows = std::min(limits.target_rows, sortable);
  return limits;
}

Result<CompactionResult> Compact(Lake& lake, const UpkeepTable& table, const Wait& wait,
                                 const CompactionProgress& progress) {
  VL_TRY(engine::Connection connection, lake.upkeep_engine().Connect());
  auto result = Compactor(lake, table, connection, wait).Run(progress);
  if (result) return result;
  Error error = std::move(result).error();
  if (error.kind == ErrorKind::kLimit) {
    error.message = "memory does not do for it; raise `memory`, or lower maintain.target_rows: " +
                    error.message;
  }
  return Because(std::move(error), fmt::format("compacting {}", table.table.root()));
}

Status CompactGroupIfMore(Lake& lake, const TableSpec& spec, int64_t most, int64_t most_rows,
                          const Wait& wait) {
  VL_TRY(delta::Table* const table, lake.OpenTable(spec.name));
  const UpkeepTable target{*table, &spec, most_rows};
  VL_TRY(const bool due, HasMoreSmallFiles(lake, target, most));
  if (!due) return {};
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  return Compactor(lake, target, connection, wait).RunOnce();
}

// The smallest files take a moment; so where it cannot win, that is soon known.
Result<CompactionResult> CompactionRounds::CompactInSteps(const TableSpec& spec,
                                                          const UpkeepTable& target,
                                                          const Wait& wait) {
  const UpkeepTable smallest{target.table, &spec, std::min(kRowsOfFirstFiles, target.most_rows)};
  VL_TRY(CompactionResult sum, Compact(lake_, smallest, wait));
  if (sum.groups_given_way > 0) return sum;
  VL_TRY(const bool due, HasMoreSmallFiles(lake_, target, lake_.options().maintain.small_files));
  if (!due) return sum;
  VL_TRY(CompactionResult all, Compact(lake_, target, wait));
  all.files_before = sum.files_before;
  all.files_replaced += sum.files_replaced;
  all.files_written += sum.files_written;
  all.rows_moved += sum.rows_moved;
  all.bytes_read += sum.bytes_read;
  all.bytes_written += sum.bytes_written;
  return all;
}

Result<std::optional<CompactionResult>> CompactionRounds::CompactIfDue(
    const TableSpec& spec, const Wait& wait,
    const std::function<void(const std::string& table)>& progress) {
  VL_TRY(delta::Table* const table, lake_.OpenTable(spec.name));
  const UpkeepTable target{*table, &spec, lake_.options().maintain.target_rows};
  VL_TRY(const bool due, HasMoreSmallFiles(lake_, target, lake_.options().maintain.small_files));
  if (!due) return std::nullopt;
  Pause& pause = pauses_[spec.name];
  if (lake_.clock().Steady() < pause.until) return std::nullopt;
  if (progress) progress(spec.name);
  VL_TRY(const CompactionResult result, CompactInSteps(spec, target, wait));
  if (result.groups_given_way == 0) {
    pauses_.erase(spec.name);
  } else {
    pause.length =
        std::clamp<std::chrono::nanoseconds>(pause.length * 2, kFirstPause, kLongestPause);
    pause.until = lake_.clock().Steady() + pause.length;
  }
  return result;
}

Result<std::vector<TableCompaction>> CompactionRounds::Run(
    const Wait& wait, const std::function<void(const std::string&)>& progress) {
  VL_TRY(const auto specs, lake_.Catalogue());
  std::vector<TableCompaction> done;
  for (const TableSpec* spec : specs) {
    VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "compacting"));
    const std::lock_guard alone(lake_.heavy_work());
    auto result = CompactIfDue(*spec, wait, progress);
    if (result) {
      if (*result) done.push_back({spec->name, **result});
    } else if (result.error().kind == ErrorKind::kCancelled ||
               result.error().kind == ErrorKind::kDeadline) {
      return std::unexpected(std::move(result).error());
    } else {
      log::Warn("{} stays as it is: {}", spec->name, result.error().ToString());
    }
  }
  return done;
}

}  // namespace vitalake::lake
