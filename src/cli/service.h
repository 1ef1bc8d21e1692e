// Service: what `run` does until it is told to stop.
//
// Threads: one per stream that polls and one that commits, one for the landing folder, one for
// gold, one for small files, one for alerts, one per outbound topic; and those of the HTTP server.
// A stop ends the taking in first; what was taken is committed and answered, then gold refreshed
// and the topics brought up to date a last time.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "cli/alert_metrics.h"
#include "cli/http_service.h"
#include "cli/live_status.h"
#include "cli/postgres_service.h"
#include "cli/run_settings.h"
#include "cli/stream_metrics.h"
#include "ingest/alerts/feed.h"
#include "ingest/commit_follower.h"
#include "ingest/monitoring/follower.h"
#include "ingest/outbound/follower.h"
#include "lake/compaction.h"
#include "lake/lake.h"
#include "lake/silver_view.h"

namespace vitalake::cli {

struct ServiceSummary {
  int64_t messages = 0;  // of streams, committed
  int64_t records = 0;   // in them
  int64_t files = 0;     // of the landing folder
  int64_t file_records = 0;
  int64_t alerts = 0;  // events of alerts, told to whoever listens
  double seconds = 0;
};

class Service {
 public:
  Service(lake::Lake& lake, RunSetup setup);

  // Until `stop`, or until a part of it ends with an error for good; that error. What streams or
  // landing folder cannot do for now is logged and tried again.
  Result<ServiceSummary> Run(const std::stop_token& stop);

  // Has the monitors judge by other rules from now on; thread-safe.
  void UseRules(ingest::MonitorRules rules);

  // What monitors find, while Run runs.
  ingest::AlertFeed& alerts() { return alerts_; }

 private:
  Status OpenHttp();
  // Whether the stream takes something in.
  Status CheckStream(const StreamSetup& stream);
  // What keeps it from messages, though it runs; empty: nothing.
  std::string RemarkOn(const StreamSetup& stream);
  Result<std::unique_ptr<ingest::StreamSource>> OpenSource(const StreamSetup& setup);
  // Has the stream's box take posts.
  Status OpenBox(const StreamSetup& setup, const std::stop_token& stop);
  Status RunStream(const StreamSetup& setup, const std::stop_token& stop);
  ingest::MonitorRules RulesOf(const StreamSetup& setup);
  Status RunLanding(const std::stop_token& stop);
  Status OpenOutbound();
  Status OpenPlace(std::unique_ptr<ingest::OutboundWork> work, std::chrono::nanoseconds rest);
  Status OpenAlertPlace(std::string place, std::unique_ptr<ingest::OutboundSink> sink);
  // Tells who follows that something was committed.
  void Touch(ingest::CommitFollower::After after);
  // Runs one part until it ends; keeps the first error and stops all parts.
  void Part(const std::string& name, const std::function<Status()>& run);
  std::string StatusJson();
  void Tell();
  // Brings up to date what no event tells: lags of streams, ages of tables.
  void Sample();

  lake::Lake& lake_;
  RunSetup setup_;
  std::vector<lake::SilverView> views_;
  lake::CompactionRounds compaction_;
  ingest::CommitFollower gold_;
  ingest::CommitFollower upkeep_;  // of small files
  ingest::AlertFeed alerts_;
  ingest::AlertBoard board_;  // of alerts_ and ops.alert
  ingest::ActionDesk desk_;
  ingest::ReadingFeed readings_;
  LiveStatus live_;
  std::vector<std::unique_ptr<ingest::OutboundFollower>> outbound_;
  Metrics metrics_;
  AlertMetrics alert_metrics_;
  std::unique_ptr<PostgresService> postgres_;  // null: off
  std::stop_source ended_;
  std::atomic<int64_t> messages_ = 0, records_ = 0, files_ = 0, file_records_ = 0;
  std::mutex mutex_;
  Status failed_;                  // guarded by mutex_
  std::set<std::string> running_;  // streams that take messages; guarded by mutex_
  struct Sampled {
    std::unique_ptr<StreamMetrics> metrics;
    ingest::StreamSource* source = nullptr;
    ingest::MonitorFollower* monitor = nullptr;  // with rules of its own
    bool by_arrival = false;
  };
  std::map<std::string, Sampled> sampled_;  // by stream; guarded by mutex_
  // Null: off. Last, as its threads ask for all of the above.
  std::unique_ptr<HttpService> http_;
};

}  // namespace vitalake::cli
