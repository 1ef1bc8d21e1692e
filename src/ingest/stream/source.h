// StreamSource: raw messages, in order per partition, read from where the lake says.
//
// Where reading begins is the owner's word alone (the position in bronze's own commits); what a
// broker's consumer group remembers is advice for people's tools. A source may give a message again
// and may leave offsets out (compaction, transaction marks), but never goes back by itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/stream/message.h"

namespace vitalake::ingest {

// A partition given to this process. The source has offsets [low, high); -1: it could not tell.
struct PartitionOffer {
  int32_t partition = 0;
  int64_t low = -1;
  int64_t high = -1;
  // The message before a position can be asked for again at one less: whether it is the same tells
  // a topic that was made anew.
  bool counts_messages = true;
  bool anew = false;  // known to be made anew since it was offered last: a new epoch
};

// Who works on the partitions. Called inside Poll, on its thread.
class PartitionOwner {
 public:
  virtual ~PartitionOwner() = default;
  // Answers where to begin, one offset per offer. Also called for a partition held already whose
  // position the source turned out not to have. An error: none of them is taken, Poll gives it.
  virtual Result<std::vector<int64_t>> Assigned(std::span<const PartitionOffer> offers) = 0;
  // They are another's from now on (or nobody's). What was polled of them and is not in bronze is
  // to be forgotten.
  virtual void Revoked(std::span<const int32_t> partitions) = 0;
  // Something is wrong that may pass by itself or by the operator's hand; the source goes on
  // trying.
  virtual void Trouble(const Error& error) = 0;
};

// One thread polls; CommitAdvisory may be called from another.
class StreamSource {
 public:
  virtual ~StreamSource() = default;

  // The middle of its positions' names: topic, or name of the file.
  virtual const std::string& topic() const = 0;

  // Waits up to `patience` for messages and appends at most `most` to `into`. Having called the
  // owner's Assigned or Revoked it gives no more messages in this call. An error ends the stream:
  // this process was shut out of the group, the file is gone.
  virtual Status Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
                      std::chrono::milliseconds patience) = 0;
  // Reads a partition it holds from `offset` (kFromBeginning) on.
  static constexpr int64_t kFromBeginning = -2;
  virtual Status Seek(int32_t partition, int64_t offset) = 0;
  // While paused, Poll gives no messages but keeps the membership of the group alive.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
  // Tells the broker how far bronze is, by partition. Failures are told to nobody.
  virtual void CommitAdvisory(const std::map<int32_t, int64_t>& next) = 0;
  // Messages it has that no poll gave yet; nullopt: it cannot tell now. Thread-safe.
  virtual std::optional<int64_t> Waiting() { return std::nullopt; }
  // What keeps it from messages now, in words; empty: nothing that it knows of. Thread-safe.
  virtual std::string Hindrance() { return {}; }
};

}  // namespace vitalake::ingest
