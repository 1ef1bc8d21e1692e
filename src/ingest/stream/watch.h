// StreamWatch: who looks at a stream's records while they are decoded, before any table has them.
//
// Of each partition it is told, in this order: Begin once, then Observe for pieces that follow each
// other without a gap, and Committed for batches made of those pieces in the same order, then End.
// An error of Observe, Committed or Idle is one of the pipeline, as when a table cannot be written.
// After an error of the pipeline the partition begins again, at the position bronze has by then,
// and what was observed and not committed is thrown away: messages the watch saw already may come
// again.
//
// Two threads call it. The decoding one calls Begin, Observe, Idle and End, as soon as a piece is
// polled, also while a batch is being committed (and AwaitsBronze): they should take milliseconds.
// The committing one calls Committed, which may take its time, beside Observe and Idle of later
// pieces: what both touch the watch guards itself. Begin and End never run beside
// Committed; a Committed that follows them, or that they follow, sees what they did.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "ingest/group_stage.h"
#include "ingest/stream/position.h"

namespace vitalake::ingest {

class StreamWatch {
 public:
  virtual ~StreamWatch() = default;

  // The partition is this process's; bronze has its messages before `bronze` (nullopt: none). What
  // the watch lacks of them it reads from there. An error stops nothing but this partition's watch.
  virtual Status Begin(const StreamPartition& partition, std::optional<int64_t> bronze,
                       const Wait& wait) = 0;
  // The messages of `piece` were polled and decoded into `stage`, behind earlier pieces of the same
  // batch perhaps; its files and counts are not there yet. No table has them; they may come again.
  virtual Status Observe(const StreamBatch& piece, const GroupStage& stage, const Wait& wait) = 0;
  // Whether somebody is to be told of what was observed as soon as bronze has it: then it does not
  // wait for others, nor for the batch before to reach the tables that follow.
  virtual bool AwaitsBronze() const { return false; }
  // Bronze has these messages, and the tables that follow it not yet. Called by either thread, more
  // than once perhaps; for what bronze had before, maybe not at all.
  virtual void InBronze(const MessageRanges&) {}
  // Bronze and the tables that follow it have the batch.
  virtual Status Committed(const StreamBatch& batch, const Wait& wait) = 0;
  // Nothing came for a while (about a second).
  virtual Status Idle(Micros now, const Wait& wait) = 0;
  // The partition is another's, or the stream ends. No call about it follows until Begin.
  virtual void End(const StreamPartition& partition) = 0;
};

}  // namespace vitalake::ingest
