#include "ingest/alerts/webhook_sink.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/log.h"
#include "ingest/pause.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

constexpr auto kAnswerPatience = 15s;
constexpr auto kFirstPause = 500ms;
constexpr auto kLongestPause = 30s;

}  // namespace

std::string WebhookSignature(std::string_view secret, std::string_view timestamp,
                             std::string_view body) {
  const std::string text = fmt::format("{}.{}", timestamp, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  std::string out = "sha256=";
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

WebhookSink::WebhookSink(WebhookOptions options, Clock& clock, HttpPoster http)
    : options_(std::move(options)), clock_(clock), http_(std::move(http)) {}

Status CheckWebhook(const WebhookOptions& options) {
  if (IsHttpUrl(options.url)) return {};
  return Fail(
      ErrorKind::kInvalidArgument,
      fmt::format("a webhook's URL begins with http:// or https://, not \"{}\"", options.url));
}

Result<std::unique_ptr<WebhookSink>> WebhookSink::Open(WebhookOptions options, Clock& clock) {
  VL_RETURN_IF_ERROR(CheckWebhook(options));
  VL_TRY(HttpPoster http, HttpPoster::Open(kAnswerPatience));
  return std::unique_ptr<WebhookSink>(new WebhookSink(std::move(options), clock, std::move(http)));
}

Status WebhookSink::Send(const OutboundMessage& message, const Wait& wait) {
  auto pause = std::chrono::milliseconds(kFirstPause);
  for (;;) {
    const std::string timestamp = fmt::to_string(clock_.NowMicros() / 1'000'000);
    std::vector<std::string> headers = {"Content-Type: application/json",
                                        fmt::format("X-Vitalake-Position: {}", message.position),
                                        fmt::format("X-Vitalake-Timestamp: {}", timestamp)};
    if (!options_.secret.empty()) {
      headers.push_back(fmt::format("X-Vitalake-Signature: {}",
                                    WebhookSignature(options_.secret, timestamp, message.value)));
    }
    const HttpPoster::Answer answer =
        http_.Post(options_.url, message.value, headers, options_.ca_file);
    if (answer.is_good()) return {};
    const std::string told = answer.ToString();
    if (!answer.is_passing()) {
      ++refused_;
      log::Fault("webhook: the receiver refuses {}: {}; it is left out", message.position, told);
      return {};
    }
    if (auto time = wait.Check(clock_, "posting to the webhook"); !time) {
      return Because(std::move(time).error(), told);
    }
    PauseUntilStop(wait.stop, pause);
    pause = std::min<std::chrono::milliseconds>(pause * 2, kLongestPause);
  }
}

Status WebhookSink::Flush(const Wait&) { return {}; }

}  // namespace vitalake::ingest
