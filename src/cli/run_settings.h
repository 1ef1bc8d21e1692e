// The sections of the config that `run` works by, as the modules below take them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/config.h"
#include "ingest/alerts/webhook_sink.h"
#include "ingest/generate/source.h"
#include "ingest/kafka/settings.h"
#include "ingest/landing_watch.h"
#include "ingest/monitoring/rules.h"
#include "ingest/stream/pipeline.h"
#include "serve/http/server.h"
#include "serve/postgres/server.h"

namespace vitalake::cli {

enum class StreamKind { kKafka, kFile, kHttp, kGenerator };

struct StreamSetup {
  ingest::StreamSettings settings;
  ingest::BatchLimits limits;
  bool by_arrival = false;  // readings are judged as of their receipt
  StreamKind source = StreamKind::kKafka;
  std::string file;            // of kFile: to follow
  ingest::KafkaOptions kafka;  // of kKafka
  ingest::GenerateSourceOptions generator;
};

struct HttpSetup {
  serve::HttpOptions options = {};
  bool asked_for = false;  // in the config, or by a stream that needs it: not by default alone
  // Called with the URL once requests are answered there; may be empty.
  std::function<void(const std::string& url)> on_listen = {};
};

struct PostgresSetup {
  serve::PostgresOptions options = {};
  bool asked_for = false;  // in the config, not by default alone
  // Called with the address ("127.0.0.1:5439") once sessions are answered there; may be empty.
  std::function<void(const std::string& address)> on_listen = {};
};

struct OutboundSetup {
  std::optional<ingest::KafkaOptions> observations;  // the topic of enriched readings
  std::optional<ingest::KafkaOptions> alerts;        // the topic of alerts
  std::optional<ingest::WebhookOptions> webhook;     // of alerts
  bool names = true;                                 // with the patients' names
};

struct RunSetup {
  std::optional<HttpSetup> http;          // none: off
  std::optional<PostgresSetup> postgres;  // none: off
  std::optional<ingest::LandingOptions> landing;
  std::vector<StreamSetup> streams;
  ingest::MonitorRules monitor;  // what their readings are judged by
  OutboundSetup outbound;
};

// kInvalidArgument, kUnsupported naming the key; of a rule file, its line.
Result<RunSetup> ReadRunSetup(const Config& config);
// Its parts, each by itself.
Result<std::vector<StreamSetup>> ReadStreams(const Config& config);
// The files of the folder as they are now.
Result<ingest::MonitorRules> ReadMonitorRules(const Config& config);
Result<OutboundSetup> ReadOutbound(const Config& config);
// None: it is off. What serve::CheckHttpOptions says.
Result<std::optional<HttpSetup>> ReadHttp(const Config& config,
                                          const std::vector<StreamSetup>& streams);

}  // namespace vitalake::cli
