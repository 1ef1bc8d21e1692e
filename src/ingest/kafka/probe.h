// KafkaProbe: what a broker says of a topic and of a consumer group, for whoever looks for faults.
//
// It joins no group, commits nothing and sends nothing. Every call waits a few seconds at most.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/kafka/settings.h"

namespace vitalake::ingest {

// Messages [low, high) are there.
struct ProbedPartition {
  int32_t partition = 0;
  int64_t low = 0, high = 0;
};

struct ProbedGroup {
  std::string state;                 // the broker's word: Stable, Empty, Dead (unknown yet), ...
  std::vector<std::string> members;  // "vitalake at /10.0.0.7"
};

// Not thread-safe. Errors are those of KafkaFault, with what to do.
class KafkaProbe {
 public:
  static Result<std::unique_ptr<KafkaProbe>> Open(const KafkaOptions& options);
  ~KafkaProbe();

  // Brokers of the cluster: one answers, and takes the login.
  Result<int> Brokers();
  // Of the topic; kNotFound, kPermission.
  Result<std::vector<ProbedPartition>> Partitions();
  // Reads the newest message of each partition that has one: the right to read is there. The latest
  // of their times; nullopt: there is none.
  Result<std::optional<Micros>> NewestMessage(const std::vector<ProbedPartition>& partitions);
  // Of the group, and that its offsets may be read.
  Result<ProbedGroup> Group(const std::vector<ProbedPartition>& partitions);

 private:
  struct State;
  explicit KafkaProbe(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitalake::ingest
