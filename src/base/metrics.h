// Metrics: numbers about what the process does, for Prometheus to read.
//
// Counters, gauges and histograms have a name, labels and an address that stays: who counts keeps
// the reference and pays an atomic addition. Names end as Prometheus wants: _total for counters,
// units (_seconds, _bytes) for the rest. No name and no label ever holds patient data.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitalake {

class Counter {
 public:
  void Add(int64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// Not shown while it is NaN, as it is at first.
class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = std::numeric_limits<double>::quiet_NaN();
};

class Histogram {
 public:
  // Upper bounds, inclusive, ascending; one more without a bound is added.
  explicit Histogram(std::vector<double> bounds);
  void Observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  // Of the bucket at that place: values in it, not in those before.
  int64_t count(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<int64_t>[]> counts_;
  std::atomic<double> sum_ = 0;
};

// Thread-safe. References stay good as long as it lives.
class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // The one of that name and these labels, made at the first call. One name is one kind, with one
  // help text (and bounds): those of the first call.
  vitalake::Counter& Counter(std::string_view name, std::string_view help,
                             const Labels& labels = {});
  vitalake::Gauge& Gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  vitalake::Histogram& Histogram(std::string_view name, std::string_view help,
                                 const std::vector<double>& bounds, const Labels& labels = {});

  // All of them in the text format, families by name.
  // Source: Prometheus, "Exposition formats", text-based format 0.0.4.
  std::string Text() const;

 private:
  enum class Kind { kCounter, kGauge, kHistogram };
  struct Series {
    std::string labels;  // `a="b",c="d"`, escaped
    std::unique_ptr<vitalake::Counter> counter;
    std::unique_ptr<vitalake::Gauge> gauge;
    std::unique_ptr<vitalake::Histogram> histogram;
  };
  struct Family {
    Kind kind = Kind::kCounter;
    std::string help;
    std::map<std::string, Series> series;  // by labels
  };

  Series& Find(std::string_view name, std::string_view help, Kind kind, const Labels& labels);
  static void AppendSeries(std::string& out, const std::string& name, const Series& series);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

// Bounds for durations of work on tables, in seconds.
const std::vector<double>& DurationBounds();

}  // namespace vitalake
