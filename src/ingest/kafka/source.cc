#include "ingest/kafka/source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/kafka/reach.h"

namespace vitalake::ingest {
namespace {

constexpr int kWatermarkMs = 5000;
constexpr const char* kStatisticsMs = "1000";
constexpr std::chrono::seconds kRejoinPause{1};

std::string HostName() {
  char name[256] = "host";
  (void)gethostname(name, sizeof name - 1);
  return name;
}

// The time a broker took the message in; a producer's own time is taken for it, but no later than
// now.
Micros ReceivedAt(const rd_kafka_message_t& message, Micros now) {
  rd_kafka_timestamp_type_t type;
  const int64_t ms = rd_kafka_message_timestamp(&message, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms <= 0) return now;
  return std::min<Micros>(ms * 1000, now);
}

int64_t ClientOffset(int64_t offset) {
  return offset == StreamSource::kFromBeginning ? RD_KAFKA_OFFSET_BEGINNING : offset;
}

}  // namespace

Result<std::unique_ptr<KafkaSource>> KafkaSource::Open(const KafkaOptions& options,
                                                       const std::string& stream,
                                                       const std::filesystem::path& locks,
                                                       Clock& clock) {
  VL_TRY(Slot slot, TakeSlot(locks, fmt::format("{}-{}", options.group, stream)));
  const std::string instance =
      fmt::format("{}-{}-{}-{}", options.group, stream, HostName(), slot.number);
  std::unique_ptr<KafkaSource> source(
      new KafkaSource(options, instance, std::move(slot.lock), clock));
  VL_RETURN_IF_ERROR(source->Join());
  return source;
}

Status KafkaSource::Join() {
  VL_TRY(KafkaSettings settings, ConsumerSettings(options_, instance_));
  settings["statistics.interval.ms"] = kStatisticsMs;
  VL_TRY(KafkaConf conf, MakeKafkaConf(settings));
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), OnRebalance);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  rd_kafka_conf_set_stats_cb(conf.get(), OnStatistics);
  VL_TRY(KafkaHandle handle, MakeKafka(RD_KAFKA_CONSUMER, std::move(conf)));
  rd_kafka_poll_set_consumer(handle.get());
  const KafkaPartitions topics = Partitions({RD_KAFKA_PARTITION_UA});
  if (const auto code = rd_kafka_subscribe(handle.get(), topics.get());
      code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(KafkaFault(code, rd_kafka_err2str(code), options_));
  }
  const std::lock_guard lock(handle_mutex_);
  handle_ = std::move(handle);
  return {};
}

void KafkaSource::Leave() {
  if (!handle_) return;
  first_.reset();
  owner_ = nullptr;
  // A static member stays in the group for its session, for whoever comes under its name.
  rd_kafka_consumer_close(handle_.get());
  held_.clear();
  unplaced_.clear();
  const std::lock_guard lock(handle_mutex_);
  handle_.reset();
  out_of_reach_.reset();
}

KafkaSource::~KafkaSource() { Leave(); }

// The client is of no use any more: the group took our name for another's. That is so for good only
// when another process has it; a broker that was away says it of us, too.
Status KafkaSource::JoinAnew(PartitionOwner& owner) {
  char text[512];
  const auto code = rd_kafka_fatal_error(handle_.get(), text, sizeof text);
  owner.Trouble(KafkaFault(code, text, options_));
  owner.Revoked(held_);
  Leave();
  return {};
}

KafkaPartitions KafkaSource::Partitions(const std::vector<int32_t>& partitions) const {
  KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const int32_t partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition);
  }
  return list;
}

// The text stays the client's (0).
int KafkaSource::OnStatistics(rd_kafka_t*, char* json, size_t size, void* self) {
  auto& source = *static_cast<KafkaSource*>(self);
  std::string found = OutOfReach({json, size}, source.options_, source.held_);
  const std::lock_guard lock(source.handle_mutex_);
  source.out_of_reach_ = std::move(found);
  return 0;
}

std::string KafkaSource::Hindrance() {
  const std::lock_guard lock(handle_mutex_);
  return out_of_reach_.value_or("");
}

void KafkaSource::OnError(rd_kafka_t* handle, int code, const char* reason, void* self) {
  auto& source = *static_cast<KafkaSource*>(self);
  auto kind = static_cast<rd_kafka_resp_err_t>(code);
  std::string detail = reason == nullptr ? "" : reason;
  if (kind == RD_KAFKA_RESP_ERR__FATAL) {
    char text[512];
    kind = rd_kafka_fatal_error(handle, text, sizeof text);
    detail = text;
  }
  if (source.owner_ != nullptr) source.owner_->Trouble(KafkaFault(kind, detail, source.options_));
}

