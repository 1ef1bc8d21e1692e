#include "ingest/monitoring/partition_monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "ingest/monitoring/patient_facts.h"
#include "ingest/monitoring/patient_settings.h"
#include "lake/key_index.h"

namespace vitalake::ingest {
namespace {

constexpr size_t kMostNames = 65'536;

uint64_t FactsHash(const WatchedPatient& patient) {
  WatchedPatient facts = patient;
  facts.rank = {};
  return Hash64(ToJson(facts));
}

// Of 32 hex digits.
std::optional<Hash128> ParseAlertId(std::string_view text) {
  constexpr size_t kHalf = 16;
  if (text.size() != 2 * kHalf) return std::nullopt;
  const auto read = [](std::string_view half, uint64_t& number) {
    const char* const end = half.data() + half.size();
    const auto [at, error] = std::from_chars(half.data(), end, number, 16);
    return error == std::errc() && at == end;
  };
  Hash128 id;
  const bool good = read(text.substr(0, kHalf), id.high) && read(text.substr(kHalf), id.low);
  return good ? std::optional(id) : std::nullopt;
}

// Whether a reading may be named by a later alert.
bool IsRemarkable(const monitor::Judgement& judgement) {
  const bool ordinary = judgement.code.empty() || judgement.code == "N";
  return !ordinary || judgement.reached || judgement.spike || judgement.shift ||
         judgement.quality.Has(clinical::Quality::kImplausible);
}

}  // namespace

Result<PartitionMonitor> PartitionMonitor::Make(WatchedPartition partition,
                                                const RecordedAction& first) {
  if (first.action != "rules") {
    return Fail(ErrorKind::kCorrupt,
                fmt::format("the first action of {} is no activation of rules", partition.app));
  }
  VL_TRY(MonitorRules rules, MonitorRules::FromJson(first.payload));
  VL_TRY(monitor::MonitorOptions options, rules.Options());
  VL_TRY(monitor::Monitor monitor, monitor::Monitor::Make(options));
  PartitionMonitor made(std::move(partition), std::move(rules), std::move(options),
                        std::move(monitor));
  made.position_ = first.position.value_or(0);
  made.actions_ = {0, 1};
  return made;
}

void PartitionMonitor::GoOnAs(WatchedPartition partition, int64_t begin) {
  partition_ = std::move(partition);
  position_ = begin;
  next_sequence_ = 0;
  actions_ = {0, 1};
  pending_.clear();
  placed_.clear();
  alerts_.clear();
}

void PartitionMonitor::Place(RecordedAction action) {
  const auto place = action.place();
  if (action.action == "patient") placed_.insert(action.target);
  pending_.emplace(place, std::move(action));
}

Status PartitionMonitor::Advance(std::span<const WatchedRecord> records, int64_t end) {
  for (const WatchedRecord& record : records) {
    if (record.offset < position_) continue;
    if (record.offset >= end) break;
    VL_RETURN_IF_ERROR(ApplyUntil(record.offset));
    MoveTo(record.offset);
    time_ = std::max(time_, record.received);
    heard_at_ = record.received;
    TakeRecord(record);
    heard_at_ = 0;
  }
  VL_RETURN_IF_ERROR(ApplyUntil(end));
  MoveTo(std::max(end, position_));
  return {};
}

void PartitionMonitor::MoveTo(int64_t offset) {
  if (offset == position_) return;
  position_ = offset;
  actions_ = {actions_.below + actions_.at, 0};
}

Status PartitionMonitor::ApplyUntil(int64_t offset) {
  while (!pending_.empty() && pending_.begin()->first.first <= offset) {
    const RecordedAction action = std::move(pending_.extract(pending_.begin()).mapped());
    MoveTo(std::max(*action.position, position_));
    ++actions_.at;
    time_ = std::max(time_, action.time);
    VL_RETURN_IF_ERROR(Apply(action));
  }
  return {};
}

Status PartitionMonitor::Apply(const RecordedAction& action) {
  // What is due by then comes first, by itself: an action that fails has no events.
  Keep(monitor_.Tick(time_, position_), position_);
  if (action.action == "tick") return {};
  if (action.action == "rules") return Activate(action);
  if (action.action == "patient") {
    placed_.erase(action.target);
    VL_TRY(const WatchedPatient patient, PatientFromJson(action.target, action.payload));
    return TakePatient(patient);
  }
  VL_TRY(const monitor::Action told, ToldBy(action));
  return Tell(told, action.request);
}

Result<monitor::Action> PartitionMonitor::ToldBy(const RecordedAction& action) const {
  if (action.action == kSettingsAction) {
    VL_TRY(monitor::PatientSettings settings, SettingsFromPayload(action.payload));
    return monitor::Action{
        time_, position_,
        monitor::SettingsChanged{{partition_.id_space, action.target}, std::move(settings)}};
  }
  JsonParser parser;
  const auto json = parser.Parse(action.payload);
  const auto alert = ParseAlertId(action.target);
  if (!json || !alert) {
    return Fail(ErrorKind::kCorrupt, fmt::format("action {} cannot be read", action.id));
  }
  const monitor::PatientName patient = {partition_.id_space,
                                        std::string(json->String("patient_id"))};
  if (action.action == "acknowledge") {
    return monitor::Action{time_, position_, monitor::Acknowledge{patient, *alert, action.actor}};
  }
  if (action.action == "snooze") {
    return monitor::Action{
        time_, position_,
        monitor::Snooze{patient, *alert, action.actor, action.expiry.value_or(time_)}};
  }
  return Fail(ErrorKind::kCorrupt,
              fmt::format("action {} is of an unknown kind: {}", action.id, action.action));
}

Status PartitionMonitor::Tell(const monitor::Action& action, const std::string& request) {
  const auto events = monitor_.Apply(action);
  if (events) {
    Keep(*events, position_);
  } else {
    log::Info("{}: {}", partition_.app, events.error().ToString());
  }
  if (!request.empty()) {
    answers_.push_back({request, events ? Status() : std::unexpected(events.error())});
  }
  return {};
}

Status PartitionMonitor::Activate(const RecordedAction& action) {
  VL_TRY(MonitorRules rules, MonitorRules::FromJson(action.payload));
  VL_TRY(monitor::MonitorOptions options, rules.Options());
  if (rules.late_after != rules_.late_after ||
      rules.late_critical_within != rules_.late_critical_within) {
    VL_TRY(monitor_, monitor::Monitor::Restore(options, monitor_.Snapshot()));
  }
  VL_TRY(monitor::RuleTable table,
         monitor::RuleTable::Make(*options.rules, options.pressure_rules));
  rules_ = std::move(rules);
  options_ = std::move(options);
  return Tell({time_, position_, monitor::ActivateRules{std::move(table)}});
}

void PartitionMonitor::TakeRecord(const WatchedRecord& record) {
  if (const auto* reading = std::get_if<WatchedReading>(&record.what)) {
    return TakeReading(*reading, record.received);
  }
  if (const auto* patient = std::get_if<WatchedPatient>(&record.what)) {
    (void)TakePatient(*patient);  // of a record's facts nothing can be wrong
    return;
  }
  const auto& critical = std::get<WatchedCritical>(record.what);
  Keep(monitor_.ObserveQuarantined(
           {{partition_.id_space, critical.patient}, critical.id, time_, position_}),
       position_ + 1);
}

void PartitionMonitor::TakeReading(const WatchedReading& watched, Micros received) {
  if (!watched.patient.empty()) met_.try_emplace(watched.patient);
  monitor::Reading reading = watched.View(partition_.id_space);
  reading.received = received;
  reading.position = position_;
  if (rules_.by_arrival) {
    reading.effective = received;
    reading.quality.Remove(clinical::Quality::kTimeImprecise);
    reading.quality.Remove(clinical::Quality::kClockAhead);
  }
  const monitor::Observation seen = monitor_.Observe(reading);
  // NEWS2 names the newest of its inputs, whatever that scores by itself.
  const bool named = reading.inpatient || reading.critical || !seen.events.empty();
  if (named || IsRemarkable(seen.judgement)) Remember(watched);
  if (seen_.size() < shown_most_) ShowReading(watched, received, seen);
  Keep(seen.events, position_ + 1);
}

void PartitionMonitor::ShowReading(const WatchedReading& watched, Micros received,
                                   const monitor::Observation& seen) {
  const monitor::Reading& reading = watched.reading;
  if (reading.status == monitor::ReadingStatus::kRetracted) return;
  SeenReading shown;
  shown.effective = reading.effective;
  shown.received = received;
  shown.patient = watched.patient;
  shown.id = watched.id;
  shown.vital = CodeOf(reading.vital);
  shown.value = reading.value;
  shown.diastolic = reading.diastolic;
  shown.level = seen.judgement.code;
  shown.quality = seen.judgement.quality.ToString();
  shown.alert = !seen.events.empty();
  shown.source = partition_.source;
  shown.offset = position_;
  seen_.push_back(std::move(shown));
}

bool PartitionMonitor::IsNews(const WatchedPatient& patient) const {
  const auto known = met_.find(patient.id);
  if (known == met_.end()) return true;
  return patient.rank >= known->second.rank && FactsHash(patient) != known->second.facts;
}

// A record's facts, or those of silver.patient, whichever come first: the same are told once.
Status PartitionMonitor::TakePatient(const WatchedPatient& patient) {
  const bool news = IsNews(patient);
  Known& known = met_[patient.id];
  known.rank = std::max(known.rank, patient.rank);
  if (!news) return {};
  known.facts = FactsHash(patient);
  return Tell({time_, position_,
               monitor::PatientChanged{{partition_.id_space, patient.id}, patient.facts}});
}

std::set<std::string> PartitionMonitor::Met() const {
  std::set<std::string> ids;
  for (const auto& [id, _] : met_) ids.insert(id);
  return ids;
}

void PartitionMonitor::Remember(const WatchedReading& reading) {
  const uint64_t key = lake::KeyHash(partition_.id_space, reading.id);
  if (!names_.emplace(key, reading.id).second) return;
  name_order_.push_back(key);
  if (name_order_.size() <= kMostNames) return;
  names_.erase(name_order_.front());
  name_order_.pop_front();
}

// Of a reading whose id is not remembered any more: "#" and its key's hash.
std::string PartitionMonitor::ReadingIds(const monitor::AlertEvent& event) const {
  std::vector<std::string> ids;
  for (const uint64_t key : event.reading_keys) {
    if (key == 0) continue;
    std::string id;
    if (const auto name = names_.find(key); name != names_.end()) {
      id = name->second;
    } else if (lake::KeyHash(partition_.id_space, event.reading_id) == key) {
      id = event.reading_id;
    } else {
      id = fmt::format("#{:016x}", key);
    }
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(std::move(id));
  }
  JsonWriter json;
  json.BeginArray();
  for (const std::string& id : ids) json.String(id);
  json.EndArray();
  return json.Take();
}

std::string PartitionMonitor::AcknowledgedBy(const monitor::AlertEvent& event) {
  if (!event.acknowledged_at) return {};
  // A snooze has an actor, too.
  const bool now = !event.actor.empty() && *event.acknowledged_at == event.updated_at;
  if (now) acknowledged_[event.alert_id] = event.actor;
  const auto found = acknowledged_.find(event.alert_id);
  return found == acknowledged_.end() ? std::string() : found->second;
}

void PartitionMonitor::Keep(std::span<const monitor::AlertEvent> events, int64_t needs) {
  for (const monitor::AlertEvent& event : events) {
    PublishedAlert alert;
    alert.alert_id = event.alert_id.ToHex();
    alert.id_space = partition_.id_space;
    alert.patient_id = event.patient.id;
    alert.vital = CodeOf(event.vital);
    alert.rule = ToString(event.rule);
    alert.rule_version = event.rule_version;
    alert.severity = ToString(event.severity);
    alert.state = ToString(event.state);
    alert.change = ToString(event.change);
    alert.queue = event.queue == monitor::Queue::kOperations ? "operations" : "clinical";
    alert.notify = event.notify;
    alert.opened_at = event.opened_at;
    alert.updated_at = event.updated_at;
    alert.closed_at = event.closed_at;
    alert.acknowledged_by = AcknowledgedBy(event);
    alert.acknowledged_at = event.acknowledged_at;
    alert.snoozed_until = event.snoozed_until;
    alert.reading_ids = ReadingIds(event);
    alert.value = event.value;
    alert.diastolic = event.diastolic;
    alert.baseline = event.baseline_mean;
    alert.baseline_sigma = event.baseline_sigma;
    if (event.baseline_mean) alert.baseline_readings = event.baseline_readings;
    if (event.window_s != 0) alert.window = IsoDuration(event.window_s);
    if (event.late_by) alert.late_by = IsoDuration(*event.late_by / monitor::kSecond);
    alert.explanation = event.explanation;
    alert.source = partition_.source;
    alert.source_partition = partition_.app;
    alert.source_offset = event.position;
    alert.sequence = next_sequence_++;
    alert.heard_at = heard_at_;
    alert.needs = needs;
    alerts_.push_back(std::move(alert));
    if (event.change == monitor::Change::kClosed || event.change == monitor::Change::kWithdrawn) {
      acknowledged_.erase(event.alert_id);
    }
  }
}

}  // namespace vitalake::ingest
