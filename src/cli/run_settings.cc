#include "cli/run_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <system_error>

#include "lake/catalogue.h"
#include "serve/http/server.h"
#include "serve/ingest_routes.h"

namespace vitalake::cli {
namespace {

fhir::KeyRule KeyRuleOf(std::string_view text) {
  return text == "identifier" ? fhir::KeyRule::kIdentifier : fhir::KeyRule::kId;
}

Result<ingest::LandingOptions> ReadLanding(const Config& config) {
  ingest::LandingOptions landing;
  VL_TRY(landing.path, config.Path("landing.path"));
  VL_TRY(landing.watch, config.Flag("landing.watch"));
  VL_TRY(landing.settle, config.Duration("landing.settle"));
  VL_TRY(landing.sweep, config.Duration("landing.sweep"));
  VL_TRY(landing.source, config.Text("landing.source"));
  VL_TRY(landing.id_space, config.Text("landing.id_space"));
  VL_TRY(const std::string key, config.Text("landing.key"));
  landing.key = KeyRuleOf(key);
  return landing;
}

Result<ingest::KafkaSecurity> ReadSecurity(const Config& config, const std::string& path) {
  ingest::KafkaSecurity security;
  const auto text = [&](const char* name) { return config.Text(path + "." + name); };
  VL_TRY(security.protocol, text("protocol"));
  VL_TRY(security.mechanism, text("mechanism"));
  VL_TRY(security.username, text("username"));
  VL_TRY(security.password, text("password"));
  VL_TRY(security.connection_string, text("connection_string"));
  VL_TRY(security.token_url, text("token_url"));
  VL_TRY(security.scope, text("scope"));
  VL_TRY(security.ca_file, config.Path(path + ".ca_file"));
  VL_TRY(security.certificate_file, config.Path(path + ".certificate_file"));
  VL_TRY(security.key_file, config.Path(path + ".key_file"));
  return security;
}

// What consumers and producers have in common: where the broker is, and how to log in.
Result<ingest::KafkaOptions> ReadBroker(const Config& config, const std::string& path) {
  ingest::KafkaOptions kafka;
  VL_TRY(kafka.brokers, config.Text(path + ".brokers"));
  VL_TRY(const std::string preset, config.Text(path + ".preset"));
  kafka.event_hubs = preset == "eventhubs";
  VL_TRY(kafka.security, ReadSecurity(config, path + ".security"));
  return kafka;
}

Result<ingest::KafkaOptions> ReadKafka(const Config& config, const std::string& path) {
  VL_TRY(ingest::KafkaOptions kafka, ReadBroker(config, path));
  VL_TRY(kafka.topic, config.Text(path + ".topic"));
  VL_TRY(kafka.group, config.Text(path + ".group"));
  if (auto good = ingest::ConsumerSettings(kafka, "check"); !good) {
    return Because(std::move(good).error(), path);
  }
  return kafka;
}

Result<ingest::GenerateSourceOptions> ReadGenerator(const Config& config, const std::string& path) {
  ingest::GenerateSourceOptions generator;
  VL_TRY(generator.patients, config.Count(path + ".patients"));
  VL_TRY(generator.rate, config.Count(path + ".rate"));
  VL_TRY(const int64_t seed, config.Count(path + ".seed"));
  generator.seed = static_cast<uint64_t>(seed);
  VL_TRY(generator.anomalies, config.Share(path + ".anomalies"));
  if (auto good = ingest::CheckGenerateSource(generator); !good) {
    return Because(std::move(good).error(), path);
  }
  return generator;
}

Result<StreamSetup> ReadStream(const Config& config, const std::string& path) {
  StreamSetup stream;
  const auto text = [&](const char* name) { return config.Text(path + "." + name); };
  VL_TRY(stream.settings.name, text("name"));
  if (!lake::IsPlainName(stream.settings.name)) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: `{}.name`: a stream's name is of a-z, 0-9 and _",
                            config.Find(path + ".name")->origin, path));
  }
  VL_TRY(stream.settings.id_space, text("id_space"));
  VL_TRY(const std::string key, text("key"));
  stream.settings.key = KeyRuleOf(key);
  VL_TRY(const std::string time, text("time"));
  stream.by_arrival = time == "received";
  VL_TRY(const auto every, config.Duration(path + ".commit.every"));
  // Corrections are merged with the batch that holds them: it waits no longer than they may.
  VL_TRY(const auto merge_every, config.Duration(path + ".commit.merge_every"));
  stream.limits.every =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::min(every, merge_every));
  VL_TRY(const int64_t rows, config.Count(path + ".commit.rows"));
  stream.limits.rows = static_cast<size_t>(std::max<int64_t>(rows, 1));
  VL_TRY(stream.limits.bytes, config.Size(path + ".commit.bytes"));
  if (config.HasSection(path + ".generator")) {
    stream.source = StreamKind::kGenerator;
    VL_TRY(stream.generator, ReadGenerator(config, path + ".generator"));
    return stream;
  }
  if (config.HasSection(path + ".http")) {
    stream.source = StreamKind::kHttp;
    stream.settings.limits.max_message_bytes = serve::kIngestPlainBytes;
    return stream;
  }
  if (config.HasSection(path + ".file")) {
    stream.source = StreamKind::kFile;
    VL_TRY(stream.file, config.Path(path + ".file.path"));
    return stream;
  }
  VL_TRY(stream.kafka, ReadKafka(config, path + ".kafka"));
  return stream;
}

