#include "ingest/stream/queue.h"

#include <algorithm>
#include <utility>

namespace vitalake::ingest {
namespace {

// What a message takes beside its payload.
constexpr int64_t kQueuedEntryBytes = 128;

int64_t BytesOf(const StreamMessage& message) {
  return static_cast<int64_t>(message.payload.size() + message.key.size()) + kQueuedEntryBytes;
}

}  // namespace

bool StreamQueue::AwaitRoom(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return bytes_ < most_bytes_ || closed_; });
}

StreamQueue::Turn StreamQueue::NextTurn() {
  const std::lock_guard lock(mutex_);
  return {std::exchange(seeks_, {}), tickets_};
}

void StreamQueue::Push(std::vector<StreamMessage> messages, const Tickets& tickets) {
  const std::lock_guard lock(mutex_);
  for (StreamMessage& message : messages) {
    const auto polled = tickets.find(message.partition);
    const auto now = tickets_.find(message.partition);
    if (now == tickets_.end() || polled == tickets.end() || polled->second != now->second) continue;
    bytes_ += BytesOf(message);
    entries_.push_back(std::move(message));
  }
  changed_.notify_all();
}

void StreamQueue::Begin(std::span<const int32_t> partitions) {
  const std::lock_guard lock(mutex_);
  for (const int32_t partition : partitions) {
    Drop(partition);
    seeks_.erase(partition);
    tickets_[partition] = ++last_ticket_;
    std::erase(ended_, partition);
    if (std::ranges::find(begun_, partition) == begun_.end()) begun_.push_back(partition);
  }
  changed_.notify_all();
}

void StreamQueue::End(std::span<const int32_t> partitions, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  for (const int32_t partition : partitions) {
    Drop(partition);
    tickets_.erase(partition);
    seeks_.erase(partition);
    std::erase(begun_, partition);
    ended_.push_back(partition);
  }
  changed_.notify_all();
  changed_.wait_for(lock, patience, [&] { return (ended_.empty() && !parting_) || closed_; });
}

void StreamQueue::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

StreamQueue::Batch StreamQueue::Take(size_t most, int64_t most_bytes,
                                     std::chrono::nanoseconds patience) {
  std::unique_lock lock(mutex_);
  parting_ = false;
  changed_.notify_all();
  changed_.wait_for(lock, patience, [&] {
    return !entries_.empty() || !begun_.empty() || !ended_.empty() || closed_ || nudged_;
  });
  nudged_ = false;
  Batch batch;
  batch.begun = std::exchange(begun_, {});
  batch.ended = std::exchange(ended_, {});
  int64_t bytes = 0;
  while (!entries_.empty() && batch.messages.size() < most && bytes < most_bytes) {
    const int64_t size = BytesOf(entries_.front());
    bytes_ -= size;
    bytes += size;
    batch.messages.push_back(std::move(entries_.front()));
    entries_.pop_front();
  }
  batch.closed = closed_ && entries_.empty() && batch.messages.empty();
  parting_ = !batch.ended.empty();
  changed_.notify_all();
  return batch;
}

void StreamQueue::Nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  changed_.notify_all();
}

void StreamQueue::Restart(int32_t partition, int64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto found = tickets_.find(partition);
  if (found == tickets_.end()) return;
  Drop(partition);
  found->second = ++last_ticket_;
  seeks_[partition] = offset;
  changed_.notify_all();
}

std::vector<int32_t> StreamQueue::partitions() const {
  const std::lock_guard lock(mutex_);
  std::vector<int32_t> all;
  for (const auto& [partition, _] : tickets_) all.push_back(partition);
  return all;
}

void StreamQueue::Pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [&] { return closed_; });
}

bool StreamQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

bool StreamQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

bool StreamQueue::full() const {
  const std::lock_guard lock(mutex_);
  return bytes_ >= most_bytes_;
}

void StreamQueue::Drop(int32_t partition) {
  std::erase_if(entries_, [&](const StreamMessage& message) {
    if (message.partition != partition) return false;
    bytes_ -= BytesOf(message);
    return true;
  });
}

}  // namespace vitalake::ingest
