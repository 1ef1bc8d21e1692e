#include "ingest/monitoring/follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "ingest/monitoring/partition_internal.h"

namespace vitalake::ingest {
namespace {

// How long a partition that leaves may take to write what it has.
constexpr std::chrono::seconds kLeavePatience{10};

}  // namespace

MonitorFollower::MonitorFollower(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                                 StreamSettings settings, MonitorRules rules, AlertFeed& feed,
                                 Tell tell, const MonitorPace& pace)
    : lake_(lake),
      views_(views),
      settings_(std::move(settings)),
      rules_(std::move(rules)),
      feed_(feed),
      tell_(tell),
      pace_(pace),
      alerts_(lake),
      patients_(lake, settings_.id_space) {}

MonitorFollower::~MonitorFollower() = default;

void MonitorFollower::Connect(ReadingFeed& readings, ActionDesk& desk) {
  readings_ = &readings;
  desk_ = &desk;
}

const PartitionMonitor* MonitorFollower::monitor(int32_t partition) const {
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? nullptr : &*found->second->monitor;
}

Status MonitorFollower::Begin(const StreamPartition& name, std::optional<int64_t> bronze,
                              const Wait& wait) {
  {
    const std::lock_guard lock(mutex_);
    partitions_.erase(name.partition);
  }
  Status begun = TryBegin(name, bronze.value_or(0), wait);
  if (begun) {
    unwatched_.erase(name.partition);
  } else {
    unwatched_[name.partition] = lake_.clock().Steady();
  }
  return begun;
}

Status MonitorFollower::TryBegin(const StreamPartition& name, int64_t bronze, const Wait& wait) {
  const std::string app = name.AppId();
  VL_RETURN_IF_ERROR(alerts_.Begin(app));
  VL_TRY(ActionLog actions, ActionLog::Open(lake_, app));
  auto partition = std::make_unique<Partition>(lake_, name, std::move(actions));
  partition->bronze = bronze;
  // What waited at the source while nobody watched comes now.
  partition->heard = partition->snapshot_at = lake_.clock().Steady();
  if (auto opened = Open(*partition, bronze, wait); !opened) {
    alerts_.End(app);
    return Because(std::move(opened).error(), fmt::format("monitor of {}", app));
  }
  const std::lock_guard lock(mutex_);
  partitions_[name.partition] = std::move(partition);
  return {};
}

Status MonitorFollower::CheckWatched(const StreamBatch& batch) {
  const auto now = lake_.clock().Steady();
  for (const auto& [number, range] : batch.ranges) {
    const auto found = unwatched_.find(number);
    if (found == unwatched_.end() || now - found->second < pace_.retry_after) continue;
    found->second = now;
    return Fail(ErrorKind::kConflict,
                fmt::format("{} is not watched; trying to begin again", range.partition.AppId()));
  }
  return {};
}

Status MonitorFollower::Observe(const StreamBatch& batch, const GroupStage& stage,
                                const Wait& wait) {
  VL_RETURN_IF_ERROR(CheckWatched(batch));
  for (const auto& [number, _] : batch.ranges) {
    const auto found = partitions_.find(number);
    if (found != partitions_.end()) found->second->heard = lake_.clock().Steady();
  }
  VL_RETURN_IF_ERROR(LookAround(wait));
  const std::vector<WatchedRecord>& watched = stage.watched();
  std::vector<Arrived> arrived;
  for (const auto& [number, range] : batch.ranges) {
    const auto found = partitions_.find(number);
    if (found == partitions_.end() || found->second->app != range.partition.AppId()) continue;
    Partition& partition = *found->second;
    const auto records = std::ranges::equal_range(watched, number, {}, &WatchedRecord::partition);
    arrived.push_back({&partition, {records.begin(), records.end()}, range.end});
  }
  VL_RETURN_IF_ERROR(MeetPatients(arrived, wait));
  for (const auto& [partition, records, end] : arrived) {
    if (readings_ != nullptr) {
      readings_->Count(static_cast<int64_t>(records.size()));
      partition->monitor->Show(readings_->wanted() ? ReadingFeed::kMost : 0);
    }
    VL_RETURN_IF_ERROR(Take(*partition, records, end));
  }
  for (const Arrived& one : arrived) KeepSnapshot(*one.partition);
  return {};
}

Status MonitorFollower::Take(Partition& partition, std::span<const WatchedRecord> records,
                             int64_t end) {
  auto taken = partition.monitor->Advance(records, end);
  VL_RETURN_IF_ERROR(HandOut(partition));
  if (taken) return {};
  return Because(std::move(taken).error(), fmt::format("monitor of {}", partition.app));
}

// What the next owner of the partition must know, should this one die before bronze has them.
Status MonitorFollower::NoteTold(Partition& partition, std::span<const PublishedAlert> alerts) {
  int64_t last = partition.told;
  for (const PublishedAlert& alert : alerts) last = std::max(last, alert.needs);
  {
    const std::lock_guard lock(mutex_);
    if (last == partition.told || last <= partition.bronze) return {};
  }
  partition.told = last;
  return partition.snapshots.WriteTold(last);
}

Status MonitorFollower::HandOut(Partition& partition) {
  std::vector<PublishedAlert> alerts = partition.monitor->TakeAlerts();
  std::vector<SeenReading> readings = partition.monitor->TakeSeen();
  alerts_.Add(partition.app, alerts);
  if (desk_ != nullptr) {
    for (auto& [request, said] : partition.monitor->TakeAnswers()) {
      desk_->Answer(request, std::move(said));
    }
  }
  if (tell_ == Tell::kAtOnce) {
    VL_RETURN_IF_ERROR(NoteTold(partition, alerts));
    feed_.Publish(alerts);
    if (readings_ != nullptr) readings_->Publish(std::move(readings));
    return {};
  }
  const std::lock_guard lock(mutex_);
  std::ranges::move(alerts, std::back_inserter(partition.held_alerts));
  const size_t room =
      ReadingFeed::kMost - std::min(ReadingFeed::kMost, partition.held_readings.size());
  readings.resize(std::min(room, readings.size()));
  std::ranges::move(readings, std::back_inserter(partition.held_readings));
  TellHeld(partition);
  return {};
}

void MonitorFollower::TellHeld(Partition& partition) {
  std::vector<PublishedAlert> alerts;
  auto& held = partition.held_alerts;
  for (; !held.empty() && held.front().needs <= partition.bronze; held.pop_front()) {
    alerts.push_back(std::move(held.front()));
  }
  feed_.Publish(alerts);
  std::vector<SeenReading> readings;
  auto& seen = partition.held_readings;
  for (; !seen.empty() && seen.front().offset < partition.bronze; seen.pop_front()) {
    readings.push_back(std::move(seen.front()));
  }
  if (readings_ != nullptr) readings_->Publish(std::move(readings));
}

bool MonitorFollower::AwaitsBronze() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(partitions_,
                             [](const auto& one) { return !one.second->held_alerts.empty(); });
}

