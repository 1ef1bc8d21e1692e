// LogReplay: what the actions of a log add up to, applied oldest first.
// Source: Delta PROTOCOL, "Action Reconciliation".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "delta/actions.h"
#include "delta/snapshot.h"
#include "storage/object_store.h"

namespace vitalake::delta {

// How that commit file looks now.
inline CommitMark MarkOf(const storage::ObjectInfo& object) {
  return {.size_bytes = object.size_bytes, .modified = object.modified};
}

enum class Tombstones { kDrop, kKeep };

// Not thread-safe. A file is known by its path and deletion vector; a later action on it replaces
// the earlier one.
class LogReplay {
 public:
  explicit LogReplay(Tombstones tombstones = Tombstones::kDrop) : tombstones_(tombstones) {}
  // Goes on from `state`.
  explicit LogReplay(const SnapshotState& state);

  // From here on actions belong to that commit, or to the checkpoint of that version.
  void Begin(Version version) { version_ = version; }
  void Apply(Action action);

  bool has_protocol() const { return protocol_.has_value(); }
  bool has_metadata() const { return metadata_.has_value(); }
  // Removed files, by key; empty unless kept.
  const std::map<std::string, RemoveFile>& tombstones() const { return removed_; }

  // The state after all actions; `mark` as SnapshotState. The replay is spent.
  // kCorrupt when there is no protocol or no metadata.
  Result<SnapshotState> Finish(CommitMark mark) &&;

 private:
  void Put(AddFile file);
  void Take(RemoveFile file);

  Tombstones tombstones_ = Tombstones::kDrop;
  Version version_;
  std::optional<Protocol> protocol_;
  std::optional<Metadata> metadata_;
  Version metadata_version_;
  std::vector<AddFilePtr> files_;                   // null: removed
  std::unordered_map<std::string, size_t> places_;  // key -> position in files_
  std::map<std::string, RemoveFile> removed_;
  std::map<std::string, Txn, std::less<>> txns_;
  std::map<std::string, DomainMetadata, std::less<>> domains_;
};

}  // namespace vitalake::delta
