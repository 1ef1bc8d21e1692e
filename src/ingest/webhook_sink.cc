#include "ingest/webhook_sink.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/log.h"
#include "ingest/pause.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

constexpr long kConnectMs = 5'000;
constexpr long kAnswerMs = 15'000;
constexpr auto kFirstPause = 500ms;
constexpr auto kLongestPause = 30s;
constexpr size_t kToldBytes = 200;  // of an answer's body, in the log

struct CurlDelete {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHeaders = std::unique_ptr<curl_slist, CurlDelete>;

void Add(CurlHeaders& headers, const std::string& line) {
  curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
  VL_CHECK(longer != nullptr);
  (void)headers.release();
  headers.reset(longer);
}

size_t KeepSome(char* data, size_t size, size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  text.append(data, std::min(size * count, kToldBytes - std::min(kToldBytes, text.size())));
  return size * count;
}

bool ComesAgain(long status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

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

// One connection, kept alive between posts.
class WebhookSink::Http {
 public:
  explicit Http(CURL* handle) : handle_(handle) {}

  struct Answer {
    long status = 0;    // 0: none
    std::string about;  // why there is none, or the begin of its body
  };

  Answer Post(const WebhookOptions& options, std::string_view body, const CurlHeaders& headers) {
    CURL* const curl = handle_.get();
    Answer answer;
    std::array<char, CURL_ERROR_SIZE> fault = {};
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, options.url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kAnswerMs);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, KeepSome);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.about);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fault.data());
    if (!options.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
      curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    } else {
      answer.about = fault[0] != 0 ? fault.data() : curl_easy_strerror(code);
    }
    return answer;
  }

 private:
  std::unique_ptr<CURL, CurlDelete> handle_;
};

WebhookSink::WebhookSink(WebhookOptions options, Clock& clock, std::unique_ptr<Http> http)
    : options_(std::move(options)), clock_(clock), http_(std::move(http)) {}

WebhookSink::~WebhookSink() = default;

Status CheckWebhook(const WebhookOptions& options) {
  if (options.url.starts_with("http://") || options.url.starts_with("https://")) return {};
  return Fail(
      ErrorKind::kInvalidArgument,
      fmt::format("a webhook's URL begins with http:// or https://, not \"{}\"", options.url));
}

Result<std::unique_ptr<WebhookSink>> WebhookSink::Open(WebhookOptions options, Clock& clock) {
  VL_RETURN_IF_ERROR(CheckWebhook(options));
  CURL* const handle = curl_easy_init();
  if (handle == nullptr) return Fail(ErrorKind::kInternal, "cannot set up the HTTP client");
  return std::unique_ptr<WebhookSink>(
      new WebhookSink(std::move(options), clock, std::make_unique<Http>(handle)));
}

Status WebhookSink::Send(const OutboundMessage& message, const Wait& wait) {
  auto pause = std::chrono::milliseconds(kFirstPause);
  for (;;) {
    const std::string timestamp = fmt::to_string(clock_.NowMicros() / 1'000'000);
    CurlHeaders headers;
    Add(headers, "Content-Type: application/json");
    Add(headers, "Expect:");
    Add(headers, fmt::format("X-Vitalake-Position: {}", message.position));
    Add(headers, fmt::format("X-Vitalake-Timestamp: {}", timestamp));
    if (!options_.secret.empty()) {
      Add(headers, fmt::format("X-Vitalake-Signature: {}",
                               WebhookSignature(options_.secret, timestamp, message.value)));
    }
    const Http::Answer answer = http_->Post(options_, message.value, headers);
    if (answer.status >= 200 && answer.status < 300) return {};
    const std::string told =
        answer.status == 0 ? answer.about : fmt::format("HTTP {} {}", answer.status, answer.about);
    if (answer.status != 0 && !ComesAgain(answer.status)) {
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
