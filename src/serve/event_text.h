// Server-sent events as text, and what all streams of them have in common.
// Source: WHATWG HTML, "Server-sent events".
#pragma once

#include <string>
#include <string_view>

#include "serve/http/body_stream.h"

namespace vitalake::serve {

// One event; `data` is one line. Without an id the client keeps the last one.
std::string EventText(std::string_view event, std::string_view data, std::string_view id = {});

StreamHead EventsHead();
// Comment lines keep the connection; the stream ends when the server does.
StreamLimits EventsLimits(size_t waiting_bytes);

}  // namespace vitalake::serve
