// Detectors that others use, to set beside the monitor's: each judges a value by up to 60 values
// before it, from the 13th on. Plain on purpose.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace vitalake::monitor {

using Window = std::vector<double>;
inline constexpr size_t kRivalHistory = 60, kRivalWarmUp = 12;

inline double MeanOf(const Window& w) {
  double sum = 0;
  for (const double v : w) sum += v;
  return sum / static_cast<double>(w.size());
}
inline double SigmaOf(const Window& w) {
  const double mean = MeanOf(w);
  double sum = 0;
  for (const double v : w) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(w.size() - 1));
}
inline double MedianOf(Window w) {
  std::sort(w.begin(), w.end());
  return (w[(w.size() - 1) / 2] + w[w.size() / 2]) / 2;
}
inline double MadOf(const Window& w, double median) {
  Window away;
  for (const double v : w) away.push_back(std::abs(v - median));
  return MedianOf(away);
}

// Runs `judge(value, window)` over the values; each joins the window after it was judged.
template <class Judge>
std::vector<bool> Rolling(const std::vector<double>& values, Judge judge) {
  std::vector<bool> flags;
  Window window;
  for (const double value : values) {
    flags.push_back(window.size() >= kRivalWarmUp && judge(value, window));
    window.push_back(value);
    if (window.size() > kRivalHistory) window.erase(window.begin());
  }
  return flags;
}

inline std::vector<bool> Shewhart(const std::vector<double>& values) {
  return Rolling(values, [](double v, const Window& w) {
    return std::abs(v - MeanOf(w)) > 3 * SigmaOf(w);
  });
}

// 3.5 robust sigmas; the median of distances is at least 4.5 mmHg.
inline std::vector<bool> RobustZ(const std::vector<double>& values) {
  return Rolling(values, [](double v, const Window& w) {
    const double median = MedianOf(w);
    return 0.6745 * std::abs(v - median) / std::max(MadOf(w, median), 4.5) > 3.5;
  });
}

// Lambda 0.2, limits at 3 of its own sigmas.
inline std::vector<bool> Ewma(const std::vector<double>& values) {
  double average = 0;
  return Rolling(values, [average](double v, const Window& w) mutable {
    average = 0.8 * average + 0.2 * (v - MeanOf(w)) / SigmaOf(w);
    return std::abs(average) > 3 * std::sqrt(0.2 / 1.8);
  });
}

// k 0.75, h 5 on robust z, one value counting for 4.5 at most.
inline std::vector<bool> Cusum(const std::vector<double>& values) {
  double up = 0, down = 0;
  return Rolling(values, [up, down](double v, const Window& w) mutable {
    const double median = MedianOf(w);
    const double sigma = std::max(1.4826 * MadOf(w, median), 1.0);
    const double z = std::clamp((v - median) / sigma, -4.5, 4.5);
    up = std::max(0.0, up + z - 0.75);
    down = std::max(0.0, down - z - 0.75);
    if (up <= 5 && down <= 5) return false;
    up = down = 0;
    return true;
  });
}

// Gaussian kernels, Scott's width; flagged where both tails together have less than 1 - confidence.
inline std::vector<bool> KernelDensity(const std::vector<double>& values, double confidence) {
  return Rolling(values, [confidence](double v, const Window& w) {
    const double width = 1.06 * SigmaOf(w) * std::pow(static_cast<double>(w.size()), -0.2);
    double below = 0;
    for (const double x : w) below += 0.5 * std::erfc(-(v - x) / width / std::sqrt(2.0));
    below /= static_cast<double>(w.size());
    return 2 * std::min(below, 1 - below) < 1 - confidence;
  });
}

}  // namespace vitalake::monitor
