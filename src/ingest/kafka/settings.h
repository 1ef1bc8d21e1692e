// What a Kafka client is told: settings of librdkafka out of ours.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace vitalake::ingest {

struct KafkaSecurity {
  std::string protocol;   // plaintext, ssl, sasl_plaintext, sasl_ssl; empty: plaintext, or what
                          // the rest implies
  std::string mechanism;  // plain, scram-sha-256, scram-sha-512, oauthbearer; empty: plain
  std::string username;
  std::string password;
  // Of Event Hubs: stands for user `$ConnectionString` over SASL_SSL PLAIN.
  std::string connection_string;
  // Of oauthbearer: where username and password (the client's id and secret) are worth a token, and
  // what for.
  std::string token_url;
  std::string scope;
  std::string ca_file;  // empty: the system's
  std::string certificate_file;
  std::string key_file;
};

struct KafkaOptions {
  std::string brokers;  // host:port, more of them with commas
  std::string topic;
  std::string group = "vitalake";
  bool event_hubs = false;  // preset: what Azure Event Hubs' endpoint asks of a client
  KafkaSecurity security;
};

using KafkaSettings = std::map<std::string, std::string>;

// What all clients share: brokers, security, the preset. kInvalidArgument naming the key that is
// missing or does not go with the others.
Result<KafkaSettings> ClientSettings(const KafkaOptions& options);
// Of a member of the group that is known by `instance` (group.instance.id).
Result<KafkaSettings> ConsumerSettings(const KafkaOptions& options, const std::string& instance);
// Of an idempotent producer.
Result<KafkaSettings> ProducerSettings(const KafkaOptions& options);

// "kafka://host:port[,host:port]/topic". kInvalidArgument.
Result<KafkaOptions> ParseKafkaUrl(const std::string& url);

}  // namespace vitalake::ingest
