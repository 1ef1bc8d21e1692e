#include "ingest/kafka/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ingest/kafka/client.h"

namespace vitalake::ingest {
namespace {

constexpr int kProbeMs = 5000;

struct ProbeDelete {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
  void operator()(const rd_kafka_group_list* groups) const { rd_kafka_group_list_destroy(groups); }
};

}  // namespace

struct KafkaProbe::State {
  explicit State(KafkaOptions asked) : options(std::move(asked)) {}

  KafkaOptions options;
  // The client's own word on why nothing answers: a refused login is told nowhere else. Set by its
  // thread while a call waits.
  std::optional<std::pair<rd_kafka_resp_err_t, std::string>> trouble;
  KafkaHandle handle;

  std::unexpected<Error> Fault(rd_kafka_resp_err_t code) {
    (void)rd_kafka_poll(handle.get(), 0);  // OnError runs here
    const bool no_answer = code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                           code == RD_KAFKA_RESP_ERR__TRANSPORT ||
                           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (trouble && no_answer) {
      return std::unexpected(KafkaFault(trouble->first, trouble->second, options));
    }
    return std::unexpected(KafkaFault(code, rd_kafka_err2str(code), options));
  }

  // The cluster's metadata, with that of `topic` when it is not null.
  Result<std::unique_ptr<const rd_kafka_metadata_t, ProbeDelete>> Metadata(
      rd_kafka_topic_t* topic) {
    const rd_kafka_metadata_t* found = nullptr;
    const auto code = rd_kafka_metadata(handle.get(), 0, topic, &found, kProbeMs);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return Fault(code);
    return std::unique_ptr<const rd_kafka_metadata_t, ProbeDelete>(found);
  }

  KafkaPartitions List(const std::vector<ProbedPartition>& partitions) const {
    KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const ProbedPartition& one : partitions) {
      auto* const added =
          rd_kafka_topic_partition_list_add(list.get(), options.topic.c_str(), one.partition);
      added->offset = one.high - 1;
    }
    return list;
  }

  static void OnError(rd_kafka_t*, int code, const char* reason, void* self) {
    auto& state = *static_cast<State*>(self);
    const auto kind = static_cast<rd_kafka_resp_err_t>(code);
    // That all are down says less than why one is.
    if (kind == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && state.trouble) return;
    state.trouble = {kind, reason == nullptr ? "" : reason};
  }
};

KafkaProbe::KafkaProbe(std::unique_ptr<State> state) : state_(std::move(state)) {}
KafkaProbe::~KafkaProbe() = default;

Result<std::unique_ptr<KafkaProbe>> KafkaProbe::Open(const KafkaOptions& options) {
  VL_TRY(KafkaSettings settings, ClientSettings(options));
  settings["group.id"] = options.group;
  settings["enable.auto.commit"] = "false";
  settings["enable.partition.eof"] = "true";
  settings["auto.offset.reset"] = "error";
  settings["allow.auto.create.topics"] = "false";
  VL_TRY(KafkaConf conf, MakeKafkaConf(settings));
  auto state = std::make_unique<State>(options);
  rd_kafka_conf_set_opaque(conf.get(), state.get());
  rd_kafka_conf_set_error_cb(conf.get(), State::OnError);
  VL_TRY(state->handle, MakeKafka(RD_KAFKA_CONSUMER, std::move(conf)));
  return std::unique_ptr<KafkaProbe>(new KafkaProbe(std::move(state)));
}

Result<int> KafkaProbe::Brokers() {
  VL_TRY(const auto metadata, state_->Metadata(nullptr));
  return metadata->broker_cnt;
}

Result<std::vector<ProbedPartition>> KafkaProbe::Partitions() {
  rd_kafka_t* const handle = state_->handle.get();
  const char* const name = state_->options.topic.c_str();
  const std::unique_ptr<rd_kafka_topic_t, ProbeDelete> topic(
      rd_kafka_topic_new(handle, name, nullptr));
  VL_TRY(const auto metadata, state_->Metadata(topic.get()));
  if (metadata->topic_cnt == 0) return state_->Fault(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return state_->Fault(found.err);
  std::vector<ProbedPartition> partitions;
  for (int i = 0; i < found.partition_cnt; ++i) {
    ProbedPartition one{found.partitions[i].id};
    const auto code = rd_kafka_query_watermark_offsets(handle, name, one.partition, &one.low,
                                                       &one.high, kProbeMs);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return state_->Fault(code);
    partitions.push_back(one);
  }
  std::ranges::sort(partitions, {}, &ProbedPartition::partition);
  return partitions;
}

Result<std::optional<Micros>> KafkaProbe::NewestMessage(
    const std::vector<ProbedPartition>& partitions) {
  std::vector<ProbedPartition> filled;
  std::ranges::copy_if(partitions, std::back_inserter(filled),
                       [](const ProbedPartition& one) { return one.high > one.low; });
  std::optional<Micros> newest;
  if (filled.empty()) return newest;
  rd_kafka_t* const handle = state_->handle.get();
  const KafkaPartitions list = state_->List(filled);
  if (const auto code = rd_kafka_assign(handle, list.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return state_->Fault(code);
  }
  // A message each; a partition that ends with marks of transactions has none there.
  std::vector<int32_t> answered;
  while (answered.size() < filled.size()) {
    const KafkaMessage message(rd_kafka_consumer_poll(handle, kProbeMs));
    if (!message) return state_->Fault(RD_KAFKA_RESP_ERR__TIMED_OUT);
    const bool end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !end) return state_->Fault(message->err);
    if (!end) {
      rd_kafka_timestamp_type_t type;
      const int64_t ms = rd_kafka_message_timestamp(message.get(), &type);
      if (ms > 0) newest = std::max(newest.value_or(0), ms * 1000);
    }
    if (std::ranges::find(answered, message->partition) == answered.end()) {
      answered.push_back(message->partition);
    }
  }
  rd_kafka_assign(handle, nullptr);
  return newest;
}

Result<ProbedGroup> KafkaProbe::Group(const std::vector<ProbedPartition>& partitions) {
  rd_kafka_t* const handle = state_->handle.get();
  const rd_kafka_group_list* found = nullptr;
  const auto code = rd_kafka_list_groups(handle, state_->options.group.c_str(), &found, kProbeMs);
  const std::unique_ptr<const rd_kafka_group_list, ProbeDelete> groups(found);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return state_->Fault(code);
  ProbedGroup group;
  if (groups->group_cnt > 0) {
    const rd_kafka_group_info& info = groups->groups[0];
    if (info.err != RD_KAFKA_RESP_ERR_NO_ERROR) return state_->Fault(info.err);
    group.state = info.state;
    for (int i = 0; i < info.member_cnt; ++i) {
      group.members.push_back(
          fmt::format("{} at {}", info.members[i].client_id, info.members[i].client_host));
    }
  }
  const KafkaPartitions list = state_->List(partitions);
  const auto read = rd_kafka_committed(handle, list.get(), kProbeMs);
  if (read != RD_KAFKA_RESP_ERR_NO_ERROR) return state_->Fault(read);
  return group;
}

}  // namespace vitalake::ingest
