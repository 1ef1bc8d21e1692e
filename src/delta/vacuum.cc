// 1. List the folder, before the log is read: what is listed and named by a commit made meanwhile
//    is young, and stays.
// 2. Read the newest version and its tombstones; and every commit made after the cutoff, for what
//    it removed and for its change files.
// 3. Ask the change feed for what the slowest consumer has not read.
// 4. What is listed, old enough, ours to judge and in none of these, is garbage.
#include "delta/vacuum.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "delta/commit_reader.h"
#include "delta/commit_times.h"
#include "delta/log_reader.h"

namespace vitalake::delta {
namespace {

using Paths = std::unordered_set<std::string>;

constexpr std::string_view kChangeFolder = "_change_data/";
// Files between two looks at the newest version.
constexpr size_t kPerLook = 500;
// No writer takes so long between writing a file and naming it.
constexpr Micros kUnnamedStays = int64_t{3600} * 1'000'000;

bool IsHiddenName(std::string_view name) {
  return (name.starts_with('_') || name.starts_with('.')) && !name.contains('=');
}

// Whether a vacuum may judge that file at all.
bool IsOurs(std::string_view path) {
  if (!path.ends_with(".parquet")) return false;
  if (path.starts_with(kChangeFolder)) path.remove_prefix(kChangeFolder.size());
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    if (IsHiddenName(path.substr(from, end - from))) return false;
    from = end + 1;
  }
  return true;
}

std::string FolderOf(const Table& table) {
  return table.root().empty() ? std::string() : table.root() + '/';
}

std::string PathOf(const Table& table, std::string_view key) {
  return std::string(key.substr(FolderOf(table).size()));
}

Status CheckRelative(const Table& table, std::string_view path) {
  if (const auto key = ResolvePath(table.root(), path); !key) {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("{}: which files are its own cannot be told; nothing was deleted",
                            key.error().message));
  }
  return {};
}

// What is needed, and what commits named and is known to have had its time.
struct Named {
  Paths needed;
  Paths past;
};

Status NameNewest(Table& table, const VacuumOptions& options, Named& named) {
  VL_TRY(const SnapshotPtr latest, table.Latest());
  VL_RETURN_IF_ERROR(latest->CheckWritable());
  const Environment& environment = table.environment();
  LogReader reader(environment.store, environment.parquet, table.root());
  VL_TRY(const LogReader::FullState full, reader.LoadWithTombstones(latest->version()));
  for (const AddFilePtr& file : full.state.files) {
    VL_RETURN_IF_ERROR(CheckRelative(table, file->path));
    named.needed.insert(file->path);
  }
  for (const auto& [key, gone] : full.tombstones) {
    named.past.insert(gone.path);
    const int64_t then_ms = gone.deletion_timestamp_ms.value_or(0);
    if (then_ms > options.cutoff / 1000) named.needed.insert(gone.path);
  }
  return {};
}

// Commits that are younger than the cutoff: whoever reads the version before them needs what they
// removed, and whoever follows the table needs their change files.
Status NameYoungCommits(Table& table, const VacuumOptions& options, Named& named) {
  const Environment& environment = table.environment();
  VL_TRY(const LogListing listing, ListLog(environment.store, table.root(), Version{0}));
  JsonParser parser;
  for (const TimedCommit& commit : TimesOf(listing)) {
    auto text = environment.store.Read(commit.key);
    if (!text && text.error().kind == ErrorKind::kNotFound) continue;  // cleaned up meanwhile
    if (!text) return std::unexpected(std::move(text).error());
    const bool young = commit.time > options.cutoff;
    VL_RETURN_IF_ERROR(ReadCommit(parser, *std::move(text), commit.key, ActionFilter::kAll,
                                  [&](const Action& action) {
                                    const auto* gone = std::get_if<RemoveFile>(&action);
                                    if (gone) named.past.insert(gone->path);
                                    if (gone && young) named.needed.insert(gone->path);
                                    const auto* changes = std::get_if<CdcFile>(&action);
                                    if (changes) named.past.insert(changes->path);
                                    if (changes && young) named.needed.insert(changes->path);
                                    return Status();
                                  }));
  }
  return {};
}

