// AlertFeed: alerts to whoever listens, within microseconds of the reading that raised them.
//
// Publishing never waits: each listener has a queue of its own, bounded; one that does not keep up
// loses the oldest and can tell how many. What must not be lost is in ops.alert, and after a crash
// alerts that it lacked come again: listeners know them by alert_id and sequence.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <vector>

#include "ingest/alerts/published_alert.h"

namespace vitalake::ingest {

// Thread-safe.
class AlertFeed {
 public:
  // One listener's. Thread-safe; may outlive the feed.
  class Subscription {
   public:
    explicit Subscription(size_t most) : most_(most) {}
    // What has come since the last call; waits up to `patience` for a first, or until `stop`.
    std::vector<std::shared_ptr<const PublishedAlert>> Take(std::chrono::nanoseconds patience,
                                                            const std::stop_token& stop = {});
    // How many were lost so far.
    int64_t missed() const;

   private:
    friend class AlertFeed;
    void Push(const std::shared_ptr<const PublishedAlert>& alert);

    const size_t most_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::shared_ptr<const PublishedAlert>> queue_;
    int64_t missed_ = 0;
  };

  // Hears what is published from now on, holding at most `most` that were not taken; ends when the
  // last pointer to it goes.
  std::shared_ptr<Subscription> Subscribe(size_t most);
  // `told` gets all that is published, on the publisher's thread: it must not wait. Before the
  // first is.
  void Listen(std::function<void(std::span<const PublishedAlert>)> told);
  void Publish(std::span<const PublishedAlert> alerts);
  int64_t published() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Subscription>> subscriptions_;
  std::function<void(std::span<const PublishedAlert>)> told_;
  int64_t published_ = 0;
};

}  // namespace vitalake::ingest
