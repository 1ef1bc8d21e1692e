// The sections of the config that `run` works by, as the modules below take them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/config.h"
#include "ingest/kafka_settings.h"
#include "ingest/landing_watch.h"
#include "ingest/stream_pipeline.h"

namespace vitalake::cli {

struct StreamSetup {
  ingest::StreamSettings settings;
  ingest::BatchLimits limits;
  std::string file;  // to follow; empty: kafka is the source
  ingest::KafkaOptions kafka;
};

struct OutboundSetup {
  std::optional<ingest::KafkaOptions> observations;  // the topic of enriched readings
  bool names = true;                                 // with the patients' names
};

struct RunSetup {
  std::optional<ingest::LandingOptions> landing;
  std::vector<StreamSetup> streams;
  OutboundSetup outbound;
};

// kInvalidArgument, kUnsupported naming the key.
Result<RunSetup> ReadRunSetup(const Config& config);

}  // namespace vitalake::cli
