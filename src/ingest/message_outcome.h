// MessageOutcome: what became of the records of one message, for who waits for the answer.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/group_stage.h"
#include "ingest/stream/position.h"
#include "lake/outcome.h"
#include "lake/upsert.h"

namespace vitalake::ingest {

// A record that went to quarantine.
struct RefusedEntry {
  std::string position;  // "<topic>/<partition>/<offset>[:<entry>]"
  int64_t record = 0;    // which of the message's records, from 0
  std::string reason;
  std::string element_path;  // empty: none
  std::string message;
};

struct MessageOutcome {
  StreamPartition partition;
  int64_t offset = 0;
  lake::OutcomeCounts counts;         // they balance
  std::vector<RefusedEntry> refused;  // the first kRefusedTold of them
};

inline constexpr size_t kRefusedTold = 100;

// Is told of each message once bronze, silver, quarantine and issues have its records. The same
// message may be told again after an error.
class OutcomeListener {
 public:
  virtual ~OutcomeListener() = default;
  // On the committing thread.
  virtual void Settled(const std::vector<MessageOutcome>& outcomes) = 0;
};

// By silver table: UpsertResult::placed.
using PlacedBySilver = std::array<std::vector<lake::PlacedExceptions>, kSilverCount>;

// The outcomes of a batch that was staged with GroupStage::CountMessages, in its order; `stage` has
// its refused records in quarantine already.
Result<std::vector<MessageOutcome>> OutcomesOf(const StreamBatch& batch, GroupStage& stage,
                                               const PlacedBySilver& placed, const Wait& wait);

}  // namespace vitalake::ingest
