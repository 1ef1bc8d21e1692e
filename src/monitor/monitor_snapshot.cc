// Snapshot and restore: a head, the parts one after the other, a checksum over all before it.
#include <algorithm>
#include <functional>

#include "monitor/monitor_internal.h"

namespace vitalake::monitor {
namespace {

constexpr std::string_view kMagic = "VLMONITR";
constexpr uint32_t kVersion = 8;

template <class T>
void WriteOptional(ByteWriter& out, const std::optional<T>& value) {
  out.Number(static_cast<uint8_t>(value.has_value()));
  out.Number(value.value_or(T()));
}
template <class T>
bool ReadOptional(ByteReader& in, std::optional<T>& value) {
  uint8_t has = 0;
  T number = T();
  if (!in.Number(has) || !in.Number(number)) return false;
  value = has != 0 ? std::optional<T>(number) : std::nullopt;
  return true;
}

void WriteSettings(ByteWriter& out, const PatientSettings& settings) {
  out.Number(settings.from);
  WriteOptional(out, settings.until);
  out.Number(static_cast<uint8_t>(settings.pregnant));
  out.Number(static_cast<uint8_t>(settings.oxygen_scale_two));
  out.Number(static_cast<uint8_t>(settings.device_type.has_value()));
  out.Number(static_cast<uint8_t>(settings.device_type.value_or(clinical::Device::kNotNamed)));
  out.Number(static_cast<uint32_t>(settings.limits.size()));
  for (const auto& [vital, limits] : settings.limits) {
    out.Number(static_cast<uint8_t>(vital));
    for (const auto* limit :
         {&limits.high, &limits.low, &limits.diastolic_high, &limits.diastolic_low}) {
      WriteOptional(out, *limit);
    }
  }
}

bool ReadSettings(ByteReader& in, PatientSettings& settings) {
  uint8_t pregnant = 0, scale = 0, has_device = 0, device = 0;
  uint32_t count = 0;
  if (!in.Number(settings.from) || !ReadOptional(in, settings.until) || !in.Number(pregnant) ||
      !in.Number(scale) || !in.Number(has_device) || !in.Number(device) || !in.Number(count) ||
      count > in.left()) {
    return false;
  }
  settings.pregnant = pregnant != 0;
  settings.oxygen_scale_two = scale != 0;
  if (has_device != 0) settings.device_type = static_cast<clinical::Device>(device);
  settings.limits.resize(count);
  for (auto& [vital, limits] : settings.limits) {
    uint8_t number = 0;
    if (!in.Number(number) || number >= kVitalCount) return false;
    vital = static_cast<Vital>(number);
    for (auto* limit : {&limits.high, &limits.low, &limits.diastolic_high, &limits.diastolic_low}) {
      if (!ReadOptional(in, *limit)) return false;
    }
  }
  return true;
}

}  // namespace

std::string Monitor::State::Snapshot() const {
  ByteWriter out;
  constexpr size_t kRules = 64 << 10;
  out.Reserve(patients_.bytes() + series_.in_use() * sizeof(Series) +
              records_.in_use() * sizeof(AlertRecord) + kRules);
  out.Text(kMagic);
  out.Number(kVersion);
  out.Number(clock_);
  out.Plain(counters_);
  out.Number(static_cast<uint32_t>(rules_.size()));
  for (const auto& [from, table] : rules_) {
    out.Number(from);
    out.Plains(table.rules());
  }
  for (const auto& lists : fold_rules_) {
    for (const auto& list : lists) out.Plains(list);
  }
  out.Number(static_cast<uint32_t>(versions_.size()));
  for (const std::string& version : versions_) out.Text(version);
  patients_.Write(out);
  series_.Write(out);
  records_.Write(out);
  out.Number(static_cast<uint32_t>(settings_.size()));
  for (const auto& [patient, list] : settings_) {
    out.Number(patient);
    out.Number(static_cast<uint32_t>(list.size()));
    for (const PatientSettings& settings : list) WriteSettings(out, settings);
  }
  out.Number(static_cast<uint32_t>(replaced_.size()));
  for (const auto& [patient, replaces] : replaced_) {
    out.Number(patient);
    out.Plains(std::vector<uint32_t>(replaces.begin(), replaces.end()));
  }
  out.Number(static_cast<uint32_t>(burials_.size()));
  for (const uint64_t key : burials_) {
    const Tombstone& tombstone = tombstones_.at(key);
    out.Number(key);
    out.Number(tombstone.rank);
    out.Number(tombstone.received);
  }
  out.Number(static_cast<uint32_t>(caps_.size()));
  for (const auto& [key, cap] : caps_) {
    out.Number(key.first);
    out.Number(key.second);
    out.Plain(cap);
  }
  out.Plain(quarantined_);
  out.Number(static_cast<uint32_t>(unheld_.size()));
  for (const Unheld& alert : unheld_) {
    out.Number(alert.id.high);
    out.Number(alert.id.low);
    out.Text(alert.id_space);
    out.Text(alert.patient);
    out.Plain(alert.record);
  }
  return out.TakeSealed();
}

bool Monitor::State::LoadRules(ByteReader& in) {
  uint32_t count = 0;
  if (!in.Number(count)) return false;
  rules_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    Seconds from = 0;
    std::vector<VitalRule> rules;
    if (!in.Number(from) || !in.Plains(rules)) return false;
    rules_.emplace_back(from, RuleTable(std::move(rules)));
  }
  for (auto& lists : fold_rules_) {
    for (auto& list : lists) {
      if (!in.Plains(list) || list.empty()) return false;
    }
  }
  if (rules_.empty() || !in.Number(count) || count > in.left()) return false;
  versions_.resize(count);
  return std::ranges::all_of(versions_, [&](std::string& name) { return in.Text(name); });
}

