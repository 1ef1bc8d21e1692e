#include "serve/health.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "ingest/pause.h"

namespace vitalake::serve {

Health::Health(Clock& clock, std::vector<HealthCheck> checks, std::chrono::milliseconds every,
               std::chrono::milliseconds patience)
    : clock_(clock),
      checks_(std::move(checks)),
      every_(every),
      patience_(patience),
      found_at_(clock.Steady()),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Health::~Health() {
  thread_.request_stop();
  thread_.join();
}

void Health::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    LookOnce(stop);
    ingest::PauseUntilStop(stop, every_);
  }
}

void Health::LookOnce(const std::stop_token& stop) {
  const Wait wait = Wait::For(clock_, patience_, stop);
  std::vector<HealthState::Item> found;
  for (const HealthCheck& check : checks_) {
    {
      const std::lock_guard lock(mutex_);
      looking_at_ = check.name;
    }
    const Status looked = check.look(wait);
    found.push_back({check.name, looked ? "" : looked.error().ToString(),
                     looked && check.remark ? check.remark() : ""});
  }
  const std::lock_guard lock(mutex_);
  found_ = std::move(found);
  found_at_ = clock_.Steady();
}

HealthState Health::state() const {
  const std::lock_guard lock(mutex_);
  HealthState state{!found_.empty(), found_};
  const auto age = clock_.Steady() - found_at_;
  if (age > every_ + 2 * patience_ || found_.empty()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    state.items.push_back(
        {"checks", fmt::format("no answer for {} s (at {})", seconds, looking_at_)});
  }
  for (const HealthState::Item& item : state.items) state.ready = state.ready && item.fault.empty();
  return state;
}

std::string Health::Json(const HealthState& state) {
  JsonWriter json;
  json.BeginObject().Key("ready").Bool(state.ready).Key("checks").BeginArray();
  for (const HealthState::Item& item : state.items) {
    json.BeginObject().Key("name").String(item.name).Key("ok").Bool(item.fault.empty());
    if (!item.fault.empty()) json.Key("fault").String(item.fault);
    if (!item.remark.empty()) json.Key("remark").String(item.remark);
    json.EndObject();
  }
  return json.EndArray().EndObject().Take();
}

}  // namespace vitalake::serve
