// StreamWatch: who looks at a stream's records while they are decoded, before any table has them.
//
// Of each partition it is told, in this order: Begin once, then Observe and Committed for batches
// that follow each other without a gap, then End. After an error of the pipeline the partition
// begins again, at the position bronze has by then; messages the watch saw already may come again.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "ingest/group_stage.h"
#include "ingest/stream_position.h"

namespace vitalake::ingest {

// Called from one thread at a time.
class StreamWatch {
 public:
  virtual ~StreamWatch() = default;

  // The partition is this process's; bronze has its messages before `bronze` (nullopt: none). What
  // the watch lacks of them it reads from there. An error stops nothing but this partition's watch.
  virtual Status Begin(const StreamPartition& partition, std::optional<int64_t> bronze,
                       const Wait& wait) = 0;
  // The batch was polled and decoded into `stage`. No table has it yet; it may come again.
  virtual Status Observe(const StreamBatch& batch, const GroupStage& stage, const Wait& wait) = 0;
  // Bronze and the tables that follow it have the batch.
  virtual Status Committed(const StreamBatch& batch, const Wait& wait) = 0;
  // Nothing came for a while (about a second).
  virtual Status Idle(Micros now, const Wait& wait) = 0;
  // The partition is another's. No call about it follows until Begin.
  virtual void End(const StreamPartition& partition) = 0;
};

}  // namespace vitalake::ingest