// The topic that `key` names under outbound.kafka; nullopt: none.
Result<std::optional<ingest::KafkaOptions>> ReadOutboundTopic(const Config& config,
                                                              const std::string& key) {
  const std::string path = "outbound.kafka";
  if (config.Find(path + "." + key) == nullptr) return std::nullopt;
  VL_TRY(ingest::KafkaOptions kafka, ReadBroker(config, path));
  VL_TRY(kafka.topic, config.Text(path + "." + key));
  if (kafka.topic.empty()) return std::nullopt;
  if (auto good = ingest::ProducerSettings(kafka); !good) {
    return Because(std::move(good).error(), path);
  }
  return kafka;
}

// Gives `take` the name and the secret of each of the list.
Status ReadUsers(const Config& config, const std::string& list, const char* secret_key,
                 const std::function<void(std::string name, std::string secret)>& take) {
  for (size_t i = 0;; ++i) {
    const std::string path = fmt::format("{}[{}]", list, i);
    if (config.Find(path + ".name") == nullptr) return {};
    VL_TRY(std::string name, config.Text(path + ".name"));
    VL_TRY(std::string secret, config.Text(fmt::format("{}.{}", path, secret_key)));
    take(std::move(name), std::move(secret));
  }
}

// Both stay empty where the section is absent.
Status ReadTls(const Config& config, const std::string& section, std::string& certificate_file,
               std::string& key_file) {
  if (!config.HasSection(section)) return {};
  VL_TRY(certificate_file, config.Path(section + ".certificate_file"));
  VL_TRY(key_file, config.Path(section + ".key_file"));
  return {};
}

Result<std::optional<PostgresSetup>> ReadPostgres(const Config& config) {
  PostgresSetup postgres;
  serve::PostgresOptions& options = postgres.options;
  VL_TRY(options.address, config.Text("serve.postgres"));
  const Setting& setting = *config.Find("serve.postgres");
  if (options.address == "off") return std::nullopt;
  postgres.asked_for = setting.source != SettingSource::kDefault;
  VL_RETURN_IF_ERROR(ReadUsers(config, "serve.postgres_users", "password",
                               [&](std::string name, std::string password) {
                                 options.users.push_back({std::move(name), std::move(password)});
                               }));
  VL_RETURN_IF_ERROR(
      ReadTls(config, "serve.postgres_tls", options.certificate_file, options.key_file));
  if (auto good = serve::CheckPostgresOptions(options); !good) {
    return Because(std::move(good).error(), fmt::format("{}: `serve.postgres`", setting.origin));
  }
  return postgres;
}

}  // namespace

Result<std::vector<StreamSetup>> ReadStreams(const Config& config) {
  std::vector<StreamSetup> streams;
  std::set<std::string> names;
  for (size_t i = 0;; ++i) {
    const std::string path = fmt::format("streams[{}]", i);
    if (config.Find(path + ".name") == nullptr) return streams;
    VL_TRY(StreamSetup stream, ReadStream(config, path));
    if (!names.insert(stream.settings.name).second) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("{}: two streams are named {}", config.Find(path + ".name")->origin,
                              stream.settings.name));
    }
    streams.push_back(std::move(stream));
  }
}

