#include "ingest/kafka/sink.h"

#include <array>

namespace vitalake::ingest {
namespace {

// Of the fields of outbound/*.sql; grows when one changes its meaning or goes.
constexpr std::string_view kSchemaVersion = "1";

}  // namespace

Status KafkaSink::Checked(Status done) {
  if (!done) producer_.reset();
  return done;
}

Status KafkaSink::Send(const OutboundMessage& message, const Wait& wait) {
  if (!producer_) {
    VL_TRY(producer_, KafkaProducer::Open(options_));
  }
  const std::array<KafkaProducer::Header, 2> headers = {
      {{"schema-version", kSchemaVersion}, {"position", message.position}}};
  return Checked(producer_->Send(message.key, message.value, headers, wait, clock_));
}

Status KafkaSink::Flush(const Wait& wait) {
  return producer_ ? Checked(producer_->Flush(wait, clock_)) : Status();
}

}  // namespace vitalake::ingest
