#include "serve/event_text.h"

namespace vitalake::serve {

std::string EventText(std::string_view event, std::string_view data, std::string_view id) {
  std::string text;
  text.reserve(event.size() + data.size() + id.size() + 24);
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  text.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n");
  return text;
}

StreamHead EventsHead() {
  // The last asks proxies not to gather what is sent.
  return {200, "text/event-stream", {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}}};
}

StreamLimits EventsLimits(size_t waiting_bytes) {
  StreamLimits limits;
  limits.waiting_bytes = waiting_bytes;
  limits.heartbeat_every = std::chrono::seconds(15);
  limits.heartbeat = ":\n\n";
  limits.at_drain = StreamLimits::AtDrain::kEnd;
  return limits;
}

}  // namespace vitalake::serve
