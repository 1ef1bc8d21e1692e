// Steps: 1. find the ranges of time and value; 2. draw each series' dots and lines on a grid of
// 2 x 4 dots a character; 3. turn rows into text: axis, cells (threshold marks where no dot is),
// last values; 4. write the time axis below.
#include "cli/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace vitalake::cli {
namespace {

constexpr int kAxisWidth = 6;   // "  140 " before the axis line
constexpr int kRightWidth = 5;  // " 127" behind the plot
constexpr double kSecond = 1e6;
constexpr double kHour = 3600 * kSecond;
constexpr double kDay = 24 * kHour;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void Include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

std::string Utf8(uint32_t code) {  // U+0800 to U+FFFF
  std::string out;
  out += static_cast<char>(0xE0 | (code >> 12));
  out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  out += static_cast<char>(0x80 | (code & 0x3F));
  return out;
}

// Braille dots of a plot; each character remembers the series drawn last in it.
class DotGrid {
 public:
  DotGrid(int columns, int rows)
      : columns_(columns),
        rows_(rows),
        cells_(static_cast<size_t>(columns) * static_cast<size_t>(rows)) {}

  int dots_wide() const { return columns_ * 2; }
  int dots_high() const { return rows_ * 4; }

  void Set(int x, int y, int series) {  // y downwards
    if (x < 0 || y < 0 || x >= dots_wide() || y >= dots_high()) return;
    constexpr uint8_t kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    Cell& cell = cells_[Index(x / 2, y / 4)];
    cell.dots |= kBits[y % 4][x % 2];
    cell.series = series;
  }

  void Line(int x0, int y0, int x1, int y1, int series) {
    int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) {
      double part = static_cast<double>(i) / steps;
      Set(x0 + static_cast<int>(std::lround((x1 - x0) * part)),
          y0 + static_cast<int>(std::lround((y1 - y0) * part)), series);
    }
  }

  uint8_t dots(int column, int row) const { return At(column, row).dots; }
  int series(int column, int row) const { return At(column, row).series; }

 private:
  struct Cell {
    uint8_t dots = 0;
    int series = -1;
  };
  const Cell& At(int column, int row) const { return cells_[Index(column, row)]; }
  size_t Index(int column, int row) const {
    return static_cast<size_t>(row) * static_cast<size_t>(columns_) + static_cast<size_t>(column);
  }
  int columns_;
  int rows_;
  std::vector<Cell> cells_;
};

// 10, 20, 25, 50, ...: the smallest round step that gives at most `most` steps over `span`.
double RoundStep(double span, int most) {
  double raw = std::max(span, 1e-9) / most;
  double power = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 2.5, 5.0, 10.0}) {
    if (power * factor >= raw) return power * factor;
  }
  return power * 10;
}

class Chart {
 public:
  Chart(const std::vector<ChartSeries>& series, const std::vector<ChartThreshold>& thresholds,
        const ChartOptions& options)
      : series_(series),
        thresholds_(thresholds),
        terminal_(options.terminal),
        columns_(std::max(options.width, 40) - kAxisWidth - 1 - kRightWidth),
        rows_(std::max(options.height, 4)),
        grid_(columns_, rows_) {}

  std::string Render() {
    FindRanges();
    if (time_.empty()) return "";
    DrawSeries();
    std::string out = Legend();
    for (int row = 0; row < rows_; ++row) out += Row(row);
    return out + TimeAxis();
  }

 private:
  void FindRanges() {
    for (const ChartSeries& series : series_) {
      for (const ChartPoint& point : series.points) {
        time_.Include(static_cast<double>(point.time));
        value_.Include(point.value);
      }
    }
    if (time_.empty()) return;
    for (const ChartThreshold& threshold : thresholds_) value_.Include(threshold.value);
    step_ = RoundStep(value_.high - value_.low, std::max(rows_ / 3, 2));
    value_.low = std::floor(value_.low / step_) * step_;
    value_.high = std::max(std::ceil(value_.high / step_) * step_, value_.low + step_);
    if (time_.high - time_.low < kSecond) time_.high = time_.low + kHour;
  }

  int X(Micros time) const {
    double part = (static_cast<double>(time) - time_.low) / (time_.high - time_.low);
    return static_cast<int>(std::lround(part * (grid_.dots_wide() - 1)));
  }
  int Y(double value) const {
    double part = (value_.high - value) / (value_.high - value_.low);
    return static_cast<int>(std::lround(part * (grid_.dots_high() - 1)));
  }

