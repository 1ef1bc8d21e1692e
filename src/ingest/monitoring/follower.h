// MonitorFollower: watches a stream's records as they are decoded, one monitor per partition.
//
// It is one more follower of bronze. Its position is that of its snapshot: Begin restores the
// newest one that neither bronze nor ops.alert is behind, and replays bronze from there with the
// actions recorded meanwhile (docs/monitoring.md, "From the stream to the alert").
//
// Order of things, so that a replay at any point says the same:
//   1. what changes a judgement besides records is committed to ops.action, with its offset, behind
//      all messages of which alerts were told already;
//   2. the monitor takes the records and actions in;
//   3. alerts and readings go to the feeds, at once (posts: once bronze has them);
//   4. once bronze has the records, alerts go to ops.alert, then a snapshot is kept now and then.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ingest/alerts/action_desk.h"
#include "ingest/alerts/action_log.h"
#include "ingest/alerts/feed.h"
#include "ingest/alerts/log.h"
#include "ingest/monitoring/partition_monitor.h"
#include "ingest/monitoring/patient_facts.h"
#include "ingest/monitoring/reading_feed.h"
#include "ingest/monitoring/rules.h"
#include "ingest/monitoring/snapshots.h"
#include "ingest/stream/watch.h"
#include "ingest/stream/writer.h"
#include "lake/lake.h"
#include "lake/silver_view.h"

namespace vitalake::ingest {

struct MonitorPace {
  // Of each partition, one after another: what comes meanwhile waits for no more than one.
  std::chrono::nanoseconds snapshot_every = std::chrono::minutes(1);
  // How often to look for changed patients and for what people asked for.
  std::chrono::nanoseconds look_every = std::chrono::seconds(1);
  // A partition that got no message for so long takes its time from the wall.
  std::chrono::nanoseconds quiet_after = std::chrono::seconds(5);
  // After how long a partition that could not begin is tried again.
  std::chrono::nanoseconds retry_after = std::chrono::seconds(30);
  // How long to wait for messages that were told of and must come again, where none come at all.
  std::chrono::nanoseconds again_within = std::chrono::minutes(1);
};

// When the feed hears of an alert. A source that gives offsets to messages which may be refused yet
// (HTTP) must have them in bronze first.
enum class Tell { kAtOnce, kOnceInBronze };

class MonitorFollower final : public StreamWatch {
 public:
  // All but `settings` and `rules` must outlive it. The stream's stages must be `watched`.
  MonitorFollower(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                  StreamSettings settings, MonitorRules rules, AlertFeed& feed,
                  Tell tell = Tell::kAtOnce, const MonitorPace& pace = {});
  ~MonitorFollower() override;

  // Before Begin: who looks on, and where people's requests come from. Both must outlive it.
  void Connect(ReadingFeed& readings, ActionDesk& desk);

  Status Begin(const StreamPartition& partition, std::optional<int64_t> bronze,
               const Wait& wait) override;
  Status Observe(const StreamBatch& batch, const GroupStage& stage, const Wait& wait) override;
  bool AwaitsBronze() const override;
  void InBronze(const MessageRanges& ranges) override;
  Status Committed(const StreamBatch& batch, const Wait& wait) override;
  Status Idle(Micros now, const Wait& wait) override;
  void End(const StreamPartition& partition) override;

  // Has partitions judge by other rules, each from where it then stands: recorded first, within
  // `look_every`. Thread-safe.
  void OfferRules(MonitorRules rules);

  // The state of a partition's monitor; for tests. Null when it is not here.
  const PartitionMonitor* monitor(int32_t partition) const;

 private:
  struct Partition;

  Status TryBegin(const StreamPartition& name, int64_t bronze, const Wait& wait);
  // kConflict, now and then, for a batch of a partition that could not begin: the pipeline then
  // begins it again, with what it has polled.
  Status CheckWatched(const StreamBatch& batch);

  // monitoring/begin.cc: from a snapshot and bronze to now.
  Status Open(Partition& partition, int64_t bronze, const Wait& wait);
  Status Rebuild(Partition& partition, int64_t bronze, const Wait& wait);
  Result<bool> Restore(Partition& partition, int64_t bronze, const Wait& wait);
  Status StartAnew(Partition& partition, int64_t begin, const Wait& wait);
  Status StartFromEpochBefore(Partition& partition, int64_t begin, const Wait& wait);
  enum class Look { kAtRecordsOnly, kAtPatientsToo };
  Status Replay(Partition& partition, int64_t bronze, Look look, const Wait& wait);
  Status CatchUp(Partition& partition, const Wait& wait);
  Status CatchUpWhereTold(const Wait& wait);
  bool AwaitsTold(const Partition& partition) const;

  // What the service notices or people ask for: recorded, then placed.
  Status Record(Partition& partition, std::vector<RecordedAction> actions, const Wait& wait);
  struct Inputs {
    Partition* partition;
    std::vector<RecordedAction> actions;
  };
  Status RecordAll(std::vector<Inputs> inputs, const Wait& wait);
  // A batch's records of one partition.
  struct Arrived {
    Partition* partition;
    std::span<const WatchedRecord> records;
    int64_t end;
  };
  Status MeetPatients(std::span<const Arrived> arrived, const Wait& wait);
  Status RefreshPatients(Partition& partition, const std::set<std::string>& ids, const Wait& wait);
  Status AnswerPeople(Partition& partition, const Wait& wait);
  void TakeOfferedRules();
  Status ActivateRules(Partition& partition, const Wait& wait);
  Status AnswerAll(const Wait& wait);
  Result<bool> HasNewActions(Version latest);
  Status LookAround(const Wait& wait);
  Status TickWhereQuiet(const Wait& wait);
  Micros TimeOf(const Partition& partition) const;
  bool IsQuiet(const Partition& partition) const;

  Status Take(Partition& partition, std::span<const WatchedRecord> records, int64_t end);
  Status HandOut(Partition& partition);
  // Before alerts are told whose messages bronze lacks.
  Status NoteTold(Partition& partition, std::span<const PublishedAlert> alerts);
  // What bronze allows to be told by now; mutex_ is held.
  void TellHeld(Partition& partition);
  Status WriteAlerts(const std::map<std::string, int64_t>& bronze, AlertLog::Say say,
                     const Wait& wait);
  void KeepSnapshot(Partition& partition);
  Status WriteSnapshots(const std::map<std::string, int64_t>& bronze, const Wait& wait);
  std::map<std::string, int64_t> BronzePositions() const;

  lake::Lake& lake_;
  const std::vector<lake::SilverView>& views_;
  StreamSettings settings_;
  MonitorRules rules_;
  AlertFeed& feed_;
  ReadingFeed* readings_ = nullptr;
  ActionDesk* desk_ = nullptr;
  uint64_t asked_ = 0;  // of the desk's requests, those looked at
  Tell tell_;
  MonitorPace pace_;
  AlertLog alerts_;
  PatientFacts patients_;
  std::chrono::nanoseconds looked_at_{0};
  std::chrono::nanoseconds snapshot_at_{0};  // when one was made last, of any partition
  std::optional<Version> actions_seen_;
  std::map<int32_t, std::chrono::nanoseconds> unwatched_;  // since when, or tried again when

  // guards the partitions' `bronze`, `snapshot` and `held`, and `offered_`
  mutable std::mutex mutex_;
  std::optional<MonitorRules> offered_;
  std::map<int32_t, std::unique_ptr<Partition>> partitions_;
};

}  // namespace vitalake::ingest
