// LogReader: snapshots out of a log.
//
// 1. _last_checkpoint, if it can be used, says from which version on to list the log; else all of
//    it is listed.
// 2. The newest complete checkpoint at or below the wanted version is read; one that cannot be read
//    is passed over (with a warning), down to none at all, as long as the commits reach that far.
// 3. The commits behind it are applied in order; versions must follow each other without a gap.
// A file that vanishes meanwhile (log clean-up) and a gap (a listing that raced with writers) make
// it list again, a few times, before they count as errors.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json_tree.h"
#include "delta/log_files.h"
#include "delta/log_replay.h"
#include "delta/parquet_io.h"
#include "delta/snapshot.h"

namespace vitalake::delta {

// Use once or often, by one thread at a time.
class LogReader {
 public:
  LogReader(storage::ObjectStore& store, ParquetIo& parquet, std::string_view root)
      : store_(store), parquet_(parquet), root_(root) {}

  // The state at `version`, or at the newest version. Errors as Table::Latest and Table::At.
  Result<SnapshotState> Load(std::optional<Version> version);

  // What Load has read, with the files that were removed (as far back as the log tells).
  struct FullState {
    SnapshotState state;
    std::map<std::string, RemoveFile> tombstones;
  };
  Result<FullState> LoadWithTombstones(Version version);

  // The state at `version` as the listed files give it, and no others: from its newest checkpoint
  // that can be read, or from the first commit when it has no checkpoint. Lists nothing anew.
  Result<SnapshotState> Replay(const LogListing& listing, Version version);

  // The newest state, from `base` on: reads only newer commits. nullopt: `base` is the newest.
  Result<std::optional<SnapshotState>> Advance(const SnapshotState& base);

 private:
  Result<FullState> LoadRetrying(std::optional<Version> version, Tombstones tombstones);
  Result<FullState> LoadOnce(std::optional<Version> version, Tombstones tombstones);
  Result<FullState> LoadFrom(const LogListing& listing, bool complete, Version version,
                             Tombstones tombstones);
  Result<FullState> ReadState(const LogListing& listing, const CheckpointFiles* checkpoint,
                              Version version, Tombstones tombstones);
  std::optional<Version> ReadHint();
  Status CheckReach(const LogListing& listing, Version after, Version version);
  Status ReplayCheckpoint(const CheckpointFiles& checkpoint, Tombstones tombstones,
                          LogReplay& replay);
  Status ReplayCommits(const LogListing& listing, Version after, Version version,
                       LogReplay& replay);
  Status ReplayCommit(Version version, std::string text, LogReplay& replay);

  storage::ObjectStore& store_;
  ParquetIo& parquet_;
  std::string root_;
  JsonParser parser_;
  bool log_moved_ = false;          // the last error may go away with a new listing
  bool checkpoint_failed_ = false;  // the last error came from reading a checkpoint
};

}  // namespace vitalake::delta
