// Values of header fields that more than one route has: dates, entity tags, media types.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "serve/http/message.h"

namespace vitalake::serve {

// "Sun, 06 Nov 1994 08:49:37 GMT". Source: RFC 9110, 5.6.7 (IMF-fixdate).
std::string HttpDate(Micros time);

// Whether the request's If-None-Match says that the client has what is tagged so (`"x"` or
// `W/"x"`); `*` has anything. What follows a malformed tag is not read.
// Source: RFC 9110, 13.1.2 and 8.8.3.2 (weak comparison).
bool KnowsTag(const Request& request, std::string_view etag);

// Whether a `Host` is this machine by a name or address of loopback: "localhost:8080", "127.0.0.1",
// "[::1]:80".
bool IsLoopbackHost(std::string_view host);

// Whether the header `Content-Type` says JSON.
bool SendsJson(const Request& request);

}  // namespace vitalake::serve
