// AlertMetrics: what the monitors of this process raised, in numbers, for /metrics.
#pragma once

#include <span>
#include <string>

#include "base/metrics.h"
#include "ingest/alerts/published_alert.h"

namespace vitalake::cli {

// Thread-safe.
class AlertMetrics {
 public:
  // `metrics` must outlive it.
  explicit AlertMetrics(Metrics& metrics) : metrics_(metrics) {}

  // Shows the detectors of a stream from now on, also while none finds anything.
  void Follow(const std::string& stream);
  void Count(std::span<const ingest::PublishedAlert> alerts);

 private:
  Counter& Detections(const std::string& stream, const std::string& detector);

  Metrics& metrics_;
};

}  // namespace vitalake::cli
