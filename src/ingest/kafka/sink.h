// KafkaSink: outbound messages to a Kafka topic, by an idempotent producer.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "ingest/kafka/producer.h"
#include "ingest/outbound/outbound.h"

namespace vitalake::ingest {

// Each message has the headers `schema-version` ("1") and `position`. After an error the next
// message opens a producer of its own.
class KafkaSink final : public OutboundSink {
 public:
  // `clock` must outlive it.
  KafkaSink(KafkaOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  Status Send(const OutboundMessage& message, const Wait& wait) override;
  Status Flush(const Wait& wait) override;

 private:
  Status Checked(Status done);

  KafkaOptions options_;
  Clock& clock_;
  std::unique_ptr<KafkaProducer> producer_;
};

}  // namespace vitalake::ingest
