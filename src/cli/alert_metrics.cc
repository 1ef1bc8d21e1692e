#include "cli/alert_metrics.h"

#include <algorithm>

namespace vitalake::cli {
namespace {

constexpr std::string_view kDetectors[] = {"spike", "shift", "drift"};

}  // namespace

Counter& AlertMetrics::Detections(const std::string& stream, const std::string& detector) {
  return metrics_.Counter(
      "vitalake_stream_detections_total",
      "Times that a detector found a reading or a level unusual for its patient.",
      {{"stream", stream}, {"detector", detector}});
}

void AlertMetrics::Follow(const std::string& stream) {
  for (const std::string_view detector : kDetectors) Detections(stream, std::string(detector));
}

void AlertMetrics::Count(std::span<const ingest::PublishedAlert> alerts) {
  for (const ingest::PublishedAlert& alert : alerts) {
    const Metrics::Labels kind = {
        {"stream", alert.source}, {"rule", alert.rule}, {"severity", alert.severity}};
    Metrics::Labels change = kind;
    change.emplace_back("change", alert.change);
    metrics_.Counter("vitalake_stream_alerts_total", "Alerts by what became of them.", change)
        .Add();
    if (alert.notify) {
      metrics_
          .Counter("vitalake_stream_alerts_notified_total",
                   "Alerts, each time that a person is to be told.", kind)
          .Add();
    }
    const bool found = std::ranges::find(kDetectors, alert.rule) != std::end(kDetectors);
    if (found && alert.change == "opened") Detections(alert.source, alert.rule).Add();
  }
}

}  // namespace vitalake::cli
