#include "ingest/post_box.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace vitalake::ingest {
namespace {

using Kind = PostAnswer::Kind;

// What a message takes beside its payload.
constexpr int64_t kEntryBytes = 256;

}  // namespace

void PostBox::Post(std::string payload, std::string key, Done done) {
  const Hash128 hash = HashBytes(payload);
  std::optional<PostAnswer> answer;
  {
    std::unique_lock lock(mutex_);
    const int64_t size = static_cast<int64_t>(payload.size()) + kEntryBytes;
    const auto now = clock_.Steady();
    if (!key.empty() && known_.contains(key)) {
      answer = AnswerKnown(lock, hash, key, done);
      if (!answer) return;
    } else if (!open_) {
      answer = PostAnswer{Kind::kClosed};
    } else if (Oldest() != nullptr && now - Oldest()->posted > limits_.trouble) {
      answer = PostAnswer{Kind::kTrouble};
    } else if (waiting_.size() + under_way_.size() >= limits_.messages ||
               (bytes_ > 0 && bytes_ + size > limits_.bytes)) {
      answer = PostAnswer{Kind::kFull};
    } else {
      auto entry = std::make_shared<Entry>();
      entry->payload = std::move(payload);
      entry->key = std::move(key);
      entry->hash = hash;
      entry->received_at = clock_.NowMicros();
      entry->posted = now;
      entry->waiters.push_back(std::move(done));
      bytes_ += size;
      if (!entry->key.empty()) Remember(entry->key, {entry->received_at, entry});
      waiting_.push_back(std::move(entry));
      changed_.notify_all();
      return;
    }
  }
  done(std::move(*answer));
}

std::optional<PostAnswer> PostBox::AnswerKnown(std::unique_lock<std::mutex>& lock, Hash128 hash,
                                               const std::string& key, Done& done) {
  const Known& known = known_.at(key);
  const auto answer = [&](const Told& told) {
    return told.bytes == hash ? PostAnswer{Kind::kTaken, told.outcome, true}
                              : PostAnswer{Kind::kReused};
  };
  if (known.told) return answer(*known.told);
  if (known.entry) {
    if (known.entry->hash != hash) return PostAnswer{Kind::kReused};
    known.entry->waiters.push_back(std::move(done));
    return std::nullopt;
  }
  if (!recall_) return PostAnswer{Kind::kClosed};
  const Kept kept = *known.kept;
  const Recall recall = recall_;
  lock.unlock();
  const auto told = recall(kept);
  if (told) return answer(*told);
  log::Warn("an earlier message cannot be told about: {}", told.error().ToString());
  return PostAnswer{Kind::kUnknown};
}

void PostBox::Remember(const std::string& key, Known known) {
  ForgetOld();
  by_age_.emplace_back(known.time, key);
  known_.insert_or_assign(key, std::move(known));
}

void PostBox::ForgetOld() {
  const Micros oldest =
      clock_.NowMicros() - std::chrono::duration_cast<std::chrono::microseconds>(kKeyTime).count();
  while (!by_age_.empty() && (by_age_.front().first < oldest || by_age_.size() >= kKeys)) {
    const auto known = known_.find(by_age_.front().second);
    // A key that was given anew after it was forgotten has a younger mark behind.
    if (known != known_.end() && known->second.time == by_age_.front().first) known_.erase(known);
    by_age_.pop_front();
  }
}

void PostBox::Open(std::vector<Kept> kept, Recall recall) {
  const std::lock_guard lock(mutex_);
  std::ranges::sort(kept, {}, &Kept::received_at);
  for (Kept& one : kept) {
    const std::string key = one.key;
    Known known{one.received_at};
    known.kept = std::move(one);
    Remember(key, std::move(known));
  }
  recall_ = std::move(recall);
  open_ = true;
}

void PostBox::Drop(const Entry& entry) {
  bytes_ -= static_cast<int64_t>(entry.payload.size()) + kEntryBytes;
}

void PostBox::Refuse() {
  std::deque<std::shared_ptr<Entry>> refused;
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    refused.swap(waiting_);
    for (const auto& entry : refused) {
      Drop(*entry);
      if (!entry->key.empty()) known_.erase(entry->key);
    }
    changed_.notify_all();
  }
  for (const auto& entry : refused) {
    for (const Done& done : entry->waiters) done({Kind::kClosed});
  }
}

void PostBox::Close() {
  Refuse();
  std::map<int64_t, std::shared_ptr<Entry>> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(under_way_);
    for (const auto& [_, entry] : left) {
      Drop(*entry);
      if (!entry->key.empty()) known_.erase(entry->key);
    }
    recall_ = nullptr;
  }
  for (const auto& [_, entry] : left) {
    for (const Done& done : entry->waiters) done({Kind::kUnknown});
  }
}

void PostBox::Begin(int32_t partition, int64_t offset) {
  const std::lock_guard lock(mutex_);
  partition_ = partition;
  next_ = offset;
}

void PostBox::Take(std::vector<StreamMessage>& into, size_t most,
                   std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return !waiting_.empty(); })) return;
  while (!waiting_.empty() && into.size() < most) {
    std::shared_ptr<Entry> entry = std::move(waiting_.front());
    waiting_.pop_front();
    into.push_back({partition_, next_, entry->received_at, {}, entry->payload, entry->key});
    under_way_.emplace(next_++, std::move(entry));
  }
}

void PostBox::Rewind(int64_t offset) {
  const std::lock_guard lock(mutex_);
  while (!under_way_.empty() && under_way_.rbegin()->first >= offset) {
    waiting_.push_front(std::move(std::prev(under_way_.end())->second));
    under_way_.erase(std::prev(under_way_.end()));
  }
  next_ = offset;
  changed_.notify_all();
}

void PostBox::Settled(const std::vector<MessageOutcome>& outcomes) {
  std::vector<std::pair<std::shared_ptr<Entry>, const MessageOutcome*>> settled;
  {
    const std::lock_guard lock(mutex_);
    for (const MessageOutcome& outcome : outcomes) {
      const auto found = under_way_.find(outcome.offset);
      if (found == under_way_.end() || outcome.partition.partition != partition_) continue;
      const std::shared_ptr<Entry> entry = std::move(found->second);
      under_way_.erase(found);
      Drop(*entry);
      if (const auto known = known_.find(entry->key); known != known_.end()) {
        known->second.entry.reset();
        // A long answer is not worth its memory.
        if (outcome.refused.empty()) {
          known->second.told = {entry->hash, outcome};
        } else {
          known->second.kept = {entry->key, outcome.partition.AppId(), outcome.offset,
                                entry->received_at};
        }
      }
      settled.emplace_back(entry, &outcome);
    }
  }
  for (const auto& [entry, outcome] : settled) {
    bool again = false;
    for (const Done& done : entry->waiters) {
      done({Kind::kTaken, *outcome, std::exchange(again, true)});
    }
  }
}

const PostBox::Entry* PostBox::Oldest() const {
  if (!under_way_.empty()) return under_way_.begin()->second.get();
  return waiting_.empty() ? nullptr : waiting_.front().get();
}

PostBox::Load PostBox::load() const {
  const std::lock_guard lock(mutex_);
  Load load;
  load.waiting = static_cast<int64_t>(waiting_.size());
  load.messages = load.waiting + static_cast<int64_t>(under_way_.size());
  load.bytes = bytes_;
  if (const Entry* const oldest = Oldest()) load.oldest = clock_.Steady() - oldest->posted;
  return load;
}

}  // namespace vitalake::ingest
