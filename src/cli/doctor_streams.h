// What `doctor` looks at of the config's `streams`, `outbound`, `monitor` and `serve`.
#pragma once

#include <vector>

#include "base/clock.h"
#include "cli/config.h"
#include "cli/doctor.h"
#include "lake/lake.h"

namespace vitalake::cli {

// The rule files as `run` would take them.
std::vector<Finding> CheckRules(const Config& config);
// Of every stream: broker, topic and its partitions, the right to read, the broker's time against
// `now`, the group, and where the lake is in it. None is joined, nothing is committed. A file: that
// it can be read.
std::vector<Finding> CheckStreams(const Config& config, lake::Lake& lake, Micros now);
// Broker and topic of every outbound topic.
std::vector<Finding> CheckOutbound(const Config& config);
// Where HTTP would be served, who may ask, and how long the certificate holds. Nothing listens.
std::vector<Finding> CheckHttp(const Config& config, Micros now);

}  // namespace vitalake::cli
