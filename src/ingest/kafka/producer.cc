#include "ingest/kafka/producer.h"

#include <fmt/format.h>

namespace vitalake::ingest {
namespace {

constexpr int kRoomMs = 100;

std::string_view TextBehind(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  return text.substr(0, text.find('"'));
}

}  // namespace

std::string_view PatientKey(std::string_view resource) {
  const std::string_view subject = TextBehind(resource, "\"Patient/");
  return subject.empty() ? TextBehind(resource, "\"id\":\"") : subject;
}

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::Open(const KafkaOptions& options) {
  VL_TRY(const KafkaSettings settings, ProducerSettings(options));
  VL_TRY(KafkaConf conf, MakeKafkaConf(settings));
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer(options));
  rd_kafka_conf_set_opaque(conf.get(), producer.get());
  rd_kafka_conf_set_dr_msg_cb(conf.get(), OnDelivery);
  VL_TRY(producer->handle_, MakeKafka(RD_KAFKA_PRODUCER, std::move(conf)));
  return producer;
}

KafkaProducer::~KafkaProducer() {
  if (handle_) rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

void KafkaProducer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto& producer = *static_cast<KafkaProducer*>(self);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) producer.failed_ = message->err;
}

Status KafkaProducer::Failed() const {
  if (failed_ == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return std::unexpected(KafkaFault(failed_, rd_kafka_err2str(failed_), options_));
}

Status KafkaProducer::Send(std::string_view key, std::string_view value,
                           std::span<const Header> headers, const Wait& wait, Clock& clock) {
  for (;;) {
    VL_RETURN_IF_ERROR(Failed());
    rd_kafka_headers_t* list = rd_kafka_headers_new(headers.size());
    for (const auto& [name, text] : headers) {
      rd_kafka_header_add(list, name.data(), static_cast<ssize_t>(name.size()), text.data(),
                          static_cast<ssize_t>(text.size()));
    }
    const auto code =
        rd_kafka_producev(handle_.get(), RD_KAFKA_V_TOPIC(options_.topic.c_str()),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
                          RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    rd_kafka_headers_destroy(list);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return std::unexpected(KafkaFault(code, rd_kafka_err2str(code), options_));
    }
    VL_RETURN_IF_ERROR(wait.Check(clock, "sending"));
    rd_kafka_poll(handle_.get(), kRoomMs);
  }
  rd_kafka_poll(handle_.get(), 0);
  return {};
}

Status KafkaProducer::SendLines(std::string_view block, const Wait& wait, Clock& clock) {
  while (!block.empty()) {
    const size_t end = std::min(block.find('\n'), block.size());
    const std::string_view line = block.substr(0, end);
    if (end > 0) VL_RETURN_IF_ERROR(Send(PatientKey(line), line, {}, wait, clock));
    block.remove_prefix(std::min(end + 1, block.size()));
  }
  return {};
}

Status KafkaProducer::Flush(const Wait& wait, Clock& clock) {
  while (rd_kafka_outq_len(handle_.get()) > 0) {
    VL_RETURN_IF_ERROR(Failed());
    if (auto time = wait.Check(clock, "sending"); !time) {
      return Because(
          std::move(time).error(),
          fmt::format("{} messages to topic {} are not acknowledged by {}",
                      rd_kafka_outq_len(handle_.get()), options_.topic, options_.brokers));
    }
    (void)rd_kafka_flush(handle_.get(), kRoomMs);
  }
  return Failed();
}

}  // namespace vitalake::ingest
