#include "delta/transaction.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "delta/checksum.h"
#include "delta/commit_reader.h"
#include "delta/commit_writer.h"
#include "delta/conflict_checker.h"
#include "delta/log_files.h"
#include "delta/log_replay.h"
#include "delta/transaction_check.h"

namespace vitalake::delta {

std::string_view ToString(ConflictKind kind) {
  switch (kind) {
    case ConflictKind::kProtocol:
      return "protocol";
    case ConflictKind::kMetadata:
      return "metadata";
    case ConflictKind::kTxn:
      return "txn";
    case ConflictKind::kConcurrentAppend:
      return "concurrent append";
    case ConflictKind::kConcurrentDeleteRead:
      return "read file removed";
    case ConflictKind::kConcurrentDeleteDelete:
      return "file removed twice";
  }
  return "";
}

Transaction::Transaction(Table& table, SnapshotPtr snapshot)
    : table_(table), snapshot_(std::move(snapshot)), id_(table.environment().random.Uuid()) {}

void Transaction::Add(AddFile file) { adds_.push_back(std::move(file)); }

void Transaction::Remove(std::string_view path, bool data_change) {
  removals_.push_back({std::string(path), data_change});
}

void Transaction::AddCdc(CdcFile file) { cdc_.push_back(std::move(file)); }

void Transaction::SetTxn(std::string app_id, int64_t version) {
  txns_.push_back({.app_id = std::move(app_id), .version = version});
}

void Transaction::SetMetadata(Metadata metadata) { metadata_ = std::move(metadata); }

void Transaction::SetOperation(std::string name, StringMap parameters, StringMap metrics) {
  operation_ = std::move(name);
  parameters_ = std::move(parameters);
  metrics_ = std::move(metrics);
}

void Transaction::SetUserInfo(std::string key, std::string json) {
  user_info_.insert_or_assign(std::move(key), std::move(json));
}

void Transaction::ReadNothing() {
  scope_ = ReadScope::kNothing;
  read_files_.clear();
}

void Transaction::ReadFiles(std::span<const std::string> paths) {
  scope_ = ReadScope::kFiles;
  read_files_ = {paths.begin(), paths.end()};
}

void Transaction::ReadWholeTable() { scope_ = ReadScope::kWholeTable; }

void Transaction::ReadWhere(std::span<const std::string> paths,
                            std::function<Result<bool>(const AddFile& added)> touches) {
  VL_CHECK(touches != nullptr);
  scope_ = ReadScope::kWhere;
  read_files_ = {paths.begin(), paths.end()};
  touches_ = std::move(touches);
}

void Transaction::ReadTxn(std::string app_id) { read_txns_.insert(std::move(app_id)); }

// One run of Transaction::Commit:
//  1. check what is proposed, and that the files are there;
//  2. check that the log still goes on from the snapshot (a version below a cleaned-up log could be
//     written without anybody noticing);
//  3. put the commit at the next version;
//  4. if that is taken: pause, read all winners, check each, and go to 3 behind the last of them;
//  5. note the checksum file and remember the new snapshot.
class Committer {
 public:
  Committer(Transaction& transaction, const Wait& wait)
      : tx_(transaction),
        table_(transaction.table_),
        environment_(table_.environment()),
        base_(*transaction.snapshot_),
        replay_(base_.state()),
        wait_(wait) {}

  Result<CommitResult> Run() {
    VL_RETURN_IF_ERROR(Prepare());
    VL_RETURN_IF_ERROR(wait_.Check(environment_.clock, "committing"));
    VL_RETURN_IF_ERROR(CheckLogGoesOn());
    const std::string text = Text();
    Version version{base_.version().value + 1};
    for (int attempt = 0;; ++attempt) {
      VL_TRY(const CommitPut put,
             PutCommit(environment_, table_.root(), version, text, tx_.id_, wait_));
      if (put != CommitPut::kTaken) return Finish(version, put);
      VL_RETURN_IF_ERROR(PauseBeforeRetry(environment_, wait_, attempt, "committing"));
      VL_TRY(std::optional<Conflict> conflict, CatchUp(version));
      if (conflict) return CommitResult(*std::move(conflict));
    }
  }

 private:
  Status Prepare() {
    const int64_t now_ms = NowMs(environment_.clock);
    for (AddFile& add : tx_.adds_) {
      if (add.modification_time_ms == 0) add.modification_time_ms = now_ms;
    }
    for (Txn& txn : tx_.txns_) txn.last_updated_ms = now_ms;
    for (const Transaction::Removal& removal : tx_.removals_) {
      const AddFilePtr file = base_.FindFile(removal.path);
      if (!file) {
        return Fail(ErrorKind::kInvalidArgument,
                    fmt::format("the removed file '{}' is not in version {}", removal.path,
                                base_.version().value));
      }
      removes_.push_back(RemoveFile::Of(*file, now_ms, removal.data_change));
    }
    const ProposedCommit proposed{base_,    table_.root(), tx_.adds_,    removes_,
                                  tx_.cdc_, tx_.txns_,     tx_.metadata_};
    VL_RETURN_IF_ERROR(CheckProposed(proposed));
    return CheckFilesAreThere(environment_.store, proposed);
  }

