#include "delta/log_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "delta/commit_reader.h"

namespace vitalake::delta {
namespace {

constexpr int kListings = 4;

CommitMark MarkIn(const LogListing& listing, Version version) {
  const CommitFile* const commit = listing.Find(version);
  return commit ? MarkOf(commit->object) : CommitMark();
}

}  // namespace

Result<SnapshotState> LogReader::Load(std::optional<Version> version) {
  VL_TRY(FullState loaded, LoadRetrying(version, Tombstones::kDrop));
  return std::move(loaded.state);
}

Result<LogReader::FullState> LogReader::LoadWithTombstones(Version version) {
  return LoadRetrying(version, Tombstones::kKeep);
}

Result<SnapshotState> LogReader::Replay(const LogListing& listing, Version version) {
  if (listing.empty()) return Fail(ErrorKind::kNotFound, "there is nothing of the log");
  const bool complete = listing.checkpoints.empty();
  VL_TRY(FullState loaded, LoadFrom(listing, complete, version, Tombstones::kDrop));
  return std::move(loaded.state);
}

Result<LogReader::FullState> LogReader::LoadRetrying(std::optional<Version> version,
                                                     Tombstones tombstones) {
  for (int left = kListings;; --left) {
    log_moved_ = false;
    auto loaded = LoadOnce(version, tombstones);
    if (loaded || !log_moved_ || left == 1) return loaded;
  }
}

Result<LogReader::FullState> LogReader::LoadOnce(std::optional<Version> version,
                                                 Tombstones tombstones) {
  if (const auto hint = ReadHint(); hint && hint->value > 0 && (!version || *hint <= *version)) {
    VL_TRY(const LogListing tail, ListLog(store_, root_, *hint));
    if (!tail.checkpoints.empty()) {
      auto loaded = LoadFrom(tail, false, version.value_or(tail.latest()), tombstones);
      if (loaded) return loaded;
      log::Warn("{}: reading the log from its last checkpoint failed, trying all of it: {}", root_,
                loaded.error().ToString());
    }
  }
  VL_TRY(const LogListing listing, ListLog(store_, root_, Version{0}));
  if (listing.empty()) {
    return Fail(ErrorKind::kNotFound, fmt::format("there is no Delta table at '{}'", root_));
  }
  return LoadFrom(listing, true, version.value_or(listing.latest()), tombstones);
}

// The hint's version, when it makes sense; whatever is wrong with it, the log itself decides.
std::optional<Version> LogReader::ReadHint() {
  const auto text = store_.Read(LastCheckpointKey(root_));
  if (!text) return std::nullopt;
  const auto root = parser_.Parse(*text);
  const JsonValue version = root ? root->Find("version") : JsonValue();
  const auto number = version.is_number() ? version.AsInt() : std::nullopt;
  if (!number || *number < 0) {
    log::Warn("{}: _last_checkpoint cannot be read and is ignored", root_);
    return std::nullopt;
  }
  return Version{*number};
}

// `complete`: the listing has the whole log, so that it may be read without a checkpoint.
Result<LogReader::FullState> LogReader::LoadFrom(const LogListing& listing, bool complete,
                                                 Version version, Tombstones tombstones) {
  std::optional<Error> unreadable;  // of the newest checkpoint that could not be read
  for (const CheckpointFiles& checkpoint : listing.checkpoints) {
    if (checkpoint.version > version) continue;
    checkpoint_failed_ = false;
    auto loaded = ReadState(listing, &checkpoint, version, tombstones);
    if (loaded || !checkpoint_failed_) return loaded;
    log::Warn("{}: the checkpoint of version {} is passed over: {}", root_,
              checkpoint.version.value, loaded.error().ToString());
    if (!unreadable) unreadable = std::move(loaded).error();
  }
  if (complete) {
    auto loaded = ReadState(listing, nullptr, version, tombstones);
    if (loaded || !unreadable) return loaded;
    return Because(*std::move(unreadable), loaded.error().message);
  }
  if (unreadable) return std::unexpected(*std::move(unreadable));
  return Fail(ErrorKind::kNotFound,
              fmt::format("there is no checkpoint at or below version {}", version.value));
}

// The state at `version` from that checkpoint, or from the first commit.
Result<LogReader::FullState> LogReader::ReadState(const LogListing& listing,
                                                  const CheckpointFiles* checkpoint,
                                                  Version version, Tombstones tombstones) {
  const Version after = checkpoint ? checkpoint->version : Version{-1};
  VL_RETURN_IF_ERROR(CheckReach(listing, after, version));
  LogReplay replay(tombstones);
  if (checkpoint) {
    if (auto status = ReplayCheckpoint(*checkpoint, tombstones, replay); !status) {
      checkpoint_failed_ = true;
      return std::unexpected(std::move(status).error());
    }
    if (!replay.has_protocol() || !replay.has_metadata()) {
      return Fail(ErrorKind::kCorrupt,
                  fmt::format("the checkpoint of version {} holds no {} action", after.value,
                              replay.has_protocol() ? "metaData" : "protocol"));
    }
  }
  VL_RETURN_IF_ERROR(ReplayCommits(listing, after, version, replay));
  std::map<std::string, RemoveFile> removed = replay.tombstones();
  VL_TRY(SnapshotState state, std::move(replay).Finish(MarkIn(listing, version)));
  return FullState{std::move(state), std::move(removed)};
}

// Every commit in (after, version] must be listed.
Status LogReader::CheckReach(const LogListing& listing, Version after, Version version) {
  if (version <= after) return {};
  const Version latest = listing.latest();
  if (version > latest) {
    return Fail(ErrorKind::kNotFound, fmt::format("there is no version {}; the newest is {}",
                                                  version.value, latest.value));
  }
  Version expected{after.value + 1};
  for (const CommitFile& commit : listing.commits) {
    if (commit.version <= after) continue;
    if (commit.version > version) break;
    if (commit.version != expected) break;
    ++expected.value;
  }
  if (expected > version) return {};
  log_moved_ = true;
  if (after.value < 0 && expected.value == 0 && version < latest) {
    return Fail(ErrorKind::kNotFound,
                fmt::format("version {} is no longer in the log: it begins later", version.value));
  }
  return Fail(ErrorKind::kCorrupt,
              fmt::format("the versions of the log are not contiguous: {} is missing below {}",
                          expected.value, version.value));
}

Status LogReader::ReplayCheckpoint(const CheckpointFiles& checkpoint, Tombstones tombstones,
                                   LogReplay& replay) {
  if (checkpoint.form == CheckpointForm::kV2) {
    return Fail(ErrorKind::kUnsupported,
                "the table needs reader features that are not supported: v2Checkpoint");
  }
  replay.Begin(checkpoint.version);
  std::vector<std::string> columns = {"protocol", "metaData",           "txn",           "add",
                                      "sidecar",  "checkpointMetadata", "domainMetadata"};
  if (tombstones == Tombstones::kKeep) columns.push_back("remove");
  const auto apply = [&](std::string_view json) -> Status {
    const auto row = parser_.Parse(json);
    if (!row) return Fail(ErrorKind::kCorrupt, row.error().message);
    if (row->Find("sidecar") || row->Find("checkpointMetadata")) {
      return Fail(ErrorKind::kUnsupported,
                  "the table needs reader features that are not supported: v2Checkpoint");
    }
    VL_TRY(std::optional<Action> action, ParseAction(*row));
    if (action) replay.Apply(*std::move(action));
    return {};
  };
  for (const std::string& key : checkpoint.keys) {
    auto file = store_.LocalPath(key);
    Status status = file ? parquet_.ReadActions(*file, columns, apply)
                         : Status(std::unexpected(std::move(file).error()));
    if (!status) {
      log_moved_ = log_moved_ || status.error().kind == ErrorKind::kNotFound;
      return Because(std::move(status).error(), key);
    }
  }
  return {};
}

Status LogReader::ReplayCommits(const LogListing& listing, Version after, Version version,
                                LogReplay& replay) {
  for (const CommitFile& commit : listing.commits) {
    if (commit.version <= after) continue;
    if (commit.version > version) break;
    auto text = store_.Read(commit.object.key);
    if (!text) {
      log_moved_ = text.error().kind == ErrorKind::kNotFound;
      return Because(std::move(text).error(), fmt::format("version {}", commit.version.value));
    }
    VL_RETURN_IF_ERROR(ReplayCommit(commit.version, *std::move(text), replay));
  }
  return {};
}

Status LogReader::ReplayCommit(Version version, std::string text, LogReplay& replay) {
  replay.Begin(version);
  return ReadCommit(parser_, std::move(text), CommitKey(root_, version), ActionFilter::kState,
                    [&](Action action) {
                      replay.Apply(std::move(action));
                      return Status();
                    });
}

Result<std::optional<SnapshotState>> LogReader::Advance(const SnapshotState& base) {
  const auto same = store_.Head(CommitKey(root_, base.version));
  if (!same && same.error().kind != ErrorKind::kNotFound) return std::unexpected(same.error());
  const CommitMark mark = same ? MarkOf(*same) : CommitMark();
  if (mark != base.mark) return Load(std::nullopt);  // cleaned up, or another table by now

  std::optional<LogReplay> replay;
  Version newest = base.version;
  while (true) {
    const Version next{newest.value + 1};
    auto text = store_.Read(CommitKey(root_, next));
    if (!text && text.error().kind == ErrorKind::kNotFound) break;
    if (!text) return std::unexpected(std::move(text).error());
    if (!replay) replay.emplace(base);
    VL_RETURN_IF_ERROR(ReplayCommit(next, *std::move(text), *replay));
    newest = next;
  }
  if (!replay) return std::nullopt;
  VL_TRY(const storage::ObjectInfo last, store_.Head(CommitKey(root_, newest)));
  VL_TRY(SnapshotState state, std::move(*replay).Finish(MarkOf(last)));
  return state;
}

}  // namespace vitalake::delta
