// Snapshot: a Delta table as it was at one version.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "delta/actions.h"
#include "delta/schema.h"

namespace vitalake::delta {

// What a commit file looked like when it was read: tells whether a log was replaced meanwhile.
struct CommitMark {
  int64_t size_bytes = -1;  // -1: the commit's JSON is not there (log starts at a checkpoint)
  Micros modified = 0;
  bool operator==(const CommitMark&) const = default;
};

// What the log says at one version, put together by LogReplay.
struct SnapshotState {
  Version version{};
  CommitMark mark{};
  // Latest version whose commit is known to hold (or may hold) a metaData action.
  Version metadata_version{};
  Protocol protocol{};
  Metadata metadata{};
  std::vector<AddFilePtr> files{};
  std::map<std::string, Txn, std::less<>> txns{};
  std::map<std::string, DomainMetadata, std::less<>> domains{};
};

// Immutable; held by shared_ptr; thread-safe. Files are unique by path.
class Snapshot {
 public:
  // Checks that we can read such a table: kUnsupported names the protocol version or feature that
  // we lack. kCorrupt when the schema is none.
  static Result<std::shared_ptr<const Snapshot>> Make(SnapshotState state);

  Version version() const { return state_.version; }
  // When the commit was made: modification time of its file (as every Delta reader takes it); 0
  // when that file is gone.
  Micros timestamp() const { return state_.mark.modified; }
  const Protocol& protocol() const { return state_.protocol; }
  const Metadata& metadata() const { return state_.metadata; }
  const Schema& schema() const { return schema_; }
  // The files that make up the table, in the order in which they were added.
  std::span<const AddFilePtr> files() const { return state_.files; }
  // The file of that (decoded) path, or null.
  AddFilePtr FindFile(std::string_view path) const;
  int64_t size_bytes() const { return size_bytes_; }
  // Rows by the files' statistics; nullopt when one of them does not tell.
  std::optional<int64_t> NumRecords() const;

  // Version of the last transaction of that application, nullopt when it never wrote.
  std::optional<int64_t> FindTxn(std::string_view app_id) const;
  const std::map<std::string, Txn, std::less<>>& txns() const { return state_.txns; }
  const std::map<std::string, DomainMetadata, std::less<>>& domains() const {
    return state_.domains;
  }

  // A table property ("delta.appendOnly"), nullopt when not set.
  std::optional<std::string> Property(std::string_view name) const;
  // The property as a boolean ("true" in any case), `otherwise` when not set.
  bool Flag(std::string_view name, bool otherwise = false) const;
  bool change_feed_enabled() const { return Flag("delta.enableChangeDataFeed"); }
  // delta.checkpointInterval; 10 when not set or not a positive number.
  int64_t checkpoint_interval() const;

  // ok when this writer can extend the table; kUnsupported naming what it lacks. A feature that is
  // listed but whose obligations are void here (no constraint, no generated column) is no obstacle.
  Status CheckWritable() const;

  const SnapshotState& state() const { return state_; }

 private:
  explicit Snapshot(SnapshotState state) : state_(std::move(state)) {}

  SnapshotState state_;
  Schema schema_;
  std::unordered_map<std::string_view, size_t> index_;  // path -> position in files
  int64_t size_bytes_ = 0;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace vitalake::delta
