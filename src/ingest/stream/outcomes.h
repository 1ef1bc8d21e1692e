// What became of a stream's records: stated in commits, summed up in the ledger.
//
// Each commit to a silver table says, per partition, what became of the records of its offsets that
// have their home there, those of batches without a commit to it since the last included. The
// ledger gets one row per partition for all batches since its last commit, after every table has
// them. After a crash the counts of what the ledger lacks are found again: stated ones from the
// tables' history, those of rows not committed by judging them anew.
#pragma once

#include <map>
#include <string>

#include "base/deadline.h"
#include "base/json_tree.h"
#include "base/result.h"
#include "ingest/group_stage.h"
#include "ingest/stream/position.h"
#include "lake/lake.h"
#include "lake/outcome.h"

namespace vitalake::ingest {

// One partition's offsets and what became of their records.
struct RangeOutcomes {
  MessageRange range;
  lake::OutcomeCounts counts;
};
using OutcomesByApp = std::map<std::string, RangeOutcomes>;

// Adds the batch's counts (by partition); the ranges of one app id must follow each other.
void AddOutcomes(OutcomesByApp& into, const StreamBatch& batch,
                 const std::map<int64_t, lake::OutcomeCounts>& counts);

// {"<appId>":{"first":..,"end":..,"written":..,...},...}, for commitInfo.vitalake.outcomes.
std::string OutcomesJson(const OutcomesByApp& outcomes);

// What commits of `table` state of the partition's offsets from `first` on, summed up.
Result<lake::OutcomeCounts> StatedSince(lake::Lake& lake, std::string_view table,
                                        const std::string& app_id, int64_t first);

// Exceptions by source partition, those of the entries of a message with their partition's.
std::map<std::string, lake::Exceptions> FoldEntries(
    const std::map<std::string, lake::Exceptions>& exceptions);

}  // namespace vitalake::ingest
