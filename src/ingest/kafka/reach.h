// Whether the brokers of a consumer answer, from what librdkafka tells about itself now and then.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ingest/kafka/settings.h"

namespace vitalake::ingest {

// What is in the way of the partitions held, in words: no broker answers, or one's leader does not.
// Empty: nothing, or `statistics` cannot be read.
// Source: librdkafka STATISTICS.md.
std::string OutOfReach(std::string_view statistics, const KafkaOptions& options,
                       std::span<const int32_t> held);

}  // namespace vitalake::ingest
