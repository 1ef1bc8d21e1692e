// StreamCommitter: commits one batch at a time, on a thread of its own, and keeps up what goes with
// it: the ledger, positions of tables without rows, the broker's idea of where we are.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "ingest/staged_batch.h"
#include "ingest/stream/source.h"
#include "ingest/stream/watch.h"
#include "ingest/stream/writer.h"

namespace vitalake::ingest {

// What this process has committed.
struct StreamProgress {
  int64_t messages = 0;
  lake::OutcomeCounts outcomes;  // of their records
  int64_t batches = 0;
  bool catching_up =
      false;  // more waited already when the last batch was handed over, full or late
  // Of the last batch: how long its commits took, and when its last message was received.
  double commit_seconds = 0;
  Micros received_at = 0;
};

// One other thread uses it.
class StreamCommitter {
 public:
  struct Callbacks {
    std::function<void(const StreamProgress&)> committed;  // after each batch, on the thread here
    std::function<void()> ended;                           // the work has; on the thread here
  };

  // All must outlive it. `watch` may be null.
  StreamCommitter(lake::Lake& lake, const StreamSettings& settings,
                  const std::vector<lake::SilverView>& views, StreamSource& source,
                  StreamWatch* watch, Callbacks callbacks);
  // Ends the work at hand first.
  ~StreamCommitter();

  // Whether no work is under way.
  bool idle() const;
  // Waits until it is idle. An error that work ended with is given once.
  Status Await();
  // Waits until bronze has the batch that is being committed, if there is one; false: an error is
  // to be awaited.
  bool AwaitBronze();

  // -- only while idle (and what else the writer allows beside Write) --
  StreamWriter& writer() { return writer_; }
  // Bronze's positions in these partitions are told to the broker from now on, or no longer.
  void Hold(const StreamPartition& partition);
  void Drop(int32_t partition);
  bool IsUpkeepDue() const;
  // Commits the batch, then does the upkeep that is due. `more`: whether there is more to come that
  // could not wait in it.
  enum class More { kNo, kWaits };
  void Start(std::unique_ptr<StagedBatch> batch, More more);
  // Does upkeep alone.
  enum class Upkeep { kDue, kAll };
  void Start(Upkeep upkeep);

 private:
  struct Work {
    std::unique_ptr<StagedBatch> batch;  // null: none
    More more = More::kNo;
    Upkeep upkeep = Upkeep::kDue;
    bool in_bronze = !batch;  // guarded by mutex_
  };

  void Begin(std::unique_ptr<Work> work);
  StreamSettings Listening(StreamSettings settings);
  void Loop(const std::stop_token& stop);
  Status Do(const Work& work);
  Status Commit(StagedBatch& staged, More more);
  Status KeepUp(Upkeep upkeep);
  void TellBroker();
  Wait CommitWait() const;

  lake::Lake& lake_;
  const std::string name_;
  StreamSource& source_;
  StreamWatch* const watch_;
  Callbacks callbacks_;
  // Of whoever works: the thread while there is work, else the caller.
  StreamWriter writer_;
  StreamProgress progress_;
  std::map<int32_t, StreamPartition> held_;
  std::chrono::nanoseconds flushed_at_, caught_up_at_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::unique_ptr<Work> work_;  // guarded by mutex_, as what follows
  Status result_;
  std::jthread thread_;
};

}  // namespace vitalake::ingest