// Files of the change feed that the slowest consumer has not read; none when the feed does not
// reach back that far any more, or is off: then it has to read the whole table anyway.
Result<Paths> FeedBehind(Table& table, const std::optional<Version>& seen) {
  Paths paths;
  if (!seen) return paths;
  VL_TRY(const SnapshotPtr latest, table.Latest());
  if (*seen >= latest->version()) return paths;
  const auto files = table.Changes(Version{seen->value + 1}, latest->version());
  if (!files && (files.error().kind == ErrorKind::kNotFound ||
                 files.error().kind == ErrorKind::kInvalidArgument)) {
    return paths;
  }
  if (!files) return std::unexpected(files.error());
  for (const ChangeFile& file : *files) paths.insert(file.path);
  return paths;
}

GarbageKind KindOf(const std::string& path, const Named& named) {
  if (path.starts_with(kChangeFolder)) return GarbageKind::kChanges;
  return named.past.contains(path) ? GarbageKind::kRemoved : GarbageKind::kOrphan;
}

}  // namespace

std::string_view ToString(GarbageKind kind) {
  switch (kind) {
    case GarbageKind::kRemoved:
      return "removed";
    case GarbageKind::kOrphan:
      return "orphan";
    case GarbageKind::kChanges:
      return "changes";
  }
  return "";
}

Result<VacuumPlan> PlanVacuum(Table& table, const VacuumOptions& options) {
  VL_TRY(const auto objects, table.environment().store.List(FolderOf(table)));
  const std::string log = LogFolder(table.root());
  for (const storage::ObjectInfo& object : objects) {
    if (object.key.starts_with(log) || !object.key.contains("/_delta_log/")) continue;
    return Fail(ErrorKind::kUnsupported,
                fmt::format("there is another table inside the table's folder ({}): nothing was "
                            "deleted",
                            object.key));
  }
  Named named;
  VL_RETURN_IF_ERROR(NameNewest(table, options, named));
  VL_RETURN_IF_ERROR(NameYoungCommits(table, options, named));
  VL_TRY(const Paths feed, FeedBehind(table, options.feed_seen));
  const Micros now = table.environment().clock.NowMicros();
  const Micros unnamed_before = std::min(options.cutoff, now - kUnnamedStays);
  VacuumPlan plan;
  for (const storage::ObjectInfo& object : objects) {
    std::string path = PathOf(table, object.key);
    if (!IsOurs(path) || named.needed.contains(path)) continue;
    // A file that was named counts from the commit that let go of it, which was before the cutoff.
    if (!named.past.contains(path) && object.modified > unnamed_before) continue;
    const GarbageKind kind = KindOf(path, named);
    if (feed.contains(path)) {
      ++plan.kept_for_feed;
      continue;
    }
    plan.size_bytes += object.size_bytes;
    plan.files.push_back({std::move(path), kind, object.size_bytes, object.modified});
  }
  return plan;
}

Result<VacuumPlan> DeleteGarbage(Table& table, const VacuumPlan& plan, const Wait& wait,
                                 const std::function<void(size_t)>& progress) {
  VacuumPlan gone;
  gone.kept_for_feed = plan.kept_for_feed;
  SnapshotPtr latest;
  for (size_t i = 0; i < plan.files.size(); ++i) {
    if (i % kPerLook == 0) {
      VL_RETURN_IF_ERROR(wait.Check(table.environment().clock, "deleting files"));
      VL_TRY(latest, table.Latest());
      if (progress) progress(i);
    }
    const Garbage& garbage = plan.files[i];
    if (latest->FindFile(garbage.path)) continue;
    VL_TRY(const std::string key, ResolvePath(table.root(), garbage.path));
    VL_RETURN_IF_ERROR(table.environment().store.Delete(key));
    gone.size_bytes += garbage.size_bytes;
    gone.files.push_back(garbage);
  }
  return gone;
}

}  // namespace vitalake::delta
