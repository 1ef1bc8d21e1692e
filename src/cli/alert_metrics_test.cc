#include "cli/alert_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/alerts/feed.h"

namespace vitalake::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

ingest::PublishedAlert Alert(std::string rule, std::string severity, std::string change,
                             bool notify) {
  ingest::PublishedAlert alert;
  alert.patient_id = "xylophonist";
  alert.rule = std::move(rule);
  alert.severity = std::move(severity);
  alert.change = std::move(change);
  alert.notify = notify;
  alert.source = "vitals";
  return alert;
}

TEST(AlertMetricsTest, CountsWhatIsPublished) {
  Metrics metrics;
  AlertMetrics counted(metrics);
  counted.Follow("vitals");
  EXPECT_THAT(
      metrics.Text(),
      HasSubstr("vitalake_stream_detections_total{stream=\"vitals\",detector=\"drift\"} 0\n"));
  ingest::AlertFeed feed;
  feed.Listen([&](const auto alerts) { counted.Count(alerts); });
  const ingest::PublishedAlert alerts[] = {Alert("severe-high", "critical", "opened", true),
                                           Alert("severe-high", "critical", "updated", true),
                                           Alert("severe-high", "critical", "closed", false),
                                           Alert("spike", "low", "opened", false),
                                           Alert("spike", "low", "closed", false)};
  feed.Publish(alerts);
  feed.Publish(std::span(alerts).first(1));
  const std::string severe = "{stream=\"vitals\",rule=\"severe-high\",severity=\"critical\"";
  EXPECT_THAT(
      metrics.Text(),
      AllOf(HasSubstr("vitalake_stream_alerts_total" + severe + ",change=\"opened\"} 2\n"),
            HasSubstr("vitalake_stream_alerts_total" + severe + ",change=\"closed\"} 1\n"),
            HasSubstr("vitalake_stream_alerts_notified_total" + severe + "} 3\n"),
            HasSubstr("vitalake_stream_detections_total{stream=\"vitals\",detector=\"spike\"} 1\n"),
            HasSubstr("vitalake_stream_detections_total{stream=\"vitals\",detector=\"shift\"} 0\n"),
            Not(HasSubstr("xylophonist"))));
}

}  // namespace
}  // namespace vitalake::cli
