// MonitorFollower::Open: from a snapshot, bronze and ops.action to where bronze is.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/bronze_stream.h"
#include "ingest/group_stage.h"
#include "ingest/monitoring/partition_internal.h"

namespace vitalake::ingest {

Status MonitorFollower::Open(Partition& partition, int64_t bronze, const Wait& wait) {
  TakeOfferedRules();
  VL_TRY(partition.told, partition.snapshots.ReadTold());
  VL_RETURN_IF_ERROR(Rebuild(partition, bronze, wait));
  VL_RETURN_IF_ERROR(patients_.Begin());
  if (partition.told > bronze) {
    partition.again_until = partition.told;
  } else {
    VL_RETURN_IF_ERROR(CatchUp(partition, wait));
  }
  return WriteAlerts({{partition.app, bronze}}, AlertLog::Say::kAlerts, wait);
}

// The state at `bronze`: a function of what is recorded.
Status MonitorFollower::Rebuild(Partition& partition, int64_t bronze, const Wait& wait) {
  VL_TRY(const bool restored, Restore(partition, bronze, wait));
  // A partition never watched before meets its patients as if its messages came now.
  const bool first = partition.actions.count() == 0;
  int64_t begin = 0;
  if (!restored) {
    // What retention removed before the partition was read is not to be replayed.
    VL_TRY(begin, FirstInBronze(lake_, {partition.name, 0, bronze}, wait));
    VL_RETURN_IF_ERROR(StartAnew(partition, begin, wait));
  }
  VL_TRY(std::vector<RecordedAction> recorded,
         partition.actions.Load(partition.monitor->position(), wait));
  int64_t applied = partition.monitor->actions().at;
  for (RecordedAction& action : recorded) {
    if (*action.position == partition.monitor->position() && applied-- > 0) continue;
    partition.monitor->Place(std::move(action));
  }
  VL_RETURN_IF_ERROR(Take(partition, {}, begin));
  return Replay(partition, bronze, first ? Look::kAtPatientsToo : Look::kAtRecordsOnly, wait);
}

// From the newest snapshot that bronze, ops.alert and ops.action agree with.
Result<bool> MonitorFollower::Restore(Partition& partition, int64_t bronze, const Wait& wait) {
  VL_TRY(const std::vector<int64_t> offsets, partition.snapshots.List());
  for (const int64_t offset : offsets) {
    if (offset > bronze) continue;
    const auto bytes = partition.snapshots.Read(offset);
    if (!bytes) {
      log::Warn("monitor snapshot of {}: {}", partition.app, bytes.error().ToString());
      continue;
    }
    auto made =
        PartitionMonitor::Restore({settings_.name, partition.app, settings_.id_space}, *bytes);
    if (!made) {
      log::Warn("monitor snapshot of {} at {}: {}", partition.app, offset, made.error().ToString());
      continue;
    }
    if (made->alerts() > alerts_.next(partition.app)) continue;
    VL_TRY(const ActionLog::Counts counts, partition.actions.CountsAt(offset, wait));
    // Another process that had the partition recorded more before this point.
    if (counts.below != made->actions().below || counts.at < made->actions().at) continue;
    partition.monitor = std::move(*made);
    return true;
  }
  return false;
}

// At the partition's first action, which activates rules: where its messages begin.
Status MonitorFollower::StartAnew(Partition& partition, int64_t begin, const Wait& wait) {
  VL_TRY(std::vector<RecordedAction> recorded, partition.actions.Load(0, wait));
  if (recorded.empty()) {
    RecordedAction rules;
    rules.actor = kSystem;
    rules.action = "rules";
    VL_TRY(rules.target, rules_.Versions());
    rules.payload = rules_.ToJson();
    rules.id_space = settings_.id_space;
    rules.position = begin;
    rules.time = lake_.clock().NowMicros();
    recorded.push_back(std::move(rules));
    VL_RETURN_IF_ERROR(partition.actions.Append(recorded, wait));
  }
  if (partition.name.epoch > 0) {
    VL_RETURN_IF_ERROR(StartFromEpochBefore(partition, *recorded.front().position, wait));
  }
  if (partition.monitor) return {};
  VL_TRY(partition.monitor,
         PartitionMonitor::Make({settings_.name, partition.app, settings_.id_space},
                                recorded.front()));
  return {};
}

// A topic made anew: patients, baselines and open alerts go on where the epoch before ended.
Status MonitorFollower::StartFromEpochBefore(Partition& partition, int64_t begin,
                                             const Wait& wait) {
  StreamPartition name = partition.name;
  --name.epoch;
  VL_TRY(ActionLog actions, ActionLog::Open(lake_, name.AppId()));
  if (actions.count() == 0) return {};  // it was not watched
  Partition before(lake_, name, std::move(actions));
  VL_TRY(const delta::SnapshotPtr bronze, lake_.Latest(kBronzeStream));
  const int64_t end = bronze->FindTxn(before.app).value_or(0);
  before.bronze = end;
  VL_RETURN_IF_ERROR(alerts_.Begin(before.app));
  auto rebuilt = Rebuild(before, end, wait);
  if (rebuilt) rebuilt = WriteAlerts({{before.app, end}}, AlertLog::Say::kAlerts, wait);
  alerts_.End(before.app);
  VL_RETURN_IF_ERROR(std::move(rebuilt));
  partition.monitor = std::move(before.monitor);
  partition.monitor->GoOnAs({settings_.name, partition.app, settings_.id_space}, begin);
  return {};
}

Status MonitorFollower::Replay(Partition& partition, int64_t bronze, Look look, const Wait& wait) {
  PartitionMonitor& monitor = *partition.monitor;
  if (monitor.position() < bronze) {
    log::Info("monitor of {}: replays offsets {} to {} from {}", partition.app, monitor.position(),
              bronze - 1, kBronzeStream);
  }
  const int32_t number = partition.name.partition;
  lake::LedgerRun run{settings_.run_id(), lake_.clock().NowMicros(), {}};
  lake::LedgerFile file;
  file.ordinal = number;
  file.path = fmt::format("{}/{}", partition.name.topic, number);
  file.source = settings_.name;
  file.id_space = settings_.id_space;
  file.key_mode = settings_.key_mode();
  run.files.push_back(std::move(file));
  const MessageSources sources = {{number, {&run, &run.files.front(), partition.app}}};
  StagerContext context{views_, {}, settings_.limits};
  context.watched = true;
  while (monitor.position() < bronze) {
    VL_TRY(const StreamBatch batch,
           ReadFromBronze(lake_, {partition.name, monitor.position(), bronze}, kFollowMessages,
                          kFollowBytes, wait));
    GroupStage stage(lake_, context, run, {}, true);
    VL_RETURN_IF_ERROR(stage.AddMessages(batch.messages, sources, wait));
    if (look == Look::kAtPatientsToo) {
      const Arrived arrived[] = {{&partition, stage.watched(), batch.ranges.at(number).end}};
      VL_RETURN_IF_ERROR(MeetPatients(arrived, wait));
    }
    VL_RETURN_IF_ERROR(Take(partition, stage.watched(), batch.ranges.at(number).end));
  }
  return Take(partition, {}, bronze);
}

// What changed while nobody watched: rules, patients, what people asked for.
Status MonitorFollower::CatchUp(Partition& partition, const Wait& wait) {
  VL_RETURN_IF_ERROR(ActivateRules(partition, wait));
  VL_RETURN_IF_ERROR(RefreshPatients(partition, partition.monitor->Met(), wait));
  return AnswerPeople(partition, wait);
}

// Whether messages that were told of are still to come again. A source that gives nothing at all
// may have lost them.
bool MonitorFollower::AwaitsTold(const Partition& partition) const {
  return partition.monitor->position() < partition.again_until &&
         lake_.clock().Steady() - partition.heard < pace_.again_within;
}

Status MonitorFollower::CatchUpWhereTold(const Wait& wait) {
  for (const auto& [_, partition] : partitions_) {
    if (partition->again_until == 0 || AwaitsTold(*partition)) continue;
    if (partition->monitor->position() < partition->again_until) {
      log::Warn("monitor of {}: alerts were told of messages up to {}, which do not come again",
                partition->app, partition->again_until - 1);
    }
    partition->again_until = 0;
    VL_RETURN_IF_ERROR(CatchUp(*partition, wait));
  }
  return {};
}

}  // namespace vitalake::ingest
