// MonitorFollower: what changes judgements besides records. Each is in ops.action before the
// monitor is told.
#include <algorithm>
#include <ranges>
#include <utility>

#include "base/log.h"
#include "ingest/monitoring/partition_internal.h"

namespace vitalake::ingest {
namespace {

RecordedAction FactsAction(const WatchedPatient& patient) {
  RecordedAction action;
  action.action = "patient";
  action.target = patient.id;
  action.payload = ToJson(patient);
  return action;
}

}  // namespace

bool MonitorFollower::IsQuiet(const Partition& partition) const {
  return lake_.clock().Steady() - partition.heard >= pace_.quiet_after;
}

// What time it is for a partition. While messages come, or may come any moment, it is theirs: they
// may be old ones that waited at the broker, and timers would run before what they wait for.
Micros MonitorFollower::TimeOf(const Partition& partition) const {
  const Micros last = partition.monitor->time();
  return IsQuiet(partition) || last == 0 ? std::max(last, lake_.clock().NowMicros()) : last;
}

// At the monitor's position unless they say theirs.
Status MonitorFollower::Record(Partition& partition, std::vector<RecordedAction> actions,
                               const Wait& wait) {
  std::vector<Inputs> one;
  one.push_back({&partition, std::move(actions)});
  return RecordAll(std::move(one), wait);
}

// The same of several partitions, in one commit.
Status MonitorFollower::RecordAll(std::vector<Inputs> inputs, const Wait& wait) {
  std::erase_if(inputs, [](const Inputs& input) { return input.actions.empty(); });
  if (inputs.empty()) return {};
  std::vector<ActionLog::Addition> additions;
  for (auto& [partition, actions] : inputs) {
    for (RecordedAction& action : actions) {
      if (action.actor.empty()) action.actor = kSystem;
      action.id_space = settings_.id_space;
      if (!action.position) action.position = partition->monitor->position();
      if (action.time == 0) action.time = TimeOf(*partition);
    }
    additions.push_back({&partition->actions, &actions});
  }
  VL_TRY(const Version version, ActionLog::AppendAll(additions, wait));
  // A commit of our own asks for nothing.
  if (actions_seen_ && version.value == actions_seen_->value + 1) actions_seen_ = version;
  for (auto& [partition, actions] : inputs) {
    for (RecordedAction& action : actions) partition->monitor->Place(std::move(action));
    VL_RETURN_IF_ERROR(Take(*partition, {}, partition->monitor->position()));
  }
  return {};
}

// Patients that come for the first time: their facts take effect just before them.
Status MonitorFollower::MeetPatients(std::span<const Arrived> arrived, const Wait& wait) {
  struct First {
    int64_t offset;
    Micros received;
  };
  std::vector<std::map<std::string, First>> fresh(arrived.size());
  std::set<std::string> ids;
  for (size_t i = 0; i < arrived.size(); ++i) {
    const PartitionMonitor& monitor = *arrived[i].partition->monitor;
    for (const WatchedRecord& record : arrived[i].records) {
      const auto* reading = std::get_if<WatchedReading>(&record.what);
      const auto* patient = std::get_if<WatchedPatient>(&record.what);
      const std::string* id = reading != nullptr   ? &reading->patient
                              : patient != nullptr ? &patient->id
                                                   : nullptr;
      if (id == nullptr || id->empty() || record.offset < monitor.position()) continue;
      if (monitor.HasMet(*id)) continue;
      fresh[i].try_emplace(*id, First{record.offset, record.received});
      ids.insert(*id);
    }
  }
  VL_TRY(const std::vector<WatchedPatient> found, patients_.Find(ids, wait));
  std::vector<Inputs> inputs;
  for (size_t i = 0; i < arrived.size(); ++i) {
    std::vector<RecordedAction> actions;
    Partition& partition = *arrived[i].partition;
    if (fresh[i].empty()) continue;
    // Whoever somebody is merged into comes before all of them.
    const First earliest = std::ranges::min(std::views::values(fresh[i]), {}, &First::offset);
    for (const WatchedPatient& patient : found) {
      const auto named = fresh[i].find(patient.id);
      const bool survivor = named == fresh[i].end();
      if (survivor && (ids.contains(patient.id) || !partition.monitor->IsNews(patient))) continue;
      const First& first = survivor ? earliest : named->second;
      RecordedAction action = FactsAction(patient);
      action.position = std::max(first.offset, partition.again_until);
      action.time = first.received;
      actions.push_back(std::move(action));
    }
    std::ranges::stable_sort(actions, {}, &RecordedAction::position);
    inputs.push_back({&partition, std::move(actions)});
  }
  return RecordAll(std::move(inputs), wait);
}

Status MonitorFollower::RefreshPatients(Partition& partition, const std::set<std::string>& ids,
                                        const Wait& wait) {
  VL_TRY(const std::vector<WatchedPatient> found, patients_.Find(ids, wait));
  std::vector<RecordedAction> actions;
  for (const WatchedPatient& patient : found) {
    if (partition.monitor->IsNews(patient)) actions.push_back(FactsAction(patient));
  }
  return Record(partition, std::move(actions), wait);
}

Status MonitorFollower::AnswerPeople(Partition& partition, const Wait& wait) {
  VL_TRY(const std::vector<RecordedAction> asked,
         partition.actions.Unanswered(settings_.id_space, wait));
  std::vector<RecordedAction> answers;
  for (const RecordedAction& request : asked) {
    RecordedAction answer = request;
    answer.request = request.id;
    answer.time = 0;
    answers.push_back(std::move(answer));
  }
  return Record(partition, std::move(answers), wait);
}

void MonitorFollower::OfferRules(MonitorRules rules) {
  const std::lock_guard lock(mutex_);
  offered_ = std::move(rules);
}

void MonitorFollower::TakeOfferedRules() {
  const std::lock_guard lock(mutex_);
  if (offered_) rules_ = std::move(*std::exchange(offered_, std::nullopt));
}

// Nothing to do where they are in force already.
Status MonitorFollower::ActivateRules(Partition& partition, const Wait& wait) {
  if (partition.monitor->rules() == rules_) return {};
  RecordedAction rules;
  rules.action = "rules";
  VL_TRY(rules.target, rules_.Versions());
  rules.payload = rules_.ToJson();
  const std::string versions = rules.target;
  VL_RETURN_IF_ERROR(Record(partition, {std::move(rules)}, wait));
  log::Info("monitor of {}: from offset {} on it judges by {}", partition.app,
            partition.monitor->position(), versions);
  return {};
}

Status MonitorFollower::AnswerAll(const Wait& wait) {
  for (const auto& [_, partition] : partitions_) {
    if (partition->again_until != 0) continue;
    VL_RETURN_IF_ERROR(AnswerPeople(*partition, wait));
  }
  return {};
}

// Whether `latest` has rows that were not looked at. A compaction brings none, and to look through
// all actions takes longer than an alert may.
Result<bool> MonitorFollower::HasNewActions(Version latest) {
  if (!actions_seen_ || latest < *actions_seen_) return true;
  VL_TRY(delta::Table* const table, lake_.OpenTable(kActions));
  const auto changes = table->Changes(Version{actions_seen_->value + 1}, latest);
  return !changes || !changes->empty();
}

Status MonitorFollower::LookAround(const Wait& wait) {
  if (partitions_.empty()) return {};
  VL_RETURN_IF_ERROR(CatchUpWhereTold(wait));
  if (desk_ != nullptr && desk_->asked() != asked_) {
    asked_ = desk_->asked();
    VL_RETURN_IF_ERROR(AnswerAll(wait));
  }
  const auto now = lake_.clock().Steady();
  if (now - looked_at_ < pace_.look_every) return {};
  looked_at_ = now;
  TakeOfferedRules();
  VL_TRY(const auto changed, patients_.Changed(wait));
  for (const auto& [_, partition] : partitions_) {
    if (partition->again_until != 0) continue;
    VL_RETURN_IF_ERROR(ActivateRules(*partition, wait));
    std::set<std::string> ids;
    if (!changed) {
      ids = partition->monitor->Met();
    } else {
      std::ranges::copy_if(*changed, std::inserter(ids, ids.end()),
                           [&](const auto& id) { return partition->monitor->HasMet(id); });
      if (changed->contains(std::string(kByIdentifier))) {
        std::ranges::copy_if(partition->monitor->Met(), std::inserter(ids, ids.end()),
                             [](const auto& id) { return id.starts_with(kByIdentifier); });
      }
    }
    VL_RETURN_IF_ERROR(RefreshPatients(*partition, ids, wait));
  }
  VL_TRY(const delta::SnapshotPtr actions, lake_.Latest(kActions));
  if (actions->version() != actions_seen_) {
    VL_TRY(const bool has_more, HasNewActions(actions->version()));
    if (has_more) VL_RETURN_IF_ERROR(AnswerAll(wait));
    actions_seen_ = actions->version();
  }
  return TickWhereQuiet(wait);
}

// Where no message makes time pass: timers that are due.
Status MonitorFollower::TickWhereQuiet(const Wait& wait) {
  for (const auto& [_, partition] : partitions_) {
    const auto due = partition->monitor->NextTimer();
    if (partition->again_until != 0) continue;
    if (!due || !IsQuiet(*partition) || *due > lake_.clock().NowMicros()) continue;
    RecordedAction tick;
    tick.action = "tick";
    VL_RETURN_IF_ERROR(Record(*partition, {std::move(tick)}, wait));
  }
  return {};
}

}  // namespace vitalake::ingest
