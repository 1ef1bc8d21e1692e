#include "cli/progress.h"

#include <gtest/gtest.h>

namespace vitalake::cli {
namespace {

TEST(RenderProgress, ShowsShareRateAndTimeLeft) {
  ProgressState state{"reading", 250'000'000, 1'000'000'000, 150'000, 0, 2};
  EXPECT_EQ(
      RenderProgress(state, 200),
      "reading  ██████··················  25 %  250.0 MB  150,000 records  125.0 MB/s  6.0 s left");
}

TEST(RenderProgress, CountsRecordsWithoutATotal) {
  ProgressState state{"reading", 0, 0, 5'000, 0, 2};
  EXPECT_EQ(RenderProgress(state, 200), "reading   5,000 records  2,500/s");
  state.records_total = 10'000;
  EXPECT_EQ(RenderProgress(state, 200),
            "reading  ████████████············  50 %  5,000 records  2,500/s  2.0 s left");
}

TEST(RenderProgress, SaysNothingItCannotKnow) {
  EXPECT_EQ(RenderProgress({"hashing", 10, 100, 0, 0, 0.1}, 200),
            "hashing  ██▍·····················  10 %  10 B");
  EXPECT_EQ(RenderProgress({"gold", 0, 0, 0, 0, 3}, 200), "gold    ");
  // More done than announced, as when a file grew.
  EXPECT_EQ(RenderProgress({"reading", 300, 100, 0, 0, 0}, 200),
            "reading  ████████████████████████ 100 %  300 B");
}

TEST(RenderProgress, FitsTheTerminal) {
  ProgressState state{"reading", 250'000'000, 1'000'000'000, 150'000, 0, 2};
  for (int width : {0, 1, 12, 40, 79}) {
    EXPECT_LE(DisplayWidth(RenderProgress(state, width)), static_cast<size_t>(width));
  }
}

}  // namespace
}  // namespace vitalake::cli
