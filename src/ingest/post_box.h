// PostBox: messages that callers hand over and wait for, on their way into a stream.
//
// A caller posts a message and is told once what became of it: when bronze and the tables behind it
// have it, or when it is sure that nothing was taken in, or, in between, that this process cannot
// say (kUnknown). Bounded in messages and bytes.
//
//   caller --Post--> waiting --Take, offset--> under way --Settle--> told
//                                   ^--Rewind, after an error--'
//
// A message may carry a key of its sender's. The same key again, with the same bytes, is not taken
// in again: it gets the same answer. Bronze keeps the keys (request_key), so that this holds after
// a restart, too; kKeyTime long, and for the last kKeys keys.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "ingest/message_outcome.h"
#include "ingest/stream/message.h"

namespace vitalake::ingest {

inline constexpr std::chrono::hours kKeyTime{24};
inline constexpr size_t kKeys = 50'000;

struct PostAnswer {
  enum class Kind {
    kTaken,    // `outcome` holds
    kFull,     // not taken: too much waits
    kTrouble,  // not taken: what was posted before has been waiting for long
    kClosed,   // not taken: the stream does not run (yet, or any more)
    kReused,   // not taken: the key was given to other bytes before
    kUnknown,  // may still be taken in, or not: ask again with the same key
  };
  Kind kind = Kind::kClosed;
  MessageOutcome outcome = {};
  bool again = false;  // the key was known: nothing new was taken in
};

// Thread-safe.
class PostBox final : public OutcomeListener {
 public:
  struct Limits {
    size_t messages = 10'000;
    int64_t bytes = 32 << 20;
    // Older messages without an answer mean trouble.
    std::chrono::milliseconds trouble{15'000};
  };
  // A message bronze has under a key.
  struct Kept {
    std::string key;
    std::string app_id;
    int64_t offset = 0;
    Micros received_at = 0;
  };
  // Answers for a kept message, its bytes compared by hash; an error: cannot be told now.
  struct Told {
    Hash128 bytes;
    MessageOutcome outcome;
  };
  using Recall = std::function<Result<Told>(const Kept& kept)>;
  using Done = std::function<void(PostAnswer answer)>;

  PostBox(Clock& clock, const Limits& limits) : clock_(clock), limits_(limits) {}
  ~PostBox() override { Close(); }

  // -- callers --
  // `done` is called once, on any thread, maybe before Post returns. May block while a kept
  // message is recalled.
  void Post(std::string payload, std::string key, Done done);

  // Between Open and Refuse.
  bool is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }

  // -- the stream --
  // Takes posts from now on; `kept` are bronze's keys.
  void Open(std::vector<Kept> kept, Recall recall);
  // No further posts; those that wait are refused, those under way still get their answer.
  void Refuse();
  // No answer will come from the stream any more.
  void Close();

  // The number of our partition, and the offset of the next message that is new to it.
  void Begin(int32_t partition, int64_t offset);
  // Waits up to `patience`, then hands over what waits (at most `most`), each with its offset.
  void Take(std::vector<StreamMessage>& into, size_t most, std::chrono::milliseconds patience);
  // Messages from `offset` on are handed over again, in the same order.
  void Rewind(int64_t offset);
  void Settled(const std::vector<MessageOutcome>& outcomes) override;

  // -- for metrics --
  struct Load {
    int64_t messages = 0;  // waiting or under way
    int64_t waiting = 0;
    int64_t bytes = 0;
    std::chrono::nanoseconds oldest{0};  // age of the oldest of them
  };
  Load load() const;

 private:
  struct Entry {
    std::string payload;
    std::string key;
    Hash128 hash;
    Micros received_at = 0;
    std::chrono::nanoseconds posted{0};
    std::vector<Done> waiters;
  };
  // What is known of a key.
  struct Known {
    Micros time = 0;
    // One of three: under way, told, or to be recalled.
    std::shared_ptr<Entry> entry = nullptr;
    std::optional<Told> told = std::nullopt;
    std::optional<Kept> kept = std::nullopt;
  };

  // An answer for a known key; nullopt: the caller's was queued with the others.
  std::optional<PostAnswer> AnswerKnown(std::unique_lock<std::mutex>& lock, Hash128 hash,
                                        const std::string& key, Done& done);
  void Remember(const std::string& key, Known known);
  void ForgetOld();
  void Drop(const Entry& entry);
  const Entry* Oldest() const;

  Clock& clock_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int32_t partition_ = -1;
  std::deque<std::shared_ptr<Entry>> waiting_;
  std::map<int64_t, std::shared_ptr<Entry>> under_way_;  // by offset
  int64_t next_ = 0;
  int64_t bytes_ = 0;
  Recall recall_;
  std::map<std::string, Known, std::less<>> known_;
  std::deque<std::pair<Micros, std::string>> by_age_;  // of known_, oldest first
};

}  // namespace vitalake::ingest