void KafkaSource::OnRebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code,
                              rd_kafka_topic_partition_list_t* partitions, void* self) {
  auto& source = *static_cast<KafkaSource*>(self);
  source.rebalanced_ = true;
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    source.foreign_ = source.HasForeign(*partitions);
    if (source.foreign_) {
      const KafkaPartitions none = source.Partitions({});
      const KafkaError failed(rd_kafka_incremental_assign(handle, none.get()));
      if (failed) log::Warn("kafka: assign: {}", rd_kafka_error_string(failed.get()));
      return;
    }
    std::vector<int32_t> given;
    for (int i = 0; i < partitions->cnt; ++i) given.push_back(partitions->elems[i].partition);
    const auto starts = source.AskStarts(given);
    for (int i = 0; i < partitions->cnt; ++i) {
      partitions->elems[i].offset =
          starts ? ClientOffset(starts->at(given[i])) : RD_KAFKA_OFFSET_END;
    }
    const KafkaError failed(rd_kafka_incremental_assign(handle, partitions));
    if (failed) log::Warn("kafka: assign: {}", rd_kafka_error_string(failed.get()));
    // Taken in any case, so that the group goes on; read from once there is a position.
    if (!starts || source.paused_) rd_kafka_pause_partitions(handle, partitions);
    auto& into = starts ? source.held_ : source.unplaced_;
    into.insert(into.end(), given.begin(), given.end());
  } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
    source.Revoke(*partitions, rd_kafka_assignment_lost(handle) != 0);
    const KafkaError failed(rd_kafka_incremental_unassign(handle, partitions));
    if (failed) log::Warn("kafka: unassign: {}", rd_kafka_error_string(failed.get()));
  } else {
    if (source.owner_) {
      source.owner_->Trouble(KafkaFault(code, rd_kafka_err2str(code), source.options_));
    }
    rd_kafka_assign(handle, nullptr);
  }
}

bool KafkaSource::HasForeign(const rd_kafka_topic_partition_list_t& partitions) const {
  return std::any_of(partitions.elems, partitions.elems + partitions.cnt,
                     [&](const auto& one) { return one.topic != options_.topic; });
}

// A static member that comes back is given what it had, even when it now asks for another topic.
Status KafkaSource::JoinUnderTopic() {
  log::Info("kafka: the group knows {} as a reader of another topic; joining as {}-{}", instance_,
            instance_, options_.topic);
  Leave();
  instance_ += "-" + options_.topic;
  foreign_ = false;
  return Join();
}

void KafkaSource::Revoke(const rd_kafka_topic_partition_list_t& partitions, bool lost) {
  std::vector<int32_t> gone;
  for (int i = 0; i < partitions.cnt; ++i) {
    gone.push_back(partitions.elems[i].partition);
    std::erase(held_, gone.back());
    std::erase(unplaced_, gone.back());
  }
  if (lost) log::Warn("kafka: the group took partitions away without asking (we were too slow)");
  if (owner_ != nullptr) owner_->Revoked(gone);
}

std::optional<std::map<int32_t, int64_t>> KafkaSource::AskStarts(
    const std::vector<int32_t>& partitions) {
  if (owner_ == nullptr) return std::nullopt;
  std::vector<PartitionOffer> offers;
  for (const int32_t partition : partitions) {
    PartitionOffer offer{partition, -1, -1};
    const auto code = rd_kafka_query_watermark_offsets(
        handle_.get(), options_.topic.c_str(), partition, &offer.low, &offer.high, kWatermarkMs);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      owner_->Trouble(KafkaFault(code, rd_kafka_err2str(code), options_));
      return std::nullopt;
    }
    offers.push_back(offer);
  }
  auto starts = owner_->Assigned(offers);
  if (!starts) {
    owner_->Trouble(starts.error());
    return std::nullopt;
  }
  std::map<int32_t, int64_t> offsets;
  for (size_t i = 0; i < offers.size(); ++i) offsets[offers[i].partition] = (*starts)[i];
  return offsets;
}

void KafkaSource::Place() {
  const auto starts = AskStarts(unplaced_);
  if (!starts) return;
  if (auto moved = Move(*starts); !moved) return owner_->Trouble(moved.error());
  held_.insert(held_.end(), unplaced_.begin(), unplaced_.end());
  unplaced_.clear();
}

Status KafkaSource::Move(const std::map<int32_t, int64_t>& offsets) {
  std::vector<int32_t> partitions;
  for (const auto& [partition, _] : offsets) partitions.push_back(partition);
  const KafkaPartitions list = Partitions(partitions);
  // A partition that leaves and comes back begins where it is told, without anything fetched
  // before.
  KafkaError failed(rd_kafka_incremental_unassign(handle_.get(), list.get()));
  for (int i = 0; i < list->cnt; ++i) {
    const int64_t offset = offsets.at(list->elems[i].partition);
    list->elems[i].offset = ClientOffset(offset);
  }
  if (!failed) failed.reset(rd_kafka_incremental_assign(handle_.get(), list.get()));
  if (failed) {
    return std::unexpected(KafkaFault(rd_kafka_error_code(failed.get()),
                                      rd_kafka_error_string(failed.get()), options_));
  }
  paused_ ? rd_kafka_pause_partitions(handle_.get(), list.get())
          : rd_kafka_resume_partitions(handle_.get(), list.get());
  return {};
}