Result<std::optional<HttpSetup>> ReadHttp(const Config& config,
                                          const std::vector<StreamSetup>& streams) {
  HttpSetup http;
  serve::HttpOptions& options = http.options;
  VL_TRY(options.address, config.Text("serve.http"));
  const Setting& setting = *config.Find("serve.http");
  const bool posts =
      std::ranges::find(streams, StreamKind::kHttp, &StreamSetup::source) != streams.end();
  if (options.address == "off") {
    if (!posts) return std::nullopt;
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: `serve.http` is off, and a stream has the source `http`: give an "
                            "address like 127.0.0.1:8080",
                            setting.origin));
  }
  http.asked_for = posts || setting.source != SettingSource::kDefault;
  VL_RETURN_IF_ERROR(
      ReadUsers(config, "serve.http_users", "token", [&](std::string name, std::string token) {
        options.users.push_back({std::move(name), std::move(token)});
      }));
  VL_RETURN_IF_ERROR(ReadTls(config, "serve.http_tls", options.certificate_file, options.key_file));
  if (auto good = serve::CheckHttpOptions(options); !good) {
    return Because(std::move(good).error(), fmt::format("{}: `serve.http`", setting.origin));
  }
  return http;
}

Result<ingest::MonitorRules> ReadMonitorRules(const Config& config) {
  VL_TRY(std::filesystem::path folder, config.Path("monitor.rules"));
  // A folder nobody named need not be there: the rules compiled in stand.
  std::error_code ignored;
  const bool named = config.Find("monitor.rules")->source != SettingSource::kDefault;
  if (!named && !std::filesystem::is_directory(folder, ignored)) folder.clear();
  VL_TRY(const std::string guideline, config.Text("monitor.guideline"));
  auto rules = ingest::MonitorRules::Load(folder, guideline);
  if (!rules && rules.error().kind == ErrorKind::kNotFound) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: `monitor.guideline`: {}", config.Find("monitor.guideline")->origin,
                            rules.error().message));
  }
  if (!rules) return Because(std::move(rules).error(), "monitor.rules");
  const auto micros = [&](const char* key) -> Result<Micros> {
    VL_TRY(const auto duration, config.Duration(key));
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  };
  VL_TRY(rules->late_after, micros("monitor.late_after"));
  VL_TRY(rules->late_critical_within, micros("monitor.late_critical_within"));
  return rules;
}

Result<OutboundSetup> ReadOutbound(const Config& config) {
  OutboundSetup outbound;
  if (!config.HasSection("outbound")) return outbound;
  VL_TRY(outbound.names, config.Flag("outbound.names"));
  VL_TRY(outbound.observations, ReadOutboundTopic(config, "observations"));
  VL_TRY(outbound.alerts, ReadOutboundTopic(config, "alerts"));
  if (outbound.alerts && outbound.observations &&
      outbound.alerts->topic == outbound.observations->topic) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: `outbound.kafka`: readings and alerts need a topic each",
                            config.Find("outbound.kafka.alerts")->origin));
  }
  if (config.Find("outbound.webhook.url") == nullptr) return outbound;
  ingest::WebhookOptions webhook;
  VL_TRY(webhook.url, config.Text("outbound.webhook.url"));
  VL_TRY(webhook.secret, config.Text("outbound.webhook.secret"));
  VL_TRY(webhook.ca_file, config.Path("outbound.webhook.ca_file"));
  if (auto good = ingest::CheckWebhook(webhook); !good) {
    return Because(std::move(good).error(), "outbound.webhook.url");
  }
  outbound.webhook = std::move(webhook);
  return outbound;
}

Result<RunSetup> ReadRunSetup(const Config& config) {
  RunSetup setup;
  if (config.Find("landing.path") != nullptr) {
    VL_TRY(setup.landing, ReadLanding(config));
  }
  VL_TRY(setup.outbound, ReadOutbound(config));
  VL_TRY(setup.streams, ReadStreams(config));
  if (!setup.streams.empty()) {
    VL_TRY(setup.monitor, ReadMonitorRules(config));
  }
  VL_TRY(setup.http, ReadHttp(config, setup.streams));
  VL_TRY(setup.postgres, ReadPostgres(config));
  return setup;
}

}  // namespace vitalake::cli
