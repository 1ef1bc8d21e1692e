// What a transaction may not be, checked before anything of it is written.
#pragma once

#include <span>

#include "delta/transaction.h"

namespace vitalake::delta {

// The parts of a transaction, as its author gave them.
struct ProposedCommit {
  const Snapshot& base;
  std::string_view root;
  std::span<const AddFile> adds;
  std::span<const RemoveFile> removes;
  std::span<const CdcFile> cdc;
  std::span<const Txn> txns;
  const std::optional<Metadata>& metadata;
};

// Errors as Transaction::Commit lists them. No I/O.
Status CheckProposed(const ProposedCommit& commit);

// That every new file is in the store with the size given: kNotFound or kCorrupt naming it.
Status CheckFilesAreThere(storage::ObjectStore& store, const ProposedCommit& commit);

}  // namespace vitalake::delta
