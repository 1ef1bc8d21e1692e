// LiveStatus: what the service is doing, in one object for those who look on (docs/http.md,
// Events).
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "ingest/alerts/board.h"
#include "ingest/monitoring/reading_feed.h"
#include "lake/lake.h"

namespace vitalake::cli {

struct StreamStatus {
  std::string stream;
  bool running = false;
  double lag_messages = 0, lag_seconds = 0;  // NaN: not known
  std::string remark = {};                   // what keeps it from messages; empty: nothing
};

// Thread-safe.
class LiveStatus {
 public:
  // All must outlive it; the process began now.
  LiveStatus(lake::Lake& lake, const ingest::AlertBoard& board,
             const ingest::ReadingFeed& readings);

  std::string Json(const std::vector<StreamStatus>& streams);

 private:
  // Readings a second, over a second or so.
  double Rate(std::chrono::nanoseconds now, int64_t count);

  lake::Lake& lake_;
  const ingest::AlertBoard& board_;
  const ingest::ReadingFeed& readings_;
  const std::chrono::nanoseconds began_;
  std::mutex mutex_;  // guards what follows
  std::chrono::nanoseconds counted_at_;
  int64_t counted_ = 0;
  double rate_ = 0;
};

}  // namespace vitalake::cli
