#include "ingest/alerts/feed.h"

#include <algorithm>
#include <iterator>

namespace vitalake::ingest {

std::vector<std::shared_ptr<const PublishedAlert>> AlertFeed::Subscription::Take(
    std::chrono::nanoseconds patience, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, patience, [&] { return !queue_.empty(); });
  std::vector<std::shared_ptr<const PublishedAlert>> taken;
  std::ranges::move(queue_, std::back_inserter(taken));
  queue_.clear();
  return taken;
}

int64_t AlertFeed::Subscription::missed() const {
  const std::lock_guard lock(mutex_);
  return missed_;
}

void AlertFeed::Subscription::Push(const std::shared_ptr<const PublishedAlert>& alert) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() == most_) {
    queue_.pop_front();
    ++missed_;
  }
  queue_.push_back(alert);
  changed_.notify_one();
}

std::shared_ptr<AlertFeed::Subscription> AlertFeed::Subscribe(size_t most) {
  auto subscription = std::make_shared<Subscription>(std::max<size_t>(most, 1));
  const std::lock_guard lock(mutex_);
  subscriptions_.push_back(subscription);
  return subscription;
}

void AlertFeed::Listen(std::function<void(std::span<const PublishedAlert>)> told) {
  const std::lock_guard lock(mutex_);
  told_ = std::move(told);
}

void AlertFeed::Publish(std::span<const PublishedAlert> alerts) {
  if (alerts.empty()) return;
  const std::lock_guard lock(mutex_);
  published_ += static_cast<int64_t>(alerts.size());
  if (told_) told_(alerts);
  std::erase_if(subscriptions_, [](const auto& one) { return one.expired(); });
  if (subscriptions_.empty()) return;
  for (const PublishedAlert& alert : alerts) {
    const auto shared = std::make_shared<const PublishedAlert>(alert);
    for (const auto& one : subscriptions_) {
      if (const auto subscription = one.lock()) subscription->Push(shared);
    }
  }
}

int64_t AlertFeed::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace vitalake::ingest
