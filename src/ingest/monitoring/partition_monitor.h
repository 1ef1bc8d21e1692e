// PartitionMonitor: one stream partition's monitor and what it needs to be told apart from others.
//
// A pure function of the partition's records and of its recorded actions, in the order of their
// offsets: no I/O, no clock. Whatever lies between (snapshots, restarts, other cuts of the same
// messages into batches), the same alerts come out under the same numbers, and the same bytes of a
// snapshot at the same offset.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "ingest/alerts/action_log.h"
#include "ingest/alerts/published_alert.h"
#include "ingest/monitoring/reading_feed.h"
#include "ingest/monitoring/rules.h"
#include "ingest/monitoring/watched_record.h"
#include "monitor/monitor.h"

namespace vitalake::ingest {

// Whose records they are.
struct WatchedPartition {
  std::string source;  // the stream
  std::string app;     // appId of its position: source_partition of its alerts
  std::string id_space;
};

// Owned by one thread at a time.
class PartitionMonitor {
 public:
  // Before the first record; `rules` is the partition's first action. kCorrupt when it is no
  // activation of rules.
  static Result<PartitionMonitor> Make(WatchedPartition partition, const RecordedAction& rules);
  // From Snapshot's bytes. kCorrupt, kUnsupported: they are damaged, or of another version.
  static Result<PartitionMonitor> Restore(WatchedPartition partition, std::string_view bytes);
  std::string Snapshot() const;

  // Goes on as another partition from `begin` on, its first action, which is there, taken as
  // applied: the same topic made anew. Rules stay; positions, numbers and actions that wait do not.
  void GoOnAs(WatchedPartition partition, int64_t begin);

  // An action recorded at or behind position(). Those at it are applied by the next Advance.
  void Place(RecordedAction action);
  // Takes records in, in the order of their places, those before position() left out; then stands
  // at `end`. All actions at or before it are applied. kCorrupt: an action cannot be read.
  Status Advance(std::span<const WatchedRecord> records, int64_t end);

  // What was raised since the last call.
  std::vector<PublishedAlert> TakeAlerts() { return std::exchange(alerts_, {}); }

  // What became of actions that people asked for, since the last call.
  struct Answered {
    std::string request;
    Status said;
  };
  std::vector<Answered> TakeAnswers() { return std::exchange(answers_, {}); }

  // Keeps up to `most` of the readings that come, for TakeSeen.
  void Show(size_t most) { shown_most_ = most; }
  std::vector<SeenReading> TakeSeen() { return std::exchange(seen_, {}); }

  int64_t position() const { return position_; }
  int64_t alerts() const { return next_sequence_; }  // raised so far, over all restarts
  // Actions applied so far: before position(), and at it.
  ActionLog::Counts actions() const { return actions_; }
  const MonitorRules& rules() const { return rules_; }
  Micros time() const { return time_; }  // of the last input; none is earlier
  std::optional<Micros> NextTimer() const { return monitor_.NextTimer(); }
  const monitor::MonitorCounters& counters() const { return monitor_.counters(); }

  // Whether a record or an action of the patient was taken in, or an action is placed.
  bool HasMet(const std::string& patient) const {
    return met_.contains(patient) || placed_.contains(patient);
  }
  std::set<std::string> Met() const;
  // Whether these facts are other than those it has, and not of a lower rank.
  bool IsNews(const WatchedPatient& patient) const;

 private:
  struct Known {
    PatientRank rank;
    uint64_t facts = 0;  // hash; 0: none are known
  };

  PartitionMonitor(WatchedPartition partition, MonitorRules rules, monitor::MonitorOptions options,
                   monitor::Monitor monitor)
      : partition_(std::move(partition)),
        rules_(std::move(rules)),
        options_(std::move(options)),
        monitor_(std::move(monitor)) {}

  // Before the record at `offset`.
  Status ApplyUntil(int64_t offset);
  Status Apply(const RecordedAction& action);
  Status Activate(const RecordedAction& action);
  Status Tell(const monitor::Action& action, const std::string& request = {});
  // Of an action that people ask for.
  Result<monitor::Action> ToldBy(const RecordedAction& action) const;
  void ShowReading(const WatchedReading& watched, Micros received,
                   const monitor::Observation& seen);
  void MoveTo(int64_t offset);
  void TakeRecord(const WatchedRecord& record);
  void TakeReading(const WatchedReading& reading, Micros received);
  Status TakePatient(const WatchedPatient& patient);
  // Numbers and keeps what the monitor said. `needs` as PublishedAlert.
  void Keep(std::span<const monitor::AlertEvent> events, int64_t needs);
  std::string ReadingIds(const monitor::AlertEvent& event) const;
  std::string AcknowledgedBy(const monitor::AlertEvent& event);
  void Remember(const WatchedReading& reading);
  bool Load(ByteReader& in, std::string& monitor_bytes);

  WatchedPartition partition_;
  MonitorRules rules_;
  monitor::MonitorOptions options_;
  monitor::Monitor monitor_;
  int64_t position_ = 0;
  Micros time_ = 0;
  Micros heard_at_ = 0;  // of the record at hand; 0: there is none
  int64_t next_sequence_ = 0;
  ActionLog::Counts actions_;
  std::unordered_map<std::string, Known> met_;
  std::map<Hash128, std::string> acknowledged_;  // by whom, of alerts that are on
  // Ids of readings that may be the first of two which raise an alert, by key; the last are kept.
  std::unordered_map<uint64_t, std::string> names_;
  std::deque<uint64_t> name_order_;
  // Not applied yet. Not in a snapshot: they are in ops.action.
  std::map<std::pair<int64_t, int64_t>, RecordedAction> pending_;
  std::set<std::string> placed_;  // patients whose facts are among them
  std::vector<PublishedAlert> alerts_;
  std::vector<Answered> answers_;
  std::vector<SeenReading> seen_;
  size_t shown_most_ = 0;
};

}  // namespace vitalake::ingest
