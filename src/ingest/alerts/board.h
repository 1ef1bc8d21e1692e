// AlertBoard: all alerts as they stand now, and their latest steps in order, before any table has
// them.
//
// It hears this process's monitors through the AlertFeed, and looks at ops.alert once a second for
// what the feed did not bring (another process's partitions, an overflow). Of each partition every
// step comes once, in the order of its sequence, from whichever has it first; steps of several
// partitions come in one order, numbered for the life of the process.
//
// Whoever passes steps on (server-sent events, the alerts topic, the webhook) listens, and finds
// what was missed by a position (alerts/place.h): in the last steps kept here, else in the table.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/alerts/feed.h"
#include "ingest/alerts/place.h"
#include "ingest/alerts/published_alert.h"
#include "lake/lake.h"

namespace vitalake::ingest {

struct AlertStep {
  PublishedAlert alert;
  std::string json;    // AlertJson
  int64_t number = 0;  // from 1; 0: read from the table, older than the process
};
using AlertStepPtr = std::shared_ptr<const AlertStep>;

// Thread-safe. Holds the alerts that are on and the last 4,096 steps.
class AlertBoard {
 public:
  // Both must outlive it.
  AlertBoard(lake::Lake& lake, AlertFeed& feed);

  // Before anything is published. Errors are those of reading ops.alert.
  Status Open(const Wait& wait);
  // `told` gets new steps once they are here, on Run's thread: it must not wait for long. Before
  // Run.
  using Listener = std::function<void(std::span<const AlertStepPtr>)>;
  void Listen(Listener told);
  // Follows until `stop`, then takes in what was published before it.
  Status Run(const std::stop_token& stop);

  struct Standing {
    std::vector<AlertStepPtr> on;  // alerts that are, the oldest first
    AlertPositions positions;      // that it stands for
    int64_t number = 0;            // of the last step in it
  };
  Standing Now() const;

  struct Missed {
    std::vector<AlertStepPtr> steps;
    AlertPositions positions;  // behind them
    int64_t number = 0;
  };
  // The steps from `from` on. kLimit: more than `most`; kConflict: the table is not as far yet
  // as the steps kept here reach back. Errors of reading the table.
  Result<Missed> Since(const AlertPositions& from, size_t most, const Wait& wait) const;
  // Steps with a higher number; nullopt: they are not all here any more.
  std::optional<std::vector<AlertStepPtr>> After(int64_t number) const;

  AlertPositions positions() const;
  // The last step of an alert that is on, or was among the last ones; null: the table knows.
  AlertStepPtr Find(std::string_view alert_id) const;
  // Waits for a step of the alert behind `number`; null: none came in time.
  AlertStepPtr AwaitStep(std::string_view alert_id, int64_t number,
                         std::chrono::nanoseconds patience, const std::stop_token& stop) const;

  struct Summary {
    int64_t on = 0, critical = 0;  // alerts
    // From a reading's receipt to here, of the last alerts opened; nullopt: none yet.
    std::optional<double> p50_ms, p99_ms;
  };
  Summary Summarise() const;

 private:
  AlertStepPtr FindHere(std::string_view alert_id) const;
  Result<std::vector<AlertStepPtr>> ReadBefore(const Missed& kept, const AlertPositions& from,
                                               const Wait& wait) const;
  // Takes a step in, or keeps it until those before it are here.
  void Accept(const PublishedAlert& alert, std::vector<AlertStepPtr>& fresh);
  void Append(const PublishedAlert& alert, std::vector<AlertStepPtr>& fresh);
  Status LookAtTable(std::vector<AlertStepPtr>& fresh, const Wait& wait);
  void NoteDelay(const PublishedAlert& alert);
  void TellListeners(std::span<const AlertStepPtr> fresh);

  lake::Lake& lake_;
  const std::shared_ptr<AlertFeed::Subscription> heard_;
  std::vector<Listener> listeners_;
  // Of Run's thread.
  std::map<std::string, std::map<int64_t, PublishedAlert>, std::less<>> early_;  // by partition
  size_t early_count_ = 0;
  std::optional<Version> looked_at_;

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  AlertPositions next_;                                  // guarded by mutex_, as what follows
  std::map<std::string, AlertStepPtr, std::less<>> on_;  // by alert_id
  std::deque<AlertStepPtr> steps_;
  int64_t number_ = 0;
  std::deque<int64_t> delays_us_;
};

}  // namespace vitalake::ingest
