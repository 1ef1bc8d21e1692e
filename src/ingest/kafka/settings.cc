#include "ingest/kafka/settings.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

namespace vitalake::ingest {
namespace {

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

Status AddFiles(const KafkaSecurity& security, KafkaSettings& settings) {
  if (!security.ca_file.empty()) settings["ssl.ca.location"] = security.ca_file;
  if (!security.certificate_file.empty()) {
    settings["ssl.certificate.location"] = security.certificate_file;
  }
  if (!security.key_file.empty()) settings["ssl.key.location"] = security.key_file;
  return {};
}

Status AddSecurity(const KafkaSecurity& security, KafkaSettings& settings) {
  std::string protocol = security.protocol;
  std::string mechanism = security.mechanism;
  std::string username = security.username, password = security.password;
  if (!security.connection_string.empty()) {
    if (!username.empty() || !password.empty()) {
      return Fail(ErrorKind::kInvalidArgument,
                  "security: connection_string takes the place of username and password");
    }
    username = "$ConnectionString";
    password = security.connection_string;
    if (protocol.empty()) protocol = "sasl_ssl";
    if (mechanism.empty()) mechanism = "plain";
  }
  if (protocol.empty()) protocol = mechanism.empty() && username.empty() ? "plaintext" : "sasl_ssl";
  settings["security.protocol"] = protocol;
  if (protocol.starts_with("sasl")) {
    if (mechanism.empty()) mechanism = "plain";
    settings["sasl.mechanisms"] = Upper(mechanism);
    if (mechanism == "oauthbearer") {
      if (username.empty() || password.empty() || security.token_url.empty()) {
        return Fail(ErrorKind::kInvalidArgument,
                    "security: oauthbearer needs username (the client's id), password (its secret) "
                    "and token_url");
      }
      settings["sasl.oauthbearer.method"] = "oidc";
      settings["sasl.oauthbearer.client.id"] = username;
      settings["sasl.oauthbearer.client.secret"] = password;
      settings["sasl.oauthbearer.token.endpoint.url"] = security.token_url;
      if (!security.scope.empty()) settings["sasl.oauthbearer.scope"] = security.scope;
      return AddFiles(security, settings);
    }
    if (username.empty() || password.empty()) {
      return Fail(
          ErrorKind::kInvalidArgument,
          fmt::format("security: {} needs username and password, or connection_string", protocol));
    }
    settings["sasl.username"] = username;
    settings["sasl.password"] = password;
  }
  return AddFiles(security, settings);
}

}  // namespace

Result<KafkaSettings> ClientSettings(const KafkaOptions& options) {
  KafkaSettings settings = {{"bootstrap.servers", options.brokers},
                            {"client.id", "vitalake"},
                            {"socket.keepalive.enable", "true"}};
  if (options.event_hubs) {
    // Idle connections are dropped after 240 s there.
    settings["metadata.max.age.ms"] = "180000";
    settings["connections.max.idle.ms"] = "180000";
  }
  KafkaSecurity security = options.security;
  if (options.event_hubs && security.protocol.empty()) security.protocol = "sasl_ssl";
  VL_RETURN_IF_ERROR(AddSecurity(security, settings));
  return settings;
}

Result<KafkaSettings> ConsumerSettings(const KafkaOptions& options, const std::string& instance) {
  VL_TRY(KafkaSettings settings, ClientSettings(options));
  settings["group.id"] = options.group;
  settings["group.instance.id"] = instance;
  settings["partition.assignment.strategy"] = "cooperative-sticky";
  settings["enable.auto.commit"] = "false";
  settings["enable.auto.offset.store"] = "false";
  // A position the topic does not have is told, never mended by guess.
  settings["auto.offset.reset"] = "error";
  settings["session.timeout.ms"] = options.event_hubs ? "30000" : "10000";
  settings["heartbeat.interval.ms"] = "3000";
  // How long fetching rests once enough is queued: the default of a second (before 2.2 the half
  // second of errors) stalls a consumer that keeps up.
  settings[rd_kafka_version() >= 0x02020000 ? "fetch.queue.backoff.ms" : "fetch.error.backoff.ms"] =
      "10";
  settings["fetch.wait.max.ms"] = "100";
  settings["queued.max.messages.kbytes"] = "8192";
  settings["enable.partition.eof"] = "false";
  settings["allow.auto.create.topics"] = "false";
  settings["topic.metadata.refresh.interval.ms"] = "10000";
  return settings;
}

Result<KafkaSettings> ProducerSettings(const KafkaOptions& options) {
  VL_TRY(KafkaSettings settings, ClientSettings(options));
  settings["enable.idempotence"] = "true";
  settings["linger.ms"] = "5";
  settings["compression.codec"] = options.event_hubs ? "gzip" : "lz4";
  if (options.event_hubs) {
    settings["message.max.bytes"] = "1000000";
    settings["request.timeout.ms"] = "60000";
  }
  return settings;
}

Result<KafkaOptions> ParseKafkaUrl(const std::string& url) {
  constexpr std::string_view kScheme = "kafka://";
  KafkaOptions options;
  const size_t slash = url.find('/', kScheme.size());
  if (url.starts_with(kScheme) && slash != std::string::npos) {
    options.brokers = url.substr(kScheme.size(), slash - kScheme.size());
    options.topic = url.substr(slash + 1);
  }
  if (options.brokers.empty() || options.topic.empty() ||
      options.topic.find('/') != std::string::npos) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: a topic is named kafka://host:port/topic", url));
  }
  return options;
}

}  // namespace vitalake::ingest
