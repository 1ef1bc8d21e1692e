// BodyQueue: what lies between the producers of a BodyStream and the connection that sends it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <vector>

#include "serve/http/body_stream.h"

namespace vitalake::serve {

// Bytes of all streams of a server.
struct StreamBudget {
  explicit StreamBudget(int64_t most_bytes) : most(most_bytes) {}
  const int64_t most;
  std::atomic<int64_t> used = 0;
};

// Thread-safe.
class BodyQueue {
 public:
  // `wake` tells the connection that there is something to do, once until its next Take. It is
  // called on any thread and must not call back.
  BodyQueue(StreamLimits limits, Clock& clock, std::shared_ptr<StreamBudget> budget,
            std::function<void()> wake);
  // Of an answer that nobody waits for any more.
  static std::shared_ptr<BodyQueue> Gone();
  ~BodyQueue();

  // -- producers: as BodyStream --
  BodyStream::Sent TrySend(SharedPiece piece);
  Status Send(SharedPiece piece, const Wait& wait);
  void End(HeaderList trailers = {});
  void CutOff();
  // The last producer goes: without an End it is cut off.
  void Abandon();
  size_t waiting_bytes() const;
  std::stop_token gone_token() const { return gone_.get_token(); }

  // -- the connection --
  const StreamLimits& limits() const { return limits_; }
  struct Taken {
    std::vector<SharedPiece> pieces;
    bool ended = false;  // and these are the last
    HeaderList trailers = {};
  };
  // Whether to close at once.
  bool is_cut_off() const;
  // The next pieces, about `most` bytes; they count as waiting until the next call.
  Taken Take(size_t most);
  // The server ends: what waits is sent, producers are gone.
  void EndAtDrain();
  // The client is gone: producers hear of it, and `wake` is not called any more.
  void Leave();

 private:
  bool HasRoom(size_t bytes) const;  // under mutex_, as what follows
  void Put(SharedPiece piece);
  void Wake();
  void Release(int64_t bytes);
  void DropAll();

  const StreamLimits limits_;
  Clock& clock_;
  const std::shared_ptr<StreamBudget> budget_;
  std::stop_source gone_;

  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::condition_variable_any changed_;
  std::deque<SharedPiece> pieces_;
  HeaderList trailers_;
  size_t waiting_ = 0;  // bytes of pieces_ and of what is being sent
  size_t sending_ = 0;
  bool woken_ = false;
  bool ended_ = false;
  bool cut_off_ = false;
};

}  // namespace vitalake::serve
