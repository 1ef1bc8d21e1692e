// Table: one Delta table in an ObjectStore, read and kept through its log.
//
// On disk, below <root>/_delta_log/ (N = version, 20 digits):
//   N.json                            one commit, NDJSON, never overwritten
//   N.crc                             counts and transactions after commit N; optional
//   N.checkpoint.parquet              the whole state at N (V1); replaces all commits up to N
//   N.checkpoint.I.OF.parquet         the same in parts
//   _last_checkpoint                  a hint; may be stale, torn or missing
// Source: Delta PROTOCOL, "File Types".
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "delta/actions.h"
#include "delta/parquet_io.h"
#include "delta/schema.h"
#include "delta/snapshot.h"
#include "storage/object_store.h"

namespace vitalake::delta {

// What a table works with; all must outlive it and be thread-safe.
struct Environment {
  storage::ObjectStore& store;
  ParquetIo& parquet;
  Clock& clock;
  Random& random;
};

struct CreateOptions {
  Schema schema{};
  std::optional<std::string> name{};
  std::optional<std::string> description{};
  std::vector<std::string> partition_columns{};
  // Table properties. delta.enableChangeDataFeed is "true" unless said otherwise here.
  StringMap configuration{};
  // Members put into commitInfo under "vitalake": key -> JSON text.
  StringMap user_info{};
};

struct HistoryEntry {
  Version version{};
  Micros timestamp = 0;     // see Snapshot::timestamp
  std::string operation{};  // empty when the commit has no commitInfo
  StringMap parameters{};   // operationParameters; values that are no strings as JSON text
  StringMap metrics{};      // operationMetrics; likewise
  std::string info{};       // the whole commitInfo object as JSON; empty when there is none
};

enum class ChangeKind {
  kCdc,     // rows carry their own _change_type
  kInsert,  // every row of the file was inserted
  kDelete,  // every row of the file was deleted
};

// One file to read for the change feed of `version`.
struct ChangeFile {
  Version version{};
  Micros timestamp = 0;  // see Snapshot::timestamp
  ChangeKind kind = ChangeKind::kInsert;
  std::string path{};  // decoded, as AddFile::path
  PartitionValues partition_values{};
  std::optional<int64_t> size_bytes{};
  std::optional<DeletionVector> deletion_vector{};
};

// Thread-safe. Holds the latest snapshot it has seen.
class Table {
 public:
  // `root`: key prefix of the table's folder without trailing '/' ("silver/patient"). No I/O.
  static std::unique_ptr<Table> Open(Environment environment, std::string root);

  const std::string& root() const { return root_; }
  const Environment& environment() const { return environment_; }

  // Whether there is any commit or checkpoint.
  Result<bool> Exists();

  // Creates the table at version 0 (reader 1, writer 7: appendOnly, invariants, changeDataFeed).
  // kAlreadyExists when there is one; kInvalidArgument for a partition column that is not in the
  // schema or two columns of one name; kUnknownOutcome when the store could not tell.
  Result<SnapshotPtr> Create(const CreateOptions& options, const Wait& wait = {});

  // The newest version. Reads only the commits newer than the last snapshot seen here.
  // kNotFound: no table. kCorrupt: a gap between versions, no protocol or metadata, a broken line.
  // kUnsupported: a feature that we lack, named.
  Result<SnapshotPtr> Latest();
  // kNotFound when the version does not exist (yet), or no longer (message says which exist).
  Result<SnapshotPtr> At(Version version);
  // The newest version committed at or before `time`. kNotFound when the first one left is younger.
  // A `time` after the newest version gives the newest. Commit times are the files' modification
  // times, moved forward where needed to grow by at least 1 ms from version to version.
  Result<SnapshotPtr> AtTimestamp(Micros time);

  // Newest first, at most `limit`; as far back as the JSON commits reach.
  Result<std::vector<HistoryEntry>> History(size_t limit);

  // Files to read for the changes of versions [first, last], both inclusive, in order. A version
  // with change files has only those; else its added and removed files with dataChange.
  // kNotFound when one of the versions does not exist (any more); kInvalidArgument when the change
  // feed was off at one of them, or first > last. Source: Delta PROTOCOL, "Change Data Files".
  Result<std::vector<ChangeFile>> Changes(Version first, Version last);

  // Writes the checkpoint of `version` and points _last_checkpoint to it, unless that names a newer
  // one. One that is already there is left alone: ok. Expired tombstones are left out.
  Status Checkpoint(Version version);

  // Takes a snapshot made by a commit here, so that the next Latest() need not read it.
  void Remember(SnapshotPtr snapshot);

 private:
  Table(Environment environment, std::string root);
  SnapshotPtr Remembered();
  Result<bool> FeedWasOn(Version first);
  Status WriteCheckpointOf(Version version);
  // Says in errors which table it was.
  Result<SnapshotPtr> MakeSnapshot(Result<SnapshotState> state) const;

  Environment environment_;
  std::string root_;
  std::mutex mutex_;
  SnapshotPtr latest_;  // guarded by mutex_
};

}  // namespace vitalake::delta
