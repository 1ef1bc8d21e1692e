#include "serve/http/message.h"

#include <algorithm>
#include <atomic>

#include "serve/http/body_queue_internal.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

template <class List>
const std::string* FindIn(const List& list, std::string_view name) {
  const auto found = std::ranges::find(
      list, name, [](const auto& entry) -> std::string_view { return entry.first; });
  return found == list.end() ? nullptr : &found->second;
}

}  // namespace

const std::string* Request::Header(std::string_view name) const { return FindIn(headers, name); }

const std::string* Request::Query(std::string_view name) const { return FindIn(query, name); }

Response JsonResponse(std::string json, int status) {
  return {status, "application/json", std::move(json), {{"Cache-Control", "no-store"}}};
}

struct Reply::State {
  State(std::function<void(Response)> whole, BeginBody pieces, std::stop_token left)
      : send(std::move(whole)), begin(std::move(pieces)), gone(std::move(left)) {}
  ~State() {
    if (!sent.exchange(true)) {
      send(ProblemResponse({500, "The request was dropped by a fault of the server", {}, {}}));
    }
  }
  std::function<void(Response)> send;
  BeginBody begin;
  std::stop_token gone;
  std::atomic<bool> sent = false;
};

Reply::Reply(std::function<void(Response)> send, BeginBody begin, std::stop_token gone)
    : state_(std::make_shared<State>(std::move(send), std::move(begin), std::move(gone))) {}

void Reply::operator()(Response response) const {
  if (!state_->sent.exchange(true)) state_->send(std::move(response));
}

const std::stop_token& Reply::gone() const { return state_->gone; }

BodyStream Reply::Begin(StreamHead head, StreamLimits limits) const {
  const bool late = state_->sent.exchange(true);
  if (late || !state_->begin) return BodyStream(BodyQueue::Gone());
  return BodyStream(state_->begin(std::move(head), std::move(limits)));
}

}  // namespace vitalake::serve
