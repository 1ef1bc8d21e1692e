#include "ingest/kafka/client.h"

#include <fmt/format.h>

#include "base/log.h"

namespace vitalake::ingest {
namespace {

void Log(const rd_kafka_t*, int, const char* facility, const char* text) {
  log::Debug("librdkafka {}: {}", facility, text);
}

}  // namespace

Result<KafkaConf> MakeKafkaConf(const KafkaSettings& settings) {
  KafkaConf conf(rd_kafka_conf_new());
  char reason[512];
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason, sizeof reason) !=
        RD_KAFKA_CONF_OK) {
      return Fail(ErrorKind::kInvalidArgument, fmt::format("kafka: {}: {}", name, reason));
    }
  }
  rd_kafka_conf_set_log_cb(conf.get(), Log);
  return conf;
}

Result<KafkaHandle> MakeKafka(rd_kafka_type_t type, KafkaConf conf) {
  char reason[512];
  KafkaHandle handle(rd_kafka_new(type, conf.get(), reason, sizeof reason));
  if (!handle) return Fail(ErrorKind::kInvalidArgument, fmt::format("kafka: {}", reason));
  (void)conf.release();  // the handle's from now on
  return handle;
}

Error KafkaFault(rd_kafka_resp_err_t code, const std::string& detail, const KafkaOptions& options) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
      return {
          ErrorKind::kIo,
          fmt::format("no broker answers at {} ({}); check the address, the network and that the "
                      "broker runs",
                      options.brokers, detail),
          {}};
    case RD_KAFKA_RESP_ERR__SSL:
      return {
          ErrorKind::kPermission,
          fmt::format("no trusted connection to {} ({}); `security.ca_file` names the certificates "
                      "of who vouches for it",
                      options.brokers, detail),
          {}};
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return {ErrorKind::kPermission,
              fmt::format("{} refuses the login ({}); check `security`", options.brokers, detail),
              {}};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {ErrorKind::kPermission,
              fmt::format("{} does not permit this ({}); the user needs the right to read topic {} "
                          "and group {}",
                          options.brokers, detail, options.topic, options.group),
              {}};
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return {ErrorKind::kNotFound,
              fmt::format("{} has no topic {} ({}); make it, or mend the name", options.brokers,
                          options.topic, detail),
              {}};
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__FENCED:
      return {ErrorKind::kConflict,
              fmt::format("another process joined group {} under this one's name ({}); give each "
                          "lake a group of its own",
                          options.group, detail),
              {}};
    default:
      return {ErrorKind::kIo, fmt::format("kafka: {} ({})", detail, rd_kafka_err2name(code)), {}};
  }
}

}  // namespace vitalake::ingest
