// What the Kafka consumer and producer share: handles that close themselves, and errors in words.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "ingest/kafka/settings.h"

namespace vitalake::ingest {

struct KafkaDelete {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
};
using KafkaHandle = std::unique_ptr<rd_kafka_t, KafkaDelete>;
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaDelete>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaDelete>;
using KafkaPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t, KafkaDelete>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, KafkaDelete>;

// kInvalidArgument naming the setting that librdkafka refuses.
Result<KafkaConf> MakeKafkaConf(const KafkaSettings& settings);
// Takes the conf over.
Result<KafkaHandle> MakeKafka(rd_kafka_type_t type, KafkaConf conf);

// What a code means for us, and what to do about it; `detail` is librdkafka's own word.
Error KafkaFault(rd_kafka_resp_err_t code, const std::string& detail, const KafkaOptions& options);

}  // namespace vitalake::ingest
