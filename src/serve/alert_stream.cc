#include "serve/alert_stream.h"

#include "serve/event_text.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

using ingest::AlertPositions;
using ingest::AlertStepPtr;

// What may wait for a client: what it missed, at most, and more while that is sent.
constexpr size_t kAlertsWaiting = 16 << 20;
constexpr size_t kMostMissed = 10'000;
constexpr std::chrono::seconds kAlertsPatience{20};

// Moves the positions behind the step.
std::string StepText(const AlertStepPtr& step, AlertPositions& positions) {
  positions[step->alert.source_partition] = step->alert.sequence + 1;
  return EventText("alert", step->json, ingest::FormatAlertPlace(positions));
}

std::string LastIdOf(const Request& request) {
  const std::string* const header = request.Header("last-event-id");
  const std::string* const id = header != nullptr ? header : request.Query("last_event_id");
  return id == nullptr ? "" : *id;
}

}  // namespace

void AlertStream::Follow() {
  positions_ = board_.positions();
  board_.Listen([this](std::span<const AlertStepPtr> steps) { Deliver(steps); });
}

// The alerts that are on. Only the last says that all were sent.
void AlertStream::AppendStanding(Begin& begin) const {
  const ingest::AlertBoard::Standing standing = board_.Now();
  const std::string place = ingest::FormatAlertPlace(standing.positions);
  for (const AlertStepPtr& step : standing.on) {
    const bool last = step == standing.on.back();
    begin.text += EventText("alert", step->json, last ? place : "~" + place);
  }
  begin.positions = standing.positions;
  begin.number = standing.number;
}

Result<AlertStream::Begin> AlertStream::BeginOf(const std::string& last_id) {
  Begin begin;
  begin.text = ":\n\n";
  const bool halfway = last_id.starts_with('~');
  if (!last_id.empty()) {
    auto from = ingest::ParseAlertPlace(std::string_view(last_id).substr(halfway ? 1 : 0),
                                        board_.positions());
    if (!from && from.error().kind != ErrorKind::kNotFound) {
      return std::unexpected(std::move(from).error());
    }
    auto missed = from ? board_.Since(*from, kMostMissed, Wait::For(clock_, kAlertsPatience))
                       : std::unexpected(from.error());
    if (missed) {
      AlertPositions positions = *from;
      for (const AlertStepPtr& step : missed->steps) begin.text += StepText(step, positions);
      begin.positions = std::move(missed->positions);
      begin.number = missed->number;
      if (!halfway) return begin;
    } else if (missed.error().kind == ErrorKind::kLimit ||
               missed.error().kind == ErrorKind::kNotFound) {
      begin.text += EventText("reset", "{}");
    } else {
      return std::unexpected(std::move(missed).error());
    }
  }
  AppendStanding(begin);
  return begin;
}

void AlertStream::Join(const Request& request, const Reply& reply) {
  auto begin = BeginOf(LastIdOf(request));
  if (!begin) return reply(ErrorResponse(begin.error(), request.path));
  Client client{reply.Begin(EventsHead(), EventsLimits(kAlertsWaiting)), begin->number};
  client.body.TrySend(std::move(begin->text));
  const std::lock_guard lock(mutex_);
  const auto since = board_.After(begin->number);
  if (!since) return client.body.CutOff();  // it comes back with its position
  for (const AlertStepPtr& step : *since) {
    client.body.TrySend(StepText(step, begin->positions));
    client.number = step->number;
  }
  clients_.push_back(std::move(client));
}

void AlertStream::Deliver(std::span<const AlertStepPtr> steps) {
  const std::lock_guard lock(mutex_);
  for (const AlertStepPtr& step : steps) {
    const auto text = std::make_shared<const std::string>(StepText(step, positions_));
    std::erase_if(clients_, [&](Client& client) {
      if (step->number <= client.number) return false;
      client.number = step->number;
      return !client.body.SendOrCut(text);
    });
  }
}

}  // namespace vitalake::serve
