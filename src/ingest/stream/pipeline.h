// StreamPipeline: one stream, from its source into the lake, until it is stopped.
//
// Three threads: one polls (and answers the group's rebalances, and keeps polling when the lake is
// in trouble), one decodes what was polled at once into the batch that is open, one commits.
// Between the first two a bounded queue; when it is full the source is paused. There is one open
// batch, handed over by time, rows or bytes once the batch before it is committed, and one being
// committed.
//
// When partitions come or go, the open batch is committed first. Whatever fails, the remedy is one:
// throw the open batch away with the failed one, wait, read the positions anew, let the tables
// follow bronze, send the source to bronze's position. A stop request ends the polling; what was
// polled is committed, the ledger written, and Run returns ok.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/stream/committer.h"
#include "ingest/stream/queue.h"
#include "ingest/stream/source.h"
#include "ingest/stream/start.h"
#include "ingest/stream/watch.h"

namespace vitalake::ingest {

// A batch that is so old or large is handed over.
struct BatchLimits {
  std::chrono::milliseconds every{400};
  // `every` counts from when the batch before was handed over, not from this one's beginning: so
  // whoever waits for the commit waits for no more than that, and not at all after a rest.
  bool at_once = false;
  size_t rows = 50'000;
  int64_t bytes = 64 << 20;
};

class StreamPipeline : private PartitionOwner {
 public:
  // All must outlive it. `watch` may be null. `committed` is called after each batch, on the
  // committing thread.
  StreamPipeline(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                 StreamSettings settings, const BatchLimits& limits, StreamSource& source,
                 StreamWatch* watch = nullptr,
                 std::function<void(const StreamProgress&)> committed = {});

  // Works until `stop`, or until the source ends for good: its error. An error of draining means
  // that the next run has to re-read more. Once.
  Status Run(std::stop_token stop);
  // Has the watch look for what people ask for at once, not within a second. Thread-safe.
  void Nudge();

 private:
  // A partition we hold, as the decoding thread sees it.
  struct Held {
    StreamPartition partition;
    int64_t begin = 0;  // where to read when bronze has nothing of it
    int64_t next = 0;   // behind what was taken into batches
    bool fresh = true;  // nothing was since it was prepared
    bool stopped = false;
  };

  // Of the polling thread.
  Result<std::vector<int64_t>> Assigned(std::span<const PartitionOffer> offers) override;
  void Revoked(std::span<const int32_t> partitions) override;
  void Trouble(const Error& error) override;
  Status Poll(const std::stop_token& stop);

  // Of the decoding thread.
  Status Decode();
  Status Turn(StreamQueue::Batch taken);
  // Before any partition is ours: what killed processes left between bronze and the other tables is
  // finished from bronze, whether the source answers or not.
  void FinishLeftovers();
  // Reads the positions anew and lets the tables follow bronze; the committer must be idle.
  Status Prepare(Held& held);
  void Leave(int32_t partition);
  // After an error; false when it is no use because the stream is being drained.
  bool Recover(Error error);
  // The messages that follow their partition's position.
  Result<StreamBatch> Accept(std::vector<StreamMessage> messages);
  // Whether the message before our position is still the one we had; else a new epoch is begun.
  Result<bool> IsSameTopic(Held& held, const StreamMessage& message);
  Status Stage(std::vector<StreamMessage> messages);
  // Somebody waits until bronze has what is open: it gets that at once, whatever the other tables
  // are still to get of this batch and the one before.
  Status Hasten();
  std::chrono::nanoseconds DueAt() const;  // of a batch that is opened now
  bool IsFull() const;
  bool IsCatchingUp() const;
  bool IsDue() const;
  // Gives the open batch to the committer when it is due and the committer idle, and waits for that
  // when the batch is as large as may be.
  Status HandOver();
  // Has the open batch committed and waits.
  Status CommitOpen();
  // How long there is nothing to do unless something comes.
  std::chrono::nanoseconds Patience() const;
  Wait CommitWait() const;

  lake::Lake& lake_;
  const StreamSettings settings_;
  const BatchLimits limits_;
  StreamSource& source_;
  StreamWatch* const watch_;
  StreamQueue queue_;
  std::atomic<bool> asked_ = false;

  std::map<int32_t, Held> held_;
  std::chrono::nanoseconds due_at_{0};                      // of the open batch
  std::optional<std::chrono::nanoseconds> handed_over_at_;  // of the one before
  std::chrono::nanoseconds heard_at_{0};  // when messages last came, or the watch was told of none
  StreamCommitter committer_;
  std::unique_ptr<StagedBatch> open_;  // of committer_'s writer

  std::mutex mutex_;
  std::map<int32_t, StreamStart> planned_;  // guarded by mutex_
  std::string last_trouble_;                // of the polling thread
  std::chrono::nanoseconds trouble_at_{0};
};

}  // namespace vitalake::ingest
