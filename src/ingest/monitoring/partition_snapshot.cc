// PartitionMonitor's snapshot: a head, what it remembers besides, the monitor's own bytes, and a
// checksum over all before it. Maps are written in the order of their keys: the same state gives
// the same bytes.
#include <fmt/format.h>

#include <algorithm>

#include "ingest/monitoring/partition_monitor.h"

namespace vitalake::ingest {
namespace {

constexpr std::string_view kMagic = "VLWATCHS";
constexpr uint32_t kVersion = 1;

std::unexpected<Error> Damaged() {
  return Fail(ErrorKind::kCorrupt, "the snapshot is cut off or damaged");
}

}  // namespace

std::string PartitionMonitor::Snapshot() const {
  constexpr size_t kPerPatient = 80;  // and per name: with its length
  constexpr size_t kHead = 256 << 10;
  const std::string state = monitor_.Snapshot();
  ByteWriter out;
  out.Reserve(state.size() + (met_.size() + name_order_.size()) * kPerPatient + kHead);
  out.Text(kMagic);
  out.Number(kVersion);
  out.Text(partition_.app);
  out.Text(partition_.id_space);
  out.Text(rules_.ToJson());
  out.Number(position_);
  out.Number(time_);
  out.Number(next_sequence_);
  out.Number(actions_.below);
  out.Number(actions_.at);
  std::vector<const std::pair<const std::string, Known>*> met;
  for (const auto& one : met_) met.push_back(&one);
  std::ranges::sort(met, {}, [](const auto* one) -> const std::string& { return one->first; });
  out.Number(static_cast<uint64_t>(met.size()));
  for (const auto* one : met) {
    out.Text(one->first);
    out.Number(one->second.rank.version);
    out.Number(one->second.rank.last_updated);
    out.Number(static_cast<uint8_t>(one->second.rank.retraction));
    out.Number(one->second.facts);
  }
  out.Number(static_cast<uint64_t>(acknowledged_.size()));
  for (const auto& [alert, actor] : acknowledged_) {
    out.Number(alert.high);
    out.Number(alert.low);
    out.Text(actor);
  }
  out.Number(static_cast<uint64_t>(name_order_.size()));
  for (const uint64_t key : name_order_) {
    out.Number(key);
    out.Text(names_.at(key));
  }
  out.Text(state);
  return out.TakeSealed();
}

// All but the rules and the monitor, which the caller makes of what this gives.
bool PartitionMonitor::Load(ByteReader& in, std::string& monitor_bytes) {
  uint64_t count = 0;
  if (!in.Number(position_) || !in.Number(time_) || !in.Number(next_sequence_) ||
      !in.Number(actions_.below) || !in.Number(actions_.at) || !in.Number(count)) {
    return false;
  }
  for (uint64_t i = 0; i < count; ++i) {
    std::string id;
    Known met;
    uint8_t retraction = 0;
    if (!in.Text(id) || !in.Number(met.rank.version) || !in.Number(met.rank.last_updated) ||
        !in.Number(retraction) || !in.Number(met.facts)) {
      return false;
    }
    met.rank.retraction = retraction != 0;
    met_.emplace(std::move(id), met);
  }
  if (!in.Number(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    Hash128 alert;
    if (!in.Number(alert.high) || !in.Number(alert.low) || !in.Text(acknowledged_[alert])) {
      return false;
    }
  }
  if (!in.Number(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t key = 0;
    if (!in.Number(key) || !in.Text(names_[key])) return false;
    name_order_.push_back(key);
  }
  return in.Text(monitor_bytes) && in.left() == 0;
}

Result<PartitionMonitor> PartitionMonitor::Restore(WatchedPartition partition,
                                                   std::string_view bytes) {
  const auto body = Unseal(bytes);
  if (!body) return Damaged();
  ByteReader in(*body);
  std::string magic, app, id_space, json, monitor_bytes;
  uint32_t version = 0;
  if (!in.Text(magic) || magic != kMagic || !in.Number(version)) return Damaged();
  if (version != kVersion) {
    return Fail(ErrorKind::kUnsupported, "the snapshot is of another version");
  }
  if (!in.Text(app) || !in.Text(id_space) || !in.Text(json)) return Damaged();
  if (app != partition.app || id_space != partition.id_space) {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("the snapshot is of {} in id_space '{}'", app, id_space));
  }
  VL_TRY(MonitorRules rules, MonitorRules::FromJson(json));
  VL_TRY(monitor::MonitorOptions options, rules.Options());
  VL_TRY(monitor::Monitor empty, monitor::Monitor::Make(options));
  PartitionMonitor out(std::move(partition), std::move(rules), std::move(options),
                       std::move(empty));
  if (!out.Load(in, monitor_bytes)) return Damaged();
  VL_TRY(out.monitor_, monitor::Monitor::Restore(out.options_, monitor_bytes));
  return out;
}

}  // namespace vitalake::ingest
