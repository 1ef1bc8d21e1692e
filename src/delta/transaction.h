// Transaction: one optimistic commit to a Delta table.
//
//   auto tx = Transaction(table, snapshot);       // what it builds on
//   tx.Add(file); tx.Remove(old); tx.SetTxn("stream/...", 42);
//   tx.SetOperation("MERGE", {...}, {...});
//   VL_TRY(CommitResult result, tx.Commit(Wait::For(clock, 30s)));
//   if (auto* done = std::get_if<Committed>(&result)) ...
//
// Files named must be durable before (ObjectStore::PutFile).
// Source: Delta PROTOCOL, "Delta Log Entries", "Requirements for Writers".
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/deadline.h"
#include "base/ids.h"
#include "base/result.h"
#include "delta/actions.h"
#include "delta/snapshot.h"
#include "delta/table.h"

namespace vitalake::delta {

enum class Isolation {
  kSerializable,       // tables with a key: a concurrent blind append counts as well
  kWriteSerializable,  // tables without: a concurrent blind append is as if it came later
};

enum class ConflictKind {
  kProtocol,                // the winner changed the protocol
  kMetadata,                // the winner changed schema or properties
  kTxn,                     // the winner wrote (or we read) the same txn appId
  kConcurrentAppend,        // the winner added files that our reads should have seen
  kConcurrentDeleteRead,    // the winner removed files that we read
  kConcurrentDeleteDelete,  // the winner removed files that we remove, too
};
// "protocol", "metadata", "txn", "concurrent append", "read file removed", "file removed twice".
std::string_view ToString(ConflictKind kind);

struct Committed {
  Version version{};
  SnapshotPtr snapshot{};       // the table at that version; null when a winner made it unreadable
  bool checkpoint_due = false;  // version is a multiple of the table's checkpoint interval
  std::optional<Error> checksum_error{};  // the .crc could not be written (logged, harmless)
};

// The commit was not made and would be wrong on top of `winner`: read again, do the work again.
struct Conflict {
  ConflictKind kind = ConflictKind::kConcurrentAppend;
  Version winner{};
  std::string message{};
};

using CommitResult = std::variant<Committed, Conflict>;

// Not thread-safe; commit once. Unless told otherwise it is taken to have read the whole table and
// to be Serializable, which is always right and conflicts most.
class Transaction {
 public:
  // `snapshot` is what was read; the commit lands on it or, where the rules allow, on a later one.
  Transaction(Table& table, SnapshotPtr snapshot);

  const SnapshotPtr& snapshot() const { return snapshot_; }
  // The commit's own id, in commitInfo.txnId.
  const std::string& id() const { return id_; }

  // -- what the commit does ----------------------------------------------------------------------
  // file.path decoded and relative. modification_time_ms 0 is replaced by now.
  void Add(AddFile file);
  // Removes a file of the snapshot (others are refused by Commit).
  void Remove(std::string_view path, bool data_change = true);
  void AddCdc(CdcFile file);
  void SetTxn(std::string app_id, int64_t version);
  void SetMetadata(Metadata metadata);

  // -- what it says about itself (commitInfo) ----------------------------------------------------
  // Names as Spark spells them ("WRITE", "MERGE", "DELETE", "OPTIMIZE"); values as text.
  void SetOperation(std::string name, StringMap parameters = {}, StringMap metrics = {});
  // A member of commitInfo.vitalake; `json` is a JSON value.
  void SetUserInfo(std::string key, std::string json);

  // -- what it rests on --------------------------------------------------------------------------
  // Nothing of the table: a blind append.
  void ReadNothing();
  // These files and no others (a compaction): files added meanwhile do not matter.
  void ReadFiles(std::span<const std::string> paths);
  void ReadWholeTable();
  // These files; and `touches` says of a file added meanwhile (dataChange=true) whether it may
  // matter (an upsert looks for its keys in it). Its error ends the commit. It is asked once per
  // added file.
  void ReadWhere(std::span<const std::string> paths,
                 std::function<Result<bool>(const AddFile& added)> touches);
  // Rests on the version of that application's txn, without writing it.
  void ReadTxn(std::string app_id);
  void SetIsolation(Isolation isolation) { isolation_ = isolation; }

  // Commits, at the newest version reachable. After a lost race the winners are checked in the
  // order of ConflictKind and, if none conflicts, the commit is tried again on top of the last of
  // them, with a jittered pause, until `wait` ends. Errors, with nothing committed unless said:
  //   kInvalidArgument  two txn of one appId, a path twice, a removed path that is not there, a
  //                     path outside the table, partition values that do not fit, change files
  //                     without the change feed, nothing to commit
  //   kUnsupported      a writer feature that we lack; removal from an append-only table
  //   kDeadline, kCancelled
  //   kNotFound         an added file is not in the store; the snapshot is older than the log, or
  //                     the table was replaced
  //   kCorrupt          an added file has another size than said
  //   kUnknownOutcome   the store could not tell and could not be read back: maybe committed
  //   else              what the store or `touches` answered
  Result<CommitResult> Commit(const Wait& wait = {});

 private:
  enum class ReadScope { kNothing, kFiles, kWhere, kWholeTable };
  friend class Committer;
  friend class ConflictChecker;

  Table& table_;
  SnapshotPtr snapshot_;
  std::string id_;

  std::vector<AddFile> adds_;
  struct Removal {
    std::string path;
    bool data_change;
  };
  std::vector<Removal> removals_;
  std::vector<CdcFile> cdc_;
  std::vector<Txn> txns_;
  std::optional<Metadata> metadata_;

  std::string operation_ = "WRITE";
  StringMap parameters_;
  StringMap metrics_;
  StringMap user_info_;

  ReadScope scope_ = ReadScope::kWholeTable;
  std::set<std::string, std::less<>> read_files_;
  std::set<std::string, std::less<>> read_txns_;
  std::function<Result<bool>(const AddFile&)> touches_;
  Isolation isolation_ = Isolation::kSerializable;
  bool spent_ = false;
};

}  // namespace vitalake::delta