Status KafkaSource::Seek(int32_t partition, int64_t offset) {
  if (std::ranges::find(held_, partition) == held_.end()) return {};
  if (first_ && first_->partition == partition) first_.reset();
  return Move({{partition, offset}});
}

void KafkaSource::Reoffer(int32_t partition) {
  std::erase(held_, partition);
  if (std::ranges::find(unplaced_, partition) == unplaced_.end()) unplaced_.push_back(partition);
}

Status KafkaSource::Take(KafkaMessage message, std::vector<StreamMessage>& into) {
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: {
      if (std::ranges::find(held_, message->partition) == held_.end()) return {};
      StreamMessage& out = into.emplace_back();
      out.partition = message->partition;
      out.offset = message->offset;
      out.received_at = ReceivedAt(*message, clock_.NowMicros());
      out.key.assign(static_cast<const char*>(message->key), message->key_len);
      out.payload.assign(static_cast<const char*>(message->payload), message->len);
      return {};
    }
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return {};
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      if (std::ranges::find(held_, message->partition) != held_.end()) Reoffer(message->partition);
      return {};
    case RD_KAFKA_RESP_ERR__FATAL:
      return {};  // Poll asks for it
    default:
      owner_->Trouble(KafkaFault(message->err, rd_kafka_message_errstr(message.get()), options_));
      return {};
  }
}

Status KafkaSource::Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
                         std::chrono::milliseconds patience) {
  if (!handle_) {
    clock_.SleepFor(kRejoinPause);
    VL_RETURN_IF_ERROR(Join());
  }
  char fatal[8];
  if (rd_kafka_fatal_error(handle_.get(), fatal, sizeof fatal) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return JoinAnew(owner);
  }
  if (foreign_) VL_RETURN_IF_ERROR(JoinUnderTopic());
  owner_ = &owner;
  rebalanced_ = false;
  if (!unplaced_.empty()) {
    Place();
    if (!unplaced_.empty()) clock_.SleepFor(patience);
    return {};
  }
  if (first_) VL_RETURN_IF_ERROR(Take(std::move(first_), into));
  int wait_ms = static_cast<int>(patience.count());
  while (into.size() < most) {
    KafkaMessage message(rd_kafka_consumer_poll(handle_.get(), wait_ms));
    if (rebalanced_) {
      first_ = std::move(message);
      break;
    }
    if (!message) break;
    VL_RETURN_IF_ERROR(Take(std::move(message), into));
    wait_ms = 0;
  }
  return {};
}

void KafkaSource::Pause() {
  paused_ = true;
  if (!handle_) return;
  const KafkaPartitions list = Partitions(held_);
  rd_kafka_pause_partitions(handle_.get(), list.get());
}

void KafkaSource::Resume() {
  paused_ = false;
  if (!handle_) return;
  const KafkaPartitions list = Partitions(held_);
  rd_kafka_resume_partitions(handle_.get(), list.get());
}

void KafkaSource::CommitAdvisory(const std::map<int32_t, int64_t>& next) {
  if (next.empty()) return;
  std::vector<int32_t> partitions;
  for (const auto& [partition, _] : next) partitions.push_back(partition);
  const KafkaPartitions list = Partitions(partitions);
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = next.at(list->elems[i].partition);
  const std::lock_guard lock(handle_mutex_);
  if (handle_) (void)rd_kafka_commit(handle_.get(), list.get(), 1);
}

std::optional<int64_t> KafkaSource::Waiting() {
  const std::lock_guard lock(handle_mutex_);
  rd_kafka_topic_partition_list_t* assigned = nullptr;
  if (out_of_reach_ != "") return std::nullopt;
  if (!handle_ || rd_kafka_assignment(handle_.get(), &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  const KafkaPartitions list(assigned);
  if (rd_kafka_position(handle_.get(), list.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  int64_t waiting = 0;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list->elems[i];
    int64_t low = 0, high = 0;  // as of the last fetch
    const auto known =
        rd_kafka_get_watermark_offsets(handle_.get(), one.topic, one.partition, &low, &high);
    if (known != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) return std::nullopt;
    if (one.offset >= 0) waiting += std::max<int64_t>(high - one.offset, 0);
  }
  return waiting;
}

}  // namespace vitalake::ingest
