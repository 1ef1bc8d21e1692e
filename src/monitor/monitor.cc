#include "monitor/monitor.h"

#include "monitor/monitor_internal.h"

namespace vitalake::monitor {

Result<std::unique_ptr<Monitor::State>> Monitor::State::Make(const MonitorOptions& options) {
  VL_TRY(RuleTable rules, RuleTable::Make(*options.rules, options.pressure_rules));
  auto state = std::make_unique<State>(options);
  state->Activate(std::move(rules), 0);
  return state;
}

Monitor::Monitor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Monitor::Monitor(Monitor&&) noexcept = default;
Monitor& Monitor::operator=(Monitor&&) noexcept = default;
Monitor::~Monitor() = default;

Result<Monitor> Monitor::Make(const MonitorOptions& options) {
  VL_TRY(auto state, State::Make(options));
  return Monitor(std::move(state));
}

Result<Monitor> Monitor::Restore(const MonitorOptions& options, std::string_view snapshot) {
  auto state = std::make_unique<State>(options);
  VL_RETURN_IF_ERROR(state->Load(snapshot));
  return Monitor(std::move(state));
}

Observation Monitor::Observe(const Reading& reading) { return state_->Observe(reading); }

Result<std::span<const AlertEvent>> Monitor::Apply(const Action& action) {
  return state_->Apply(action);
}

std::span<const AlertEvent> Monitor::Tick(Micros time, int64_t position) {
  return state_->Tick(time, position);
}

std::span<const AlertEvent> Monitor::ObserveQuarantined(const QuarantinedCritical& record) {
  return state_->ObserveQuarantined(record);
}

std::optional<Micros> Monitor::NextTimer() const { return state_->next_timer(); }
std::string Monitor::Snapshot() const { return state_->Snapshot(); }
const MonitorCounters& Monitor::counters() const { return state_->counters_; }
size_t Monitor::patients() const { return state_->patients_.size(); }
size_t Monitor::series() const { return state_->series_.in_use(); }

size_t Monitor::state_bytes() const {
  return state_->patients_.bytes() + state_->series_.in_use() * sizeof(Series) +
         state_->records_.in_use() * sizeof(AlertRecord) + state_->keys_.bytes();
}

}  // namespace vitalake::monitor
