// ConflictChecker: whether a commit that lost a race may go on top of the winner.
//
// The rules are asked in the order of ConflictKind; the first that hits is the answer.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "delta/actions.h"
#include "delta/transaction.h"

namespace vitalake::delta {

class ConflictChecker {
 public:
  explicit ConflictChecker(const Transaction& transaction) : tx_(transaction) {}

  // `actions`: all of the winning commit. Errors: those of the transaction's own `touches`.
  Result<std::optional<Conflict>> Check(Version winner, std::span<const Action> actions) const;

 private:
  struct Winner;
  using Found = std::optional<Conflict>;

  Found CheckProtocol(const Winner& winner) const;
  Found CheckMetadata(const Winner& winner) const;
  Found CheckTxns(const Winner& winner) const;
  Result<Found> CheckAdded(const Winner& winner) const;
  Result<bool> ShouldHaveRead(const AddFile& added, bool ignorable) const;
  Found CheckRemovedReads(const Winner& winner) const;
  Found CheckRemovedTwice(const Winner& winner) const;

  const Transaction& tx_;
};

}  // namespace vitalake::delta