void MonitorFollower::InBronze(const MessageRanges& ranges) {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, range] : ranges) {
    const auto found = partitions_.find(number);
    if (found == partitions_.end() || found->second->app != range.partition.AppId()) continue;
    found->second->bronze = std::max(found->second->bronze, range.end);
    TellHeld(*found->second);
  }
}

Status MonitorFollower::WriteAlerts(const std::map<std::string, int64_t>& bronze, AlertLog::Say say,
                                    const Wait& wait) {
  VL_RETURN_IF_ERROR(alerts_.Write(bronze, say, wait));
  return {};
}

void MonitorFollower::KeepSnapshot(Partition& partition) {
  const auto now = lake_.clock().Steady();
  if (now - partition.snapshot_at < pace_.snapshot_every) return;
  const auto apart = pace_.snapshot_every / static_cast<int64_t>(partitions_.size());
  if (now - snapshot_at_ < apart) return;
  partition.snapshot_at = snapshot_at_ = now;
  Partition::Waiting made{partition.monitor->position(), partition.monitor->alerts(),
                          partition.monitor->Snapshot()};
  const std::lock_guard lock(mutex_);
  partition.snapshot = std::move(made);
}

std::map<std::string, int64_t> MonitorFollower::BronzePositions() const {
  std::map<std::string, int64_t> positions;
  const std::lock_guard lock(mutex_);
  for (const auto& [_, partition] : partitions_) positions[partition->app] = partition->bronze;
  return positions;
}

Status MonitorFollower::Committed(const StreamBatch& batch, const Wait& wait) {
  bool due = false;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, range] : batch.ranges) {
      const auto found = partitions_.find(number);
      if (found == partitions_.end() || found->second->app != range.partition.AppId()) continue;
      Partition& partition = *found->second;
      partition.bronze = std::max(partition.bronze, range.end);
      TellHeld(partition);
      due |= partition.snapshot && partition.snapshot->position <= partition.bronze;
    }
  }
  const std::map<std::string, int64_t> bronze = BronzePositions();
  using Say = AlertLog::Say;
  VL_RETURN_IF_ERROR(WriteAlerts(bronze, due ? Say::kPositionToo : Say::kAlerts, wait));
  return due ? WriteSnapshots(bronze, wait) : Status();
}

// Those that no table is behind any more. A snapshot that cannot be written is no loss.
Status MonitorFollower::WriteSnapshots(const std::map<std::string, int64_t>& bronze,
                                       const Wait& wait) {
  std::vector<std::pair<const MonitorSnapshots*, Partition::Waiting>> ready;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [_, partition] : partitions_) {
      auto& waiting = partition->snapshot;
      if (!waiting || waiting->position > bronze.at(partition->app) ||
          waiting->alerts > alerts_.next(partition->app)) {
        continue;
      }
      ready.emplace_back(&partition->snapshots, std::move(*waiting));
      waiting.reset();
    }
  }
  for (const auto& [snapshots, waiting] : ready) {
    VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "writing monitor snapshots"));
    if (auto done = snapshots->Write(waiting.position, waiting.bytes); !done) {
      log::Warn("monitor snapshot: {}", done.error().ToString());
    }
  }
  return {};
}

Status MonitorFollower::Idle(Micros, const Wait& wait) {
  VL_RETURN_IF_ERROR(LookAround(wait));
  return WriteAlerts(BronzePositions(), AlertLog::Say::kAlerts, wait);
}

void MonitorFollower::End(const StreamPartition& name) {
  unwatched_.erase(name.partition);
  const auto found = partitions_.find(name.partition);
  if (found == partitions_.end()) return;
  Partition& partition = *found->second;
  const Wait wait = Wait::For(lake_.clock(), kLeavePatience);
  const std::map<std::string, int64_t> bronze = {{partition.app, partition.bronze}};
  auto written = WriteAlerts(bronze, AlertLog::Say::kPositionToo, wait);
  // What was observed and never committed is the next owner's.
  if (written && partition.monitor->position() == partition.bronze) {
    written = partition.snapshots.Write(partition.bronze, partition.monitor->Snapshot());
  }
  if (!written) {
    log::Warn("monitor of {}: {}; the next owner replays more", partition.app,
              written.error().ToString());
  }
  alerts_.End(partition.app);
  const std::lock_guard lock(mutex_);
  partitions_.erase(found);
}

}  // namespace vitalake::ingest
