// MonitorFollower::Partition, shared by the follower's files.
#pragma once

#include <deque>

#include "ingest/monitoring/follower.h"

namespace vitalake::ingest {

struct MonitorFollower::Partition {
  Partition(lake::Lake& lake, StreamPartition partition, ActionLog log)
      : name(std::move(partition)),
        app(name.AppId()),
        actions(std::move(log)),
        snapshots(lake.store(), app) {}

  StreamPartition name;
  std::string app;
  ActionLog actions;
  MonitorSnapshots snapshots;
  std::optional<PartitionMonitor> monitor;
  std::chrono::nanoseconds heard{0};        // when a message came last
  std::chrono::nanoseconds snapshot_at{0};  // when one was made last
  int64_t told = 0;                         // as MonitorSnapshots::ReadTold
  // Not 0: messages before it were judged and told by whoever had the partition before, and come
  // again. Until they have, nothing is recorded at or before them: what they raise must get the
  // numbers it was told with.
  int64_t again_until = 0;

  // Guarded by the follower's mutex.
  int64_t bronze = 0;
  struct Waiting {
    int64_t position, alerts;
    std::string bytes;
  };
  std::optional<Waiting> snapshot;  // until bronze and ops.alert have come so far
  // What may be told only once bronze has its messages.
  std::deque<PublishedAlert> held_alerts;
  std::deque<SeenReading> held_readings;
};

}  // namespace vitalake::ingest
