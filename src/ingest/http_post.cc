#include "ingest/http_post.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace vitalake::ingest {
namespace {

constexpr long kConnectMs = 5'000;
constexpr size_t kToldBytes = 200;  // of an answer's body

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHeaders = std::unique_ptr<curl_slist, FreeList>;

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

}  // namespace

bool IsHttpUrl(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

struct HttpPoster::Handle {
  struct Close {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  std::unique_ptr<CURL, Close> curl;
  std::chrono::milliseconds patience;
};

HttpPoster::HttpPoster(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
HttpPoster::~HttpPoster() = default;
HttpPoster::HttpPoster(HttpPoster&&) noexcept = default;

Result<HttpPoster> HttpPoster::Open(std::chrono::milliseconds patience) {
  auto handle = std::make_unique<Handle>();
  handle->curl.reset(curl_easy_init());
  handle->patience = patience;
  if (!handle->curl) return Fail(ErrorKind::kInternal, "cannot set up the HTTP client");
  return HttpPoster(std::move(handle));
}

std::string HttpPoster::Answer::ToString() const {
  return status == 0 ? about : fmt::format("HTTP {} {}", status, about);
}

HttpPoster::Answer HttpPoster::Post(const std::string& url, std::string_view body,
                                    std::span<const std::string> headers,
                                    const std::string& ca_file) {
  CURL* const curl = handle_->curl.get();
  CurlHeaders lines;
  Add(lines, "Expect:");
  for (const std::string& header : headers) Add(lines, header);
  Answer answer;
  std::array<char, CURL_ERROR_SIZE> fault = {};
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(handle_->patience.count()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, KeepSome);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.about);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fault.data());
  if (!ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  } else {
    answer.about = fault[0] != 0 ? fault.data() : curl_easy_strerror(code);
  }
  return answer;
}

}  // namespace vitalake::ingest
