// ActionDesk: where people's requests meet the monitors of this process.
//
// A request is a row of ops.action first (alerts/action_log.h); then the monitors are woken, and
// whichever watches the partition takes it up and says what came of it. One that no monitor here
// answers stays in the table for the process that gets the partition.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/alerts/action_log.h"
#include "lake/lake.h"

namespace vitalake::ingest {

// Thread-safe.
class ActionDesk {
 public:
  explicit ActionDesk(lake::Lake& lake) : lake_(lake) {}

  // -- who asks --
  // Records the request, then wakes the monitors; its id. Errors are those of the commit.
  Result<std::string> Ask(RecordedAction request, const Wait& wait);
  // What a monitor said: ok, or why it could not obey. nullopt: none said anything in time.
  std::optional<Status> AwaitAnswer(const std::string& request, std::chrono::nanoseconds patience,
                                    const std::stop_token& stop);

  // -- who answers --
  // Calls `nudge` at each request until the result goes.
  [[nodiscard]] std::shared_ptr<void> Join(std::function<void()> nudge);
  // Grows with each request.
  uint64_t asked() const { return asked_; }
  void Answer(const std::string& request, Status said);

 private:
  lake::Lake& lake_;
  std::atomic<uint64_t> asked_ = 0;
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::map<uint64_t, std::function<void()>> nudges_;
  uint64_t next_ = 0;
  std::map<std::string, Status> answers_;
  std::deque<std::string> order_;  // of answers_, the oldest first
};

}  // namespace vitalake::ingest
