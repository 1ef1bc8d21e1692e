// Health: is this process of use? For /readyz, which never waits: a thread of its own looks, and
// what it found is only believed while it is fresh. So an engine or a disk that hangs shows, too.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"

namespace vitalake::serve {

struct HealthCheck {
  std::string name;  // "lake", "engine", "stream vitals"
  std::function<Status(const Wait& wait)> look;
  // What is to be said of it although it is good; never waits.
  std::function<std::string()> remark = {};
};

struct HealthState {
  struct Item {
    std::string name;
    std::string fault;        // empty: good
    std::string remark = {};  // empty: none
  };
  bool ready = false;
  std::vector<Item> items;
};

// Thread-safe. Looks every `every`; each look has `patience` in all.
class Health {
 public:
  Health(Clock& clock, std::vector<HealthCheck> checks, std::chrono::milliseconds every,
         std::chrono::milliseconds patience);
  ~Health();

  HealthState state() const;
  // {"ready":true,"checks":[{"name":"lake","ok":true},
  //  {"name":"stream vitals","ok":true,"remark":"no broker answers at ..."},...]}
  static std::string Json(const HealthState& state);

 private:
  void Run(const std::stop_token& stop);
  void LookOnce(const std::stop_token& stop);

  Clock& clock_;
  const std::vector<HealthCheck> checks_;
  const std::chrono::milliseconds every_, patience_;
  mutable std::mutex mutex_;
  std::vector<HealthState::Item> found_;
  std::chrono::nanoseconds found_at_;  // of the last whole look
  std::string looking_at_ = "the first look";
  std::jthread thread_;
};

}  // namespace vitalake::serve
