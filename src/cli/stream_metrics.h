// StreamMetrics: one stream in numbers, for /metrics.
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/stream/pipeline.h"
#include "ingest/stream/source.h"

namespace vitalake::cli {

class StreamMetrics {
 public:
  // Both must outlive it.
  StreamMetrics(Metrics& metrics, const std::string& stream, Clock& clock);

  // One thread calls this after each batch.
  void Committed(const ingest::StreamProgress& progress);
  // Another one this, now and then: asks the source how much waits. Null: it is not there.
  void Sample(ingest::StreamSource* source);
  // As last sampled; NaN where it is not known.
  double lag_messages() const { return lag_messages_.value(); }
  double lag_seconds() const { return lag_seconds_.value(); }

 private:
  Clock& clock_;
  Counter& messages_;
  Counter& batches_;
  Histogram& batch_messages_;
  Histogram& commit_seconds_;
  Gauge& lag_messages_;
  Gauge& lag_seconds_;
  std::vector<std::pair<int64_t lake::OutcomeCounts::*, Counter*>> outcomes_;
  ingest::StreamProgress before_;  // of the committing thread
  std::atomic<Micros> received_at_ = 0;
};

}  // namespace vitalake::cli
