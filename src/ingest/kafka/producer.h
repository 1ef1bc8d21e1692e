// KafkaProducer: messages to a topic, in order.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/kafka/client.h"

namespace vitalake::ingest {

// Idempotent: what was sent is there once, in its order. Not thread-safe.
class KafkaProducer {
 public:
  // kInvalidArgument: settings librdkafka refuses.
  static Result<std::unique_ptr<KafkaProducer>> Open(const KafkaOptions& options);
  ~KafkaProducer();

  using Header = std::pair<std::string_view, std::string_view>;
  // Queues a message, waiting for room where there is none. An error is that of an earlier one: the
  // topic is missing, no broker answers. Then the producer is spent.
  Status Send(std::string_view key, std::string_view value, std::span<const Header> headers,
              const Wait& wait, Clock& clock);
  // Queues each line of an NDJSON block, its patient as the key. Errors as of Send.
  Status SendLines(std::string_view block, const Wait& wait, Clock& clock);
  // Waits until all is acknowledged.
  Status Flush(const Wait& wait, Clock& clock);

 private:
  explicit KafkaProducer(KafkaOptions options) : options_(std::move(options)) {}
  static void OnDelivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* self);
  Status Failed() const;

  KafkaOptions options_;
  KafkaHandle handle_;
  rd_kafka_resp_err_t failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

// The patient a resource is of ("pat-1" of its first "Patient/pat-1", else its id), found in its
// text without parsing it; empty when there is none.
std::string_view PatientKey(std::string_view resource);

}  // namespace vitalake::ingest
