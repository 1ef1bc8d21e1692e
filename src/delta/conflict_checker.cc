#include "delta/conflict_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitalake::delta {
namespace {

template <class Items, class Member>
bool Contains(const Items& items, const std::string& wanted, Member member) {
  return std::ranges::find(items, wanted, member) != std::ranges::end(items);
}

}  // namespace

struct ConflictChecker::Winner {
  Version version;
  std::string operation = "a commit without commitInfo";
  bool blind_append = false;
  bool sets_protocol = false;
  bool sets_metadata = false;
  std::vector<const Txn*> txns;
  std::vector<const AddFile*> added;
  std::vector<const RemoveFile*> removed;

  Winner(Version number, std::span<const Action> actions) : version(number) {
    for (const Action& action : actions) {
      if (const auto* add = std::get_if<AddFile>(&action)) added.push_back(add);
      if (const auto* remove = std::get_if<RemoveFile>(&action)) removed.push_back(remove);
      if (const auto* txn = std::get_if<Txn>(&action)) txns.push_back(txn);
      if (const auto* info = std::get_if<CommitInfo>(&action)) {
        blind_append = info->is_blind_append.value_or(false);
        if (!info->operation.empty()) operation = info->operation;
      }
      sets_protocol = sets_protocol || std::holds_alternative<Protocol>(action);
      sets_metadata = sets_metadata || std::holds_alternative<Metadata>(action);
    }
    // Whatever it says of itself: who removes files has read the table.
    blind_append = blind_append && removed.empty();
  }

  Conflict Say(ConflictKind kind, std::string_view what) const {
    return {kind, version, fmt::format("version {} ({}) {}", version.value, operation, what)};
  }
};

Result<std::optional<Conflict>> ConflictChecker::Check(Version version,
                                                       std::span<const Action> actions) const {
  const Winner winner(version, actions);
  if (auto found = CheckProtocol(winner)) return found;
  if (auto found = CheckMetadata(winner)) return found;
  if (auto found = CheckTxns(winner)) return found;
  VL_TRY(auto added, CheckAdded(winner));
  if (added) return added;
  if (auto found = CheckRemovedReads(winner)) return found;
  return CheckRemovedTwice(winner);
}

ConflictChecker::Found ConflictChecker::CheckProtocol(const Winner& winner) const {
  if (!winner.sets_protocol) return std::nullopt;
  return winner.Say(ConflictKind::kProtocol, "changed the protocol");
}

ConflictChecker::Found ConflictChecker::CheckMetadata(const Winner& winner) const {
  if (!winner.sets_metadata) return std::nullopt;
  return winner.Say(ConflictKind::kMetadata, "changed the table's schema or properties");
}

ConflictChecker::Found ConflictChecker::CheckTxns(const Winner& winner) const {
  for (const Txn* txn : winner.txns) {
    if (tx_.read_txns_.contains(txn->app_id) || Contains(tx_.txns_, txn->app_id, &Txn::app_id)) {
      return winner.Say(ConflictKind::kTxn, fmt::format("wrote the transaction of '{}', too: {}",
                                                        txn->app_id, txn->version));
    }
  }
  return std::nullopt;
}

Result<ConflictChecker::Found> ConflictChecker::CheckAdded(const Winner& winner) const {
  // Under WriteSerializable a blind append may be taken to come after us; not if we change what
  // the table is.
  const bool ignorable =
      winner.blind_append && !tx_.metadata_ && tx_.isolation_ == Isolation::kWriteSerializable;
  for (const AddFile* added : winner.added) {
    if (Contains(tx_.adds_, added->path, &AddFile::path)) {
      return winner.Say(ConflictKind::kConcurrentAppend,
                        fmt::format("added the same file '{}'", added->path));
    }
    VL_TRY(const bool matters, ShouldHaveRead(*added, ignorable));
    if (matters) {
      return winner.Say(ConflictKind::kConcurrentAppend,
                        fmt::format("added '{}', which should have been read", added->path));
    }
  }
  return std::nullopt;
}

Result<bool> ConflictChecker::ShouldHaveRead(const AddFile& added, bool ignorable) const {
  // Without dataChange the file holds only rows that were in the table before.
  if (ignorable || !added.data_change) return false;
  switch (tx_.scope_) {
    case Transaction::ReadScope::kWholeTable:
      return true;
    case Transaction::ReadScope::kWhere:
      return tx_.touches_(added);
    default:
      return false;
  }
}

ConflictChecker::Found ConflictChecker::CheckRemovedReads(const Winner& winner) const {
  const bool all = tx_.scope_ == Transaction::ReadScope::kWholeTable;
  for (const RemoveFile* removed : winner.removed) {
    if (all || tx_.read_files_.contains(removed->path)) {
      return winner.Say(ConflictKind::kConcurrentDeleteRead,
                        fmt::format("removed '{}', which was read", removed->path));
    }
  }
  return std::nullopt;
}

ConflictChecker::Found ConflictChecker::CheckRemovedTwice(const Winner& winner) const {
  for (const RemoveFile* removed : winner.removed) {
    if (Contains(tx_.removals_, removed->path, &Transaction::Removal::path)) {
      return winner.Say(ConflictKind::kConcurrentDeleteDelete,
                        fmt::format("removed '{}', too", removed->path));
    }
  }
  return std::nullopt;
}

}  // namespace vitalake::delta
