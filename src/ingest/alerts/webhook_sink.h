// WebhookSink: outbound messages as HTTP POSTs, signed, tried again until they are taken.
//
// The body is the message's JSON; headers: `Content-Type: application/json`,
// `X-Vitalake-Position` (the message's position), `X-Vitalake-Timestamp` (seconds since 1970) and,
// with a secret, `X-Vitalake-Signature: sha256=<hex>`, HMAC-SHA256 of "<timestamp>.<body>" under
// it. Any 2xx takes the message. 408, 425, 429, 5xx and failures of the network are tried again
// after a growing pause; any other answer means that the receiver will never take it: it is logged
// with its position and left out, so that it does not hold up the others.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "ingest/http_post.h"
#include "ingest/outbound/outbound.h"

namespace vitalake::ingest {

struct WebhookOptions {
  std::string url;      // http:// or https://
  std::string secret;   // empty: not signed
  std::string ca_file;  // empty: the system's
};

// kInvalidArgument: not an http or https URL.
Status CheckWebhook(const WebhookOptions& options);

class WebhookSink final : public OutboundSink {
 public:
  // Errors of CheckWebhook. `clock` must outlive it.
  static Result<std::unique_ptr<WebhookSink>> Open(WebhookOptions options, Clock& clock);

  // Until the receiver answers for good, or `wait` ends: kDeadline or kCancelled with what hindered
  // it last.
  Status Send(const OutboundMessage& message, const Wait& wait) override;
  // Nothing waits: each message was taken or refused by then.
  Status Flush(const Wait& wait) override;

  // Messages the receiver refused for good.
  int64_t refused() const { return refused_; }

 private:
  WebhookSink(WebhookOptions options, Clock& clock, HttpPoster http);

  WebhookOptions options_;
  Clock& clock_;
  HttpPoster http_;
  int64_t refused_ = 0;
};

// "sha256=<hex>" over "<timestamp>.<body>" (HMAC-SHA256, RFC 2104).
std::string WebhookSignature(std::string_view secret, std::string_view timestamp,
                             std::string_view body);

}  // namespace vitalake::ingest
