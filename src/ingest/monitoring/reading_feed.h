// ReadingFeed: readings of streams as they are judged, for whoever looks on.
//
// What is shown is a sample where more comes than is taken: publishing never waits, holds at most
// 4,096 readings, and costs a count where nobody looks on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"

namespace vitalake::ingest {

struct SeenReading {
  std::optional<Micros> effective;
  Micros received = 0;
  std::string patient, id;
  std::string vital;  // as in alerts
  std::optional<double> value, diastolic;
  std::string level;    // computed interpretation; empty: no rule judged
  std::string quality;  // tokens
  bool alert = false;   // it changed one
  std::string source;   // the stream
  int64_t offset = 0;   // of its message
};

// Thread-safe; one listener.
class ReadingFeed {
 public:
  static constexpr size_t kMost = 4'096;

  // -- who publishes --
  void Count(int64_t readings) { count_ += readings; }
  // Whether somebody looks on.
  bool wanted() const { return wanted_; }
  void Publish(std::vector<SeenReading> readings);

  // -- who looks on --
  int64_t count() const { return count_; }
  void Want(bool wanted) { wanted_ = wanted; }
  struct Taken {
    std::vector<SeenReading> readings;
    int64_t dropped = 0;  // since the last call
  };
  // Waits up to `patience` for some.
  Taken Take(std::chrono::nanoseconds patience, const std::stop_token& stop);

 private:
  std::atomic<int64_t> count_ = 0;
  std::atomic<bool> wanted_ = false;
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::vector<SeenReading> readings_;
  int64_t dropped_ = 0;
};

}  // namespace vitalake::ingest
