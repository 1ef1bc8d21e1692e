#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace vitalake {
namespace {

std::string Escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string LabelText(const Metrics::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += fmt::format("{}=\"{}\"", name, Escaped(value, true));
  }
  return text;
}

std::string InBraces(const std::string& labels) {
  return labels.empty() ? "" : fmt::format("{{{}}}", labels);
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(new std::atomic<int64_t>[bounds_.size() + 1]()) {}

void Histogram::Observe(double value) {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Metrics::Series& Metrics::Find(std::string_view name, std::string_view help, Kind kind,
                               const Labels& labels) {
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(std::string(name), Family{kind, std::string(help), {}}).first;
  }
  VL_CHECK(family->second.kind == kind);
  std::string text = LabelText(labels);
  Series& series = family->second.series[text];
  series.labels = std::move(text);
  return series;
}

Counter& Metrics::Counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = Find(name, help, Kind::kCounter, labels);
  if (!series.counter) series.counter = std::make_unique<vitalake::Counter>();
  return *series.counter;
}

Gauge& Metrics::Gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = Find(name, help, Kind::kGauge, labels);
  if (!series.gauge) series.gauge = std::make_unique<vitalake::Gauge>();
  return *series.gauge;
}

Histogram& Metrics::Histogram(std::string_view name, std::string_view help,
                              const std::vector<double>& bounds, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = Find(name, help, Kind::kHistogram, labels);
  if (!series.histogram) series.histogram = std::make_unique<vitalake::Histogram>(bounds);
  return *series.histogram;
}

void Metrics::AppendSeries(std::string& out, const std::string& name, const Series& series) {
  const std::string braces = InBraces(series.labels);
  if (series.counter) out += fmt::format("{}{} {}\n", name, braces, series.counter->value());
  if (series.gauge && !std::isnan(series.gauge->value())) {
    out += fmt::format("{}{} {}\n", name, braces, series.gauge->value());
  }
  if (!series.histogram) return;
  const auto& histogram = *series.histogram;
  const std::string comma = series.labels.empty() ? "" : series.labels + ",";
  int64_t sum = 0;
  for (size_t i = 0; i < histogram.bounds().size(); ++i) {
    sum += histogram.count(i);
    out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, comma, histogram.bounds()[i], sum);
  }
  sum += histogram.count(histogram.bounds().size());
  out += fmt::format("{}_bucket{{{}le=\"+Inf\"}} {}\n", name, comma, sum);
  out +=
      fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braces, histogram.sum(), name, braces, sum);
}

std::string Metrics::Text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    std::string samples;
    for (const auto& [_, series] : family.series) AppendSeries(samples, name, series);
    if (samples.empty()) continue;
    const std::string_view type = family.kind == Kind::kCounter ? "counter"
                                  : family.kind == Kind::kGauge ? "gauge"
                                                                : "histogram";
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n{}", name, Escaped(family.help, false), name,
                       type, samples);
  }
  return out;
}

const std::vector<double>& DurationBounds() {
  static const std::vector<double> bounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                             0.5,   1,    2.5,   5,    10,  30};
  return bounds;
}

}  // namespace vitalake
