// bronze.observation_stream: what a stream brought, byte for byte, before anything looks into it.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/stream/position.h"
#include "lake/lake.h"
#include "lake/table_writer.h"

namespace vitalake::ingest {

// Appends messages out of `ranges` under `source`; `partition` of a row is the appId of its
// position. kConflict where the note's starts do not hold.
Status AppendToBronze(lake::Lake& lake, std::span<const StreamMessage> messages,
                      const MessageRanges& ranges, const std::string& source,
                      const lake::CommitNote& note, const Wait& wait);

// The messages of [range.first, range.end) from the first on, at most `most` and about `most_bytes`
// of them: the batch's own range ends behind the last, or at range.end when none is left.
Result<StreamBatch> ReadFromBronze(lake::Lake& lake, const MessageRange& range, int64_t most,
                                   int64_t most_bytes, const Wait& wait);

// The offset of the first message of [range.first, range.end); range.end when there is none.
Result<int64_t> FirstInBronze(lake::Lake& lake, const MessageRange& range, const Wait& wait);

// The messages at single offsets of a position's name, under the number `partition`.
Result<std::vector<StreamMessage>> ReadMessagesAt(lake::Lake& lake, const std::string& app_id,
                                                  const std::set<int64_t>& offsets,
                                                  int32_t partition);

}  // namespace vitalake::ingest
