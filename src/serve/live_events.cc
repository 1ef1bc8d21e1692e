#include "serve/live_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json_writer.h"
#include "serve/event_text.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

using ingest::SeenReading;

constexpr size_t kEventsWaiting = 1 << 20;
// Readings are left out while more waits: the rest is for alerts and status.
constexpr size_t kReadingsWaiting = 256 << 10;
constexpr int64_t kUsualRate = 100, kHighestRate = 1'000;
constexpr std::chrono::seconds kStatusEvery{1};

std::string ReadingJson(const SeenReading& reading) {
  JsonWriter json;
  const auto number = [&](std::string_view name, std::optional<double> value) {
    json.Key(name);
    value ? json.Double(*value) : json.Null();
  };
  json.BeginObject().Key("time");
  reading.effective ? json.String(FormatUtc(*reading.effective)) : json.Null();
  json.Key("received").String(FormatUtc(reading.received));
  json.Key("patient_id");
  reading.patient.empty() ? json.Null() : json.String(reading.patient);
  json.Key("id").String(reading.id).Key("vital").String(reading.vital);
  number("value", reading.value);
  number("diastolic", reading.diastolic);
  json.Key("level");
  reading.level.empty() ? json.Null() : json.String(reading.level);
  json.Key("quality").String(reading.quality).Key("alert").Bool(reading.alert);
  json.Key("source").String(reading.source).EndObject();
  return json.Take();
}

// nullopt: it is no number of readings.
std::optional<int64_t> RateOf(const Request& request) {
  const std::string* const text = request.Query("readings");
  if (text == nullptr) return kUsualRate;
  int64_t rate = -1;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), rate);
  if (failed != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return rate < 0 || rate > kHighestRate ? std::nullopt : std::optional(rate);
}

SharedPiece Shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

LiveEvents::LiveEvents(ingest::AlertBoard& board, ingest::ReadingFeed& readings, Clock& clock,
                       std::function<std::string()> status)
    : board_(board), readings_(readings), clock_(clock), status_(std::move(status)) {}

LiveEvents::~LiveEvents() = default;

void LiveEvents::Follow() {
  board_.Listen([this](std::span<const ingest::AlertStepPtr> steps) { DeliverAlerts(steps); });
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void LiveEvents::Join(const Request& request, const Reply& reply) {
  const auto rate = RateOf(request);
  if (!rate) {
    return reply(
        ProblemResponse({400, fmt::format("`readings` must be a number from 0 to {}", kHighestRate),
                         request.path}));
  }
  const std::string* const patient = request.Query("patient");
  Watcher watcher{reply.Begin(EventsHead(), EventsLimits(kEventsWaiting)),
                  patient == nullptr ? "" : *patient, *rate, *rate};
  watcher.body.TrySend(EventText("status", status_()));
  const std::lock_guard lock(mutex_);
  watchers_.push_back(std::move(watcher));
  readings_.Want(true);
}

bool LiveEvents::IsWatched() {
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.body.gone(); });
  readings_.Want(!watchers_.empty());
  return !watchers_.empty();
}

void LiveEvents::Run(const std::stop_token& stop) {
  auto next = clock_.Steady() + kStatusEvery;
  while (!stop.stop_requested()) {
    const auto left = next - clock_.Steady();
    DeliverReadings(readings_.Take(std::max<std::chrono::nanoseconds>(left, {}), stop));
    if (clock_.Steady() < next) continue;
    next = std::max(next + kStatusEvery, clock_.Steady());
    if (IsWatched()) EndSecond();
  }
}

void LiveEvents::DeliverReadings(const ingest::ReadingFeed::Taken& taken) {
  if (taken.readings.empty() && taken.dropped == 0) return;
  const std::lock_guard lock(mutex_);
  for (Watcher& watcher : watchers_) {
    if (watcher.patient.empty() && watcher.rate > 0) watcher.sampled += taken.dropped;
  }
  for (const SeenReading& reading : taken.readings) {
    SharedPiece text;
    for (Watcher& watcher : watchers_) {
      if (watcher.rate == 0) continue;
      if (!watcher.patient.empty() && watcher.patient != reading.patient) continue;
      if (watcher.left == 0) {
        ++watcher.sampled;
      } else if (watcher.body.waiting_bytes() > kReadingsWaiting) {
        ++watcher.slow;
      } else {
        if (!text) text = Shared(EventText("reading", ReadingJson(reading)));
        --watcher.left;
        watcher.body.TrySend(text);
      }
    }
  }
}

void LiveEvents::DeliverAlerts(std::span<const ingest::AlertStepPtr> steps) {
  const std::lock_guard lock(mutex_);
  if (watchers_.empty()) return;
  for (const ingest::AlertStepPtr& step : steps) {
    const SharedPiece text = Shared(EventText("alert", step->json));
    std::erase_if(watchers_, [&](const Watcher& watcher) {
      const bool meant = watcher.patient.empty() || watcher.patient == step->alert.patient_id;
      return meant && !watcher.body.SendOrCut(text);
    });
  }
}

void LiveEvents::EndSecond() {
  const SharedPiece status = Shared(EventText("status", status_()));
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [&](Watcher& watcher) {
    watcher.left = watcher.rate;
    const int64_t sampled = std::exchange(watcher.sampled, 0);
    const int64_t slow = std::exchange(watcher.slow, 0);
    if (sampled + slow > 0) {
      const std::string data = fmt::format(R"({{"sampled":{},"slow":{}}})", sampled, slow);
      if (!watcher.body.SendOrCut(Shared(EventText("dropped", data)))) return true;
    }
    return !watcher.body.SendOrCut(status);
  });
}

}  // namespace vitalake::serve
