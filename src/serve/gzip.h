// Gzip of whole answers in memory.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::serve {

// RFC 1952, at a fast level.
std::string Gzipped(std::string_view bytes);

// What a gzip stream of ours holds: for trusted bytes, as nothing limits the size. kCorrupt.
Result<std::string> Gunzipped(std::string_view bytes);

// Whether an Accept-Encoding header takes gzip. Source: RFC 9110, 12.5.3.
bool TakesGzip(std::string_view accept_encoding);

}  // namespace vitalake::serve