  void DrawSeries() {
    for (size_t i = 0; i < series_.size(); ++i) {
      const std::vector<ChartPoint>& points = series_[i].points;
      for (size_t p = 0; p < points.size(); ++p) {
        const ChartPoint& from = points[p == 0 ? 0 : p - 1];
        grid_.Line(X(from.time), Y(from.value), X(points[p].time), Y(points[p].value),
                   static_cast<int>(i));
      }
    }
  }

  std::string Legend() const {
    std::string out(kAxisWidth + 1, ' ');
    for (const ChartSeries& series : series_) {
      out += Paint(terminal_, series.colour, "⣀⠤⠒") + " " + series.name + "   ";
    }
    for (const ChartThreshold& threshold : thresholds_) {
      out += Paint(terminal_, Colour::kYellow, "┈┈") + " " + threshold.name + "   ";
    }
    while (out.ends_with(' ')) out.pop_back();
    return out + "\n";
  }

  // The value whose tick lies in this row, or NaN.
  double TickIn(int row) const {
    for (double tick = value_.low; tick <= value_.high + step_ / 2; tick += step_) {
      if (Y(tick) / 4 == row) return tick;
    }
    return std::numeric_limits<double>::quiet_NaN();
  }

  bool HasThreshold(int row) const {
    return std::ranges::any_of(thresholds_, [&](const ChartThreshold& threshold) {
      return Y(threshold.value) / 4 == row;
    });
  }

  std::string Row(int row) const {
    double tick = TickIn(row);
    std::string out =
        std::isnan(tick) ? std::string(kAxisWidth, ' ') + "│" : fmt::format("{:>5g} ┤", tick);
    bool threshold = HasThreshold(row);
    for (int column = 0; column < columns_; ++column) {
      uint8_t dots = grid_.dots(column, row);
      if (dots) {
        auto series = static_cast<size_t>(grid_.series(column, row));
        out += Paint(terminal_, series_[series].colour, Utf8(0x2800u + dots));
      } else {
        out += threshold ? Paint(terminal_, Colour::kYellow, "┈") : std::string(" ");
      }
    }
    out += LastValue(row);
    if (!terminal_.colour) {
      while (out.ends_with(' ')) out.pop_back();
    }
    return out + "\n";
  }

  std::string LastValue(int row) const {
    for (const ChartSeries& series : series_) {
      if (series.points.empty() || Y(series.points.back().value) / 4 != row) continue;
      return " " +
             Paint(terminal_, series.colour, fmt::format("{:.0f}", series.points.back().value));
    }
    return "";
  }

  // Marks at whole days (or hours, for less than three days), about every 12 columns.
  std::string TimeAxis() const {
    double span = time_.high - time_.low;
    bool by_hour = span < 3 * kDay;
    double unit = by_hour ? kHour : kDay;
    double step = unit * std::max(1.0, std::ceil(span / unit / std::max(columns_ / 12, 1)));
    std::string marks = std::string(kAxisWidth, ' ') + "└";
    std::string labels(static_cast<size_t>(kAxisWidth + 1), ' ');
    std::vector<int> at;
    double first = std::ceil(time_.low / unit) * unit;
    for (double time = first; time <= time_.high; time += step) {
      int column = X(static_cast<Micros>(time)) / 2;
      at.push_back(column);
      std::string label = TimeLabel(static_cast<Micros>(time), by_hour);
      auto wanted = static_cast<size_t>(std::max(kAxisWidth + 1 + column - 2, 0));
      const int width = kAxisWidth + 1 + columns_ + kRightWidth;
      if (wanted + label.size() > static_cast<size_t>(width)) continue;
      if (labels.size() < wanted) labels.resize(wanted, ' ');
      labels += label + " ";
    }
    for (int column = 0; column < columns_; ++column) {
      marks += std::ranges::find(at, column) == at.end() ? "─" : "┬";
    }
    while (labels.ends_with(' ')) labels.pop_back();
    return marks + "\n" + labels + "\n";
  }

  static std::string TimeLabel(Micros time, bool by_hour) {
    constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::string text = FormatUtc(time);  // 2026-11-22T17:00:00.000000Z
    if (by_hour) return text.substr(11, 5);
    auto month = static_cast<size_t>((text[5] - '0') * 10 + (text[6] - '0') - 1);
    return fmt::format("{} {}", text.substr(8, 2), kMonths[month % 12]);
  }

  const std::vector<ChartSeries>& series_;
  const std::vector<ChartThreshold>& thresholds_;
  Terminal terminal_;
  int columns_;
  int rows_;
  DotGrid grid_;
  Range time_;
  Range value_;
  double step_ = 1;
};

}  // namespace

std::string RenderChart(const std::vector<ChartSeries>& series,
                        const std::vector<ChartThreshold>& thresholds,
                        const ChartOptions& options) {
  return Chart(series, thresholds, options).Render();
}

}  // namespace vitalake::cli
