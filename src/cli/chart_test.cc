#include "cli/chart.h"

#include <gtest/gtest.h>

#include <vector>

namespace vitalake::cli {
namespace {

constexpr Micros kDay = 86'400'000'000;
constexpr Micros kNoon = 1'775'044'800'000'000;  // 2026-04-01T12:00:00Z

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  EXPECT_EQ(begin, text.size()) << "the last line has no end";
  return lines;
}

ChartSeries Rising(int points) {
  ChartSeries series{"systolic", Colour::kCyan, {}};
  for (int i = 0; i < points; ++i) series.points.push_back({kNoon + i * kDay, 100.0 + i * 5});
  return series;
}

TEST(RenderChart, IsEmptyWithoutPoints) {
  EXPECT_EQ(RenderChart({}, {}, {}), "");
  EXPECT_EQ(RenderChart({{"systolic", Colour::kCyan, {}}}, {{"140", 140}}, {}), "");
}

TEST(RenderChart, FitsItsWidthAndHeight) {
  for (int width : {40, 60, 78}) {
    ChartOptions options;
    options.width = width;
    auto lines = LinesOf(RenderChart({Rising(14)}, {{"140 mmHg", 140}}, options));
    EXPECT_EQ(lines.size(), 1u + 14u + 2u);
    for (const std::string& line : lines) {
      EXPECT_LE(DisplayWidth(line), static_cast<size_t>(width)) << line;
    }
  }
}

TEST(RenderChart, DrawsAStraightLine) {
  ChartOptions options;
  options.width = 52;  // 40 columns of plot
  options.height = 4;  // 16 dots for 100 to 120
  ChartSeries series{"x", Colour::kCyan, {{kNoon, 100}, {kNoon + 4 * kDay, 120}}};
  auto lines = LinesOf(RenderChart({series}, {}, options));
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[0], "       ⣀⠤⠒ x");
  // From the lowest row at the left to the highest at the right, ten characters a row.
  EXPECT_EQ(lines[1].substr(0, 9), "  120 ┤");
  EXPECT_TRUE(lines[1].ends_with("⠉ 120")) << lines[1];
  EXPECT_EQ(lines[4].substr(0, 12), "  100 ┤⣀") << lines[4];
  EXPECT_LE(DisplayWidth(lines[4]), 7u + 11u);
}

TEST(RenderChart, MarksThresholdAndDays) {
  ChartOptions options;
  auto text = RenderChart({Rising(10)}, {{"120 mmHg", 120}}, options);
  EXPECT_NE(text.find("┈┈ 120 mmHg"), std::string::npos);
  EXPECT_NE(text.find("┈┈┈┈┈┈┈┈"), std::string::npos);
  auto lines = LinesOf(text);
  EXPECT_NE(lines.back().find("02 Apr"), std::string::npos) << lines.back();
  EXPECT_EQ(lines.back().find("31 Mar"), std::string::npos);
  EXPECT_NE(lines[lines.size() - 2].find("┬"), std::string::npos);
}

TEST(RenderChart, TakesOnePointAndFlatLines) {
  EXPECT_NE(RenderChart({{"x", Colour::kCyan, {{kNoon, 80}}}}, {}, {}), "");
  EXPECT_NE(RenderChart({{"x", Colour::kCyan, {{kNoon, 80}, {kNoon + kDay, 80}}}}, {}, {}), "");
}

TEST(RenderChart, ColoursOnlyATerminal) {
  ChartOptions options;
  EXPECT_EQ(RenderChart({Rising(5)}, {}, options).find('\x1b'), std::string::npos);
  options.terminal.colour = true;
  EXPECT_NE(RenderChart({Rising(5)}, {}, options).find("\x1b[36m"), std::string::npos);
}

}  // namespace
}  // namespace vitalake::cli
