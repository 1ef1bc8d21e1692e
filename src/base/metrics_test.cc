#include "base/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitalake {
namespace {

TEST(MetricsTest, WritesTheTextFormat) {
  Metrics metrics;
  metrics.Counter("b_total", "Things.", {{"kind", "one"}}).Add(2);
  metrics.Counter("b_total", "Things.", {{"kind", "two"}}).Add();
  metrics.Counter("b_total", "Things.", {{"kind", "one"}}).Add();
  metrics.Gauge("a_seconds", "How long.\nIn \\ seconds.").Set(1.5);
  EXPECT_EQ(metrics.Text(),
            "# HELP a_seconds How long.\\nIn \\\\ seconds.\n"
            "# TYPE a_seconds gauge\n"
            "a_seconds 1.5\n"
            "# HELP b_total Things.\n"
            "# TYPE b_total counter\n"
            "b_total{kind=\"one\"} 3\n"
            "b_total{kind=\"two\"} 1\n");
}

TEST(MetricsTest, HistogramsAreCumulativeWithInclusiveBounds) {
  Metrics metrics;
  Histogram& histogram = metrics.Histogram("h_seconds", "H.", {0.5, 1, 2}, {{"l", "x"}});
  for (const double value : {0.25, 0.5, 0.75, 2.0, 8.0}) histogram.Observe(value);
  EXPECT_EQ(metrics.Text(),
            "# HELP h_seconds H.\n"
            "# TYPE h_seconds histogram\n"
            "h_seconds_bucket{l=\"x\",le=\"0.5\"} 2\n"
            "h_seconds_bucket{l=\"x\",le=\"1\"} 3\n"
            "h_seconds_bucket{l=\"x\",le=\"2\"} 4\n"
            "h_seconds_bucket{l=\"x\",le=\"+Inf\"} 5\n"
            "h_seconds_sum{l=\"x\"} 11.5\n"
            "h_seconds_count{l=\"x\"} 5\n");
}

TEST(MetricsTest, EscapesLabelsAndLeavesOutWhatIsNotThere) {
  Metrics metrics;
  metrics.Gauge("g", "G.", {{"l", "a\"b\\c\nd"}}).Set(4);
  metrics.Gauge("none", "N.");
  metrics.Gauge("no_more", "N.").Set(1);
  metrics.Gauge("no_more", "N.").Set(std::nan(""));
  EXPECT_EQ(metrics.Text(), "# HELP g G.\n# TYPE g gauge\ng{l=\"a\\\"b\\\\c\\nd\"} 4\n");
}

}  // namespace
}  // namespace vitalake
