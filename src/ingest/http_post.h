// HttpPoster: POST requests over one connection that is kept (libcurl).
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::ingest {

// "http://..." or "https://...".
bool IsHttpUrl(std::string_view text);

class HttpPoster {
 public:
  // `patience`: how long an answer may take.
  static Result<HttpPoster> Open(std::chrono::milliseconds patience);
  ~HttpPoster();
  HttpPoster(HttpPoster&&) noexcept;

  struct Answer {
    long status = 0;    // 0: none
    std::string about;  // why there is none, or the begin of its body

    bool is_good() const { return status >= 200 && status < 300; }
    // Whether the same again may be taken.
    bool is_passing() const {
      return status == 0 || status == 408 || status == 425 || status == 429 || status >= 500;
    }
    // "HTTP 404 no such stream", or why there was no answer.
    std::string ToString() const;
  };

  // `headers` are lines ("Content-Type: application/json"). `ca_file` empty: the system's.
  Answer Post(const std::string& url, std::string_view body, std::span<const std::string> headers,
              const std::string& ca_file = {});

 private:
  struct Handle;
  explicit HttpPoster(std::unique_ptr<Handle> handle);

  std::unique_ptr<Handle> handle_;
};

}  // namespace vitalake::ingest