  Status CheckLogGoesOn() {
    const auto commit = environment_.store.Head(CommitKey(table_.root(), base_.version()));
    if (!commit && commit.error().kind != ErrorKind::kNotFound) {
      return std::unexpected(commit.error());
    }
    const CommitMark mark = commit ? MarkOf(*commit) : CommitMark();
    bool goes_on = mark == base_.state().mark;
    if (goes_on && !commit) {
      // The log begins at a checkpoint: whatever is newer must follow it.
      const Version next{base_.version().value + 1};
      VL_TRY(const LogListing newer, ListLog(environment_.store, table_.root(), next));
      goes_on = newer.empty() || newer.Find(next) != nullptr;
    }
    if (goes_on) return {};
    return Fail(ErrorKind::kNotFound,
                fmt::format("version {} is no longer in the log: it was cleaned up, or the table "
                            "was replaced; read the table again",
                            base_.version().value));
  }

  std::string Text() {
    CommitHeader header{.txn_id = tx_.id_,
                        .timestamp_ms = NowMs(environment_.clock),
                        .operation = tx_.operation_,
                        .parameters = tx_.parameters_,
                        .metrics = tx_.metrics_,
                        .read_version = base_.version(),
                        .isolation = tx_.isolation_ == Isolation::kSerializable
                                         ? "Serializable"
                                         : "WriteSerializable",
                        .is_blind_append = tx_.scope_ == Transaction::ReadScope::kNothing &&
                                           removes_.empty() && !tx_.metadata_,
                        .user_info = tx_.user_info_};
    std::string text = CommitInfoLine(header) + '\n';
    ForEachOwnAction([&](const Action& action) { text += WriteAction(action) + '\n'; });
    return text;
  }

  template <class Use>
  void ForEachOwnAction(Use use) {
    if (tx_.metadata_) use(Action(*tx_.metadata_));
    for (const Txn& txn : tx_.txns_) use(Action(txn));
    for (const RemoveFile& remove : removes_) use(Action(remove));
    for (const AddFile& add : tx_.adds_) use(Action(add));
    for (const CdcFile& cdc : tx_.cdc_) use(Action(cdc));
  }

  // Reads the winners from `version` on, and moves it behind the last of them.
  Result<std::optional<Conflict>> CatchUp(Version& version) {
    for (;; ++version.value) {
      const std::string key = CommitKey(table_.root(), version);
      auto text = environment_.store.Read(key);
      if (!text && text.error().kind == ErrorKind::kNotFound) return std::nullopt;
      if (!text) return std::unexpected(std::move(text).error());
      VL_TRY(auto conflict, CheckWinner(version, *std::move(text), key));
      if (conflict) return conflict;
    }
  }

  Result<std::optional<Conflict>> CheckWinner(Version version, std::string text,
                                              std::string_view key) {
    std::vector<Action> actions;
    VL_RETURN_IF_ERROR(
        ReadCommit(parser_, std::move(text), key, ActionFilter::kAll, [&](Action action) {
          actions.push_back(std::move(action));
          return Status();
        }));
    VL_TRY(auto conflict, ConflictChecker(tx_).Check(version, actions));
    if (conflict) return conflict;
    replay_.Begin(version);
    for (Action& action : actions) replay_.Apply(std::move(action));
    return std::nullopt;
  }

  Result<CommitResult> Finish(Version version, CommitPut put) {
    Committed committed{.version = version};
    auto snapshot = OwnSnapshot(version);
    Status checksum = snapshot
                          ? WriteChecksum(environment_.store, table_.root(), **snapshot, tx_.id_)
                          : Status(std::unexpected(snapshot.error()));
    if (!checksum) {
      // A file made durable beside it would have made the commit's own name durable, too.
      if (put == CommitPut::kReadBack) {
        return Fail(ErrorKind::kUnknownOutcome,
                    fmt::format("version {} is there, but may not survive a crash: {}",
                                version.value, checksum.error().ToString()));
      }
      log::Warn("{}: no checksum file for version {}: {}", table_.root(), version.value,
                checksum.error().ToString());
      committed.checksum_error = std::move(checksum).error();
    }
    if (snapshot) {
      committed.checkpoint_due = version.value % (*snapshot)->checkpoint_interval() == 0;
      table_.Remember(*snapshot);
      committed.snapshot = *std::move(snapshot);
    }
    return CommitResult(std::move(committed));
  }

  // What the table is after our commit, out of what we have read and written.
  Result<SnapshotPtr> OwnSnapshot(Version version) {
    const auto commit = environment_.store.Head(CommitKey(table_.root(), version));
    // Without its mark the snapshot is good, and the next Latest() reads it again.
    const CommitMark mark = commit ? MarkOf(*commit) : CommitMark();
    replay_.Begin(version);
    ForEachOwnAction([&](Action action) { replay_.Apply(std::move(action)); });
    VL_TRY(SnapshotState state, std::move(replay_).Finish(mark));
    return Snapshot::Make(std::move(state));
  }

  Transaction& tx_;
  Table& table_;
  const Environment& environment_;
  const Snapshot& base_;
  LogReplay replay_;  // up to the version before the one that is tried
  const Wait& wait_;
  std::vector<RemoveFile> removes_;
  JsonParser parser_;
};

Result<CommitResult> Transaction::Commit(const Wait& wait) {
  VL_CHECK(!spent_);
  spent_ = true;
  auto result = Committer(*this, wait).Run();
  if (!result) {
    return Because(std::move(result).error(), fmt::format("table {}", table_.root()));
  }
  return result;
}

}  // namespace vitalake::delta
