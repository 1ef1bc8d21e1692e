// Gzip of answers: whole ones, and those that are sent in pieces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::serve {

// RFC 1952, at a fast level.
std::string Gzipped(std::string_view bytes);

// The same piece by piece. Not thread-safe.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  // What a client needs to read all of `bytes` and what came before.
  std::string Add(std::string_view bytes);
  // What is still to come, the stream's own end.
  std::string End();

 private:
  friend std::string Gzipped(std::string_view bytes);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What a gzip stream of ours holds: for trusted bytes, as nothing limits the size. kCorrupt.
Result<std::string> Gunzipped(std::string_view bytes);

// Whether an Accept-Encoding header takes gzip. Source: RFC 9110, 12.5.3.
bool TakesGzip(std::string_view accept_encoding);

}  // namespace vitalake::serve
