// Where the reading of a partition begins: bronze's word against what the source has.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "ingest/stream/position.h"
#include "ingest/stream/source.h"
#include "lake/lake.h"

namespace vitalake::ingest {

struct StreamStart {
  StreamPartition partition;
  int64_t begin = 0;  // where to read when bronze has nothing of it
  // What to ask the source for: where bronze ends, or the message before that, so that it tells
  // whether this is still the same topic; or StreamSource::kFromBeginning.
  int64_t offset = 0;
};

// Offsets that the source has no longer, and a topic that ends before our position (a new epoch
// begins), are told in the log. Errors are those of reading bronze's log.
Result<StreamStart> FindStart(lake::Lake& lake, const std::string& stream, const std::string& topic,
                              const PartitionOffer& offer);

}  // namespace vitalake::ingest