bool Monitor::State::LoadSettings(ByteReader& in) {
  uint32_t count = 0;
  if (!in.Number(count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t patient = 0, settings = 0;
    if (!in.Number(patient) || !in.Number(settings) || settings > in.left()) return false;
    std::vector<PatientSettings>& list = settings_[patient];
    list.resize(settings);
    for (PatientSettings& one : list) {
      if (!ReadSettings(in, one)) return false;
    }
  }
  return true;
}

bool Monitor::State::LoadReplaced(ByteReader& in) {
  uint32_t count = 0;
  if (!in.Number(count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t patient = 0;
    std::vector<uint32_t> replaces;
    if (!in.Number(patient) || !in.Plains(replaces)) return false;
    replaced_[patient] = {replaces.begin(), replaces.end()};
    for (const uint32_t one : replaces) claims_[one].insert(patient);
  }
  return true;
}

bool Monitor::State::LoadTombstones(ByteReader& in) {
  uint32_t count = 0;
  if (!in.Number(count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t key = 0;
    Tombstone tombstone;
    if (!in.Number(key) || !in.Number(tombstone.rank) || !in.Number(tombstone.received)) {
      return false;
    }
    tombstones_[key] = tombstone;
    burials_.push_back(key);
  }
  return true;
}

bool Monitor::State::LoadCaps(ByteReader& in) {
  uint32_t count = 0;
  if (!in.Number(count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    std::pair<uint32_t, uint64_t> key;
    Cap cap;
    if (!in.Number(key.first) || !in.Number(key.second) || !in.Plain(cap)) return false;
    caps_[key] = cap;
  }
  return true;
}

bool Monitor::State::LoadUnheld(ByteReader& in) {
  uint32_t count = 0;
  if (!in.Number(count) || count > in.left()) return false;
  for (uint32_t i = 0; i < count; ++i) {
    Unheld& alert = unheld_.emplace_back();
    if (!in.Number(alert.id.high) || !in.Number(alert.id.low) || !in.Text(alert.id_space) ||
        !in.Text(alert.patient) || !in.Plain(alert.record)) {
      return false;
    }
  }
  return true;
}

Status Monitor::State::Load(std::string_view snapshot) {
  const auto corrupt = [] {
    return Fail(ErrorKind::kCorrupt, "the monitor snapshot is cut off or damaged");
  };
  const auto body = Unseal(snapshot);
  if (!body) return corrupt();
  ByteReader in(*body);
  std::string magic;
  uint32_t version = 0;
  if (!in.Text(magic) || magic != kMagic || !in.Number(version)) return corrupt();
  if (version != kVersion) {
    return Fail(ErrorKind::kUnsupported, "the monitor snapshot is of another version");
  }
  if (!in.Number(clock_) || !in.Plain(counters_) || !LoadRules(in) || !patients_.Read(in) ||
      !series_.Read(in) || !records_.Read(in) || !LoadSettings(in) || !LoadReplaced(in) ||
      !LoadTombstones(in) || !LoadCaps(in) || !in.Plain(quarantined_) || !LoadUnheld(in) ||
      in.left() != 0) {
    return corrupt();
  }
  FindBroughtSettings();
  for (uint32_t i = 1; i <= series_.count(); ++i) {
    const Series& series = series_[i];
    if (series.timer != 0) timers_.push_back({series.timer, false, i});
    for (int at = 0; at < series.ring_count; ++at) keys_.Add(series.ring[at].key, i);
    for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
      keys_.Add(records_[r].opener, i);
    }
  }
  for (uint32_t p = 1; p <= patients_.size(); ++p) {
    if (patients_[p].timer != 0) timers_.push_back({patients_[p].timer, true, p});
    for (uint32_t r = patients_[p].first_alert; r != 0; r = records_[r].next) Index(p, records_[r]);
  }
  if (!unheld_.empty()) timers_.push_back({unheld_.front().record.opened + kDaySeconds, false, 0});
  std::make_heap(timers_.begin(), timers_.end(), std::greater<>());
  return {};
}

}  // namespace vitalake::monitor
