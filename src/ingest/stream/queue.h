// StreamQueue: what one thread polls and another decodes, bounded in bytes.
//
// Partitions come and go, and begin again elsewhere, while messages wait: each partition has a
// number (ticket) that grows with every such change. Messages polled under an older one are
// dropped, so that the decoding side sees each partition's messages in order, from where it last
// said.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "ingest/stream/message.h"

namespace vitalake::ingest {

// Thread-safe.
class StreamQueue {
 public:
  explicit StreamQueue(int64_t most_bytes) : most_bytes_(most_bytes) {}

  // -- the polling side --
  // Waits up to `patience` until there is room; false: still none.
  bool AwaitRoom(std::chrono::milliseconds patience);
  // What to do before a poll: offsets to send the source to, and the numbers the messages of that
  // poll are pushed under. (The source gives no message behind a change of partitions in one poll.)
  using Tickets = std::map<int32_t, uint64_t>;
  struct Turn {
    std::map<int32_t, int64_t> seeks;
    Tickets tickets;
  };
  Turn NextTurn();
  void Push(std::vector<StreamMessage> messages, const Tickets& tickets);
  // The partitions are here from now on: the decoding side is told before their messages.
  void Begin(std::span<const int32_t> partitions);
  // They are not: their messages are dropped. Waits up to `patience` until the decoding side has
  // taken note and is done with what it had of them (it asks for more).
  void End(std::span<const int32_t> partitions, std::chrono::milliseconds patience);
  // No more will come.
  void Close();

  // -- the decoding side --
  struct Batch {
    std::vector<int32_t> begun;  // partitions to prepare first
    std::vector<int32_t> ended;  // partitions to be done with first
    std::vector<StreamMessage> messages;
    bool closed = false;  // and nothing is left
  };
  // What is there, about as much as the limits say; waits for something at most `patience`, and no
  // longer than to the next Nudge. The caller is done with what the last call gave.
  Batch Take(size_t most, int64_t most_bytes, std::chrono::nanoseconds patience);
  // Ends the wait of the Take at hand, else of the next.
  void Nudge();
  // Drops what waits of the partition and has the source sent to `offset`.
  void Restart(int32_t partition, int64_t offset);
  // The partitions that are here.
  std::vector<int32_t> partitions() const;
  // Waits that long, or until Close.
  void Pause(std::chrono::milliseconds duration);
  bool closed() const;
  bool empty() const;  // no message waits
  bool full() const;   // no more may

 private:
  void Drop(int32_t partition);

  const int64_t most_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StreamMessage> entries_;
  int64_t bytes_ = 0;
  uint64_t last_ticket_ = 0;
  Tickets tickets_;
  std::map<int32_t, int64_t> seeks_;
  std::vector<int32_t> begun_, ended_;
  bool parting_ = false;  // Take gave ended partitions that the caller is not done with
  bool nudged_ = false;
  bool closed_ = false;
};

}  // namespace vitalake::ingest
