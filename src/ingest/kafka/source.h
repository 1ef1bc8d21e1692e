// KafkaSource: a topic, as a member of a consumer group.
//
// Membership is static: the member is known by <group>-<stream>-<host>-<slot>, the slot being the
// lowest number whose lock file is free on this host, so that the successor of a killed process
// takes its partitions over at once, and two processes never share a name. Rebalancing is
// cooperative: only partitions that move stop. A stream that was given another topic joins under a
// name with the topic in it while the group still holds the old one's partitions for it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/kafka/client.h"
#include "ingest/run_lock.h"
#include "ingest/stream/source.h"

namespace vitalake::ingest {

class KafkaSource final : public StreamSource {
 public:
  // Joins the group; brokers that do not answer are told by Poll. `locks`: folder of the slots.
  // kInvalidArgument: settings librdkafka refuses.
  static Result<std::unique_ptr<KafkaSource>> Open(const KafkaOptions& options,
                                                   const std::string& stream,
                                                   const std::filesystem::path& locks,
                                                   Clock& clock);
  ~KafkaSource() override;

  const std::string& topic() const override { return options_.topic; }
  Status Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
              std::chrono::milliseconds patience) override;
  Status Seek(int32_t partition, int64_t offset) override;
  void Pause() override;
  void Resume() override;
  void CommitAdvisory(const std::map<int32_t, int64_t>& next) override;
  // nullopt, too, while brokers do not answer: what they have is not known then.
  std::optional<int64_t> Waiting() override;
  std::string Hindrance() override;

 private:
  KafkaSource(KafkaOptions options, std::string instance, RunLock slot, Clock& clock)
      : options_(std::move(options)),
        instance_(std::move(instance)),
        slot_(std::move(slot)),
        clock_(clock) {}

  static void OnRebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code,
                          rd_kafka_topic_partition_list_t* partitions, void* self);
  static int OnStatistics(rd_kafka_t* handle, char* json, size_t size, void* self);
  static void OnError(rd_kafka_t* handle, int code, const char* reason, void* self);
  Status Join();
  void Leave();
  Status JoinAnew(PartitionOwner& owner);
  bool HasForeign(const rd_kafka_topic_partition_list_t& partitions) const;
  Status JoinUnderTopic();
  // Asks the owner where partitions begin; nullopt after trouble.
  std::optional<std::map<int32_t, int64_t>> AskStarts(const std::vector<int32_t>& partitions);
  // Tries again what had no answer.
  void Place();
  void Revoke(const rd_kafka_topic_partition_list_t& partitions, bool lost);
  // Gives back a partition whose position the topic does not have.
  void Reoffer(int32_t partition);
  // Moves partitions that are assigned to other offsets.
  Status Move(const std::map<int32_t, int64_t>& offsets);
  Status Take(KafkaMessage message, std::vector<StreamMessage>& into);
  KafkaPartitions Partitions(const std::vector<int32_t>& partitions) const;

  KafkaOptions options_;
  std::string instance_;  // our name in the group
  RunLock slot_;
  Clock& clock_;
  std::mutex handle_mutex_;  // held to change handle_, and to use it off the polling thread
  std::optional<std::string> out_of_reach_;  // not known yet; guarded by handle_mutex_
  KafkaHandle handle_;                       // null between leaving and joining anew
  std::vector<int32_t> held_;
  std::vector<int32_t> unplaced_;  // given to us, without a position yet
  bool paused_ = false;
  bool foreign_ = false;  // what the group gave us is of another topic
  // Of the Poll at hand:
  PartitionOwner* owner_ = nullptr;
  bool rebalanced_ = false;
  KafkaMessage first_;  // came behind a rebalance, for the next Poll
};

}  // namespace vitalake::ingest
