// StreamPipeline: one stream, from its source into the lake, until it is stopped.
//
// Two threads: one polls (and answers the group's rebalances, and keeps polling when the lake is in
// trouble), the other commits. Between them a bounded queue; when it is full the source is paused.
// Whatever fails, the remedy is one: wait, read the positions anew, let the tables follow bronze,
// send the source to bronze's position. A stop request ends the polling; what was polled is
// committed, the ledger written, and Run returns ok.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/stream_queue.h"
#include "ingest/stream_source.h"
#include "ingest/stream_writer.h"

namespace vitalake::ingest {

// What this process has committed.
struct StreamProgress {
  int64_t messages = 0;
  lake::OutcomeCounts outcomes;  // of their records
  int64_t batches = 0;
  bool catching_up = false;  // the last batch was full: more waits
  // Of the last batch: how long its commits took, and when its last message was received.
  double commit_seconds = 0;
  Micros received_at = 0;
};

class StreamPipeline : private PartitionOwner {
 public:
  // All must outlive it. `committed` is called after each batch, on the committing thread.
  StreamPipeline(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                 StreamSettings settings, const BatchLimits& limits, StreamSource& source,
                 std::function<void(const StreamProgress&)> committed = {});

  // Works until `stop`, or until the source ends for good: its error. An error of draining means
  // that the next run has to re-read more.
  Status Run(std::stop_token stop);

 private:
  // A partition we hold, as the committing thread sees it.
  struct Held {
    StreamPartition partition;
    int64_t begin = 0;                 // where to read when bronze has nothing of it
    std::optional<std::string> probe;  // bronze's last message, to be given again first
    bool stopped = false;
  };

  Result<std::vector<int64_t>> Assigned(std::span<const PartitionOffer> offers) override;
  void Revoked(std::span<const int32_t> partitions) override;
  void Trouble(const Error& error) override;
  Result<int64_t> Plan(const PartitionOffer& offer);

  Status Poll(const std::stop_token& stop);
  Status Commit();
  Status Round(StreamQueue::Batch& taken);
  // Before any partition is ours: what killed processes left between bronze and the other tables is
  // finished from bronze, whether the source answers or not.
  void FinishLeftovers();
  Status Prepare(Held& held);
  // After an error; false when it is no use because the stream is being drained.
  bool Recover(Error error);
  // Leaves the messages that follow their partition's position.
  Result<StreamBatch> Accept(std::vector<StreamMessage> messages);
  // Whether the message before our position is still the one we had; else a new epoch is begun.
  Result<bool> IsSameTopic(Held& held, const StreamMessage& message);
  Status Maintain(bool now);
  Wait CommitWait();

  lake::Lake& lake_;
  StreamSettings settings_;
  BatchLimits limits_;
  StreamSource& source_;
  std::function<void(const StreamProgress&)> committed_;
  StreamQueue queue_;
  StreamWriter writer_;
  StreamProgress progress_;
  std::map<int32_t, Held> held_;  // of the committing thread
  std::chrono::nanoseconds flushed_at_{0}, caught_up_at_{0};

  std::mutex mutex_;
  std::map<int32_t, Held> planned_;  // guarded by mutex_
  std::string last_trouble_;         // of the polling thread
  std::chrono::nanoseconds trouble_at_{0};
};

}  // namespace vitalake::ingest
