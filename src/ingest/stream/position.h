// How far a stream's tables are: names of positions, and those of one process's partitions.
//
// Every table a stream feeds holds, per partition, the next offset to read as
//   txn {appId = "<stream>/<topic>/<partition>/<epoch>", version = next offset}
// in the same commit as the rows. The epoch counts how often the topic was made anew, its offsets
// beginning again. A table's txn may lag behind what was looked at when that gave it no rows.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delta/snapshot.h"
#include "ingest/stream/message.h"
#include "lake/lake.h"
#include "lake/table_writer.h"

namespace vitalake::ingest {

inline constexpr std::string_view kBronzeStream = "bronze.observation_stream";

// Tables that follow bronze, in the order in which a batch reaches them; the ledger is last.
const std::vector<std::string>& FollowerTables();

struct StreamPartition {
  std::string stream;
  std::string topic;
  int32_t partition = 0;
  int64_t epoch = 0;

  std::string AppId() const;
};

// The app id inside a source_partition: without the "#<entry>" of a record of an array or Bundle.
std::string AppIdOf(const std::string& source_partition);

// What a table's log says of a partition: epoch -> next offset.
std::map<int64_t, int64_t> EpochsIn(const delta::Snapshot& snapshot, std::string_view stream,
                                    std::string_view topic, int32_t partition);

// All partitions and epochs the log knows of a stream's topic, in order.
std::vector<StreamPartition> PartitionsIn(const delta::Snapshot& snapshot, std::string_view stream,
                                          std::string_view topic);

// Offsets [first, end) of one partition and epoch.
struct MessageRange {
  StreamPartition partition;
  int64_t first = 0;
  int64_t end = 0;
};

using MessageRanges = std::map<int32_t, MessageRange>;  // by partition

// Messages that are committed together, each partition's in order; a message is never split.
struct StreamBatch {
  std::vector<StreamMessage> messages;
  MessageRanges ranges;
  int64_t bytes = 0;
};

// The positions of one stream's tables as this process believes them to be. Believing wrong is
// harmless: a commit states where it starts from and fails elsewhere. Thread-safe.
class StreamPositions {
 public:
  explicit StreamPositions(lake::Lake& lake) : lake_(lake) {}

  // Reads what bronze and its followers say of a partition.
  Status Load(const std::string& app_id);
  void Forget(const std::string& app_id);
  bool Knows(const std::string& app_id) const;

  // nullopt: that table has no position yet.
  std::optional<int64_t> Of(std::string_view table, const std::string& app_id) const;
  // txns and starts of a commit to `table` that holds all of `batch`.
  lake::CommitNote Note(std::string_view table, const StreamBatch& batch) const;
  // It was made.
  void Advance(std::string_view table, const StreamBatch& batch);

  // The app ids in which `table` is behind bronze by `messages` or more; 1: at all.
  lake::CommitNote NoteOfLag(std::string_view table, int64_t messages) const;
  void AdvanceTo(std::string_view table, const lake::CommitNote& note);

 private:
  std::optional<int64_t> Find(std::string_view table, const std::string& app_id) const;

  lake::Lake& lake_;
  mutable std::mutex mutex_;
  // app id -> table -> next offset
  std::map<std::string, std::map<std::string, std::optional<int64_t>, std::less<>>> tables_;
};

}  // namespace vitalake::ingest
