// Line charts in a terminal: braille dots, two series, a threshold line, a time axis.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/terminal.h"

namespace vitalake::cli {

struct ChartPoint {
  Micros time = 0;
  double value = 0;
};

struct ChartSeries {
  std::string name;
  Colour colour = Colour::kBlue;
  std::vector<ChartPoint> points;  // ascending by time
};

struct ChartThreshold {
  std::string name;
  double value = 0;
};

struct ChartOptions {
  int width = 78;     // columns of the whole chart, at least 40
  int height = 14;    // rows of the plot, at least 4
  Terminal terminal;  // for colours
};

// Lines with "\n" at their ends: a legend, the plot with its value axis, and the time axis (UTC).
// Each series ends with its last value at the right. Without any point: "".
std::string RenderChart(const std::vector<ChartSeries>& series,
                        const std::vector<ChartThreshold>& thresholds, const ChartOptions& options);

}  // namespace vitalake::cli
