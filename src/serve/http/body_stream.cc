#include "serve/http/body_stream.h"

#include <algorithm>

#include "serve/http/body_queue_internal.h"

namespace vitalake::serve {
namespace {

// How long a producer that waits for room sleeps at most before it looks at its deadline: the clock
// may be a simulated one.
constexpr std::chrono::milliseconds kLookEvery{50};

}  // namespace

BodyQueue::BodyQueue(StreamLimits limits, Clock& clock, std::shared_ptr<StreamBudget> budget,
                     std::function<void()> wake)
    : limits_(std::move(limits)),
      clock_(clock),
      budget_(std::move(budget)),
      wake_(std::move(wake)) {}

std::shared_ptr<BodyQueue> BodyQueue::Gone() {
  static SystemClock clock;
  auto queue =
      std::make_shared<BodyQueue>(StreamLimits{}, clock, std::make_shared<StreamBudget>(0), [] {});
  queue->Leave();
  return queue;
}

BodyQueue::~BodyQueue() { Release(static_cast<int64_t>(waiting_)); }

void BodyQueue::Release(int64_t bytes) {
  waiting_ -= static_cast<size_t>(bytes);
  budget_->used -= bytes;
}

bool BodyQueue::HasRoom(size_t bytes) const {
  if (waiting_ == 0) return true;
  return waiting_ + bytes <= limits_.waiting_bytes &&
         budget_->used + static_cast<int64_t>(bytes) <= budget_->most;
}

void BodyQueue::Put(SharedPiece piece) {
  waiting_ += piece->size();
  budget_->used += static_cast<int64_t>(piece->size());
  pieces_.push_back(std::move(piece));
}

BodyStream::Sent BodyQueue::TrySend(SharedPiece piece) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || cut_off_ || gone_.stop_requested()) return BodyStream::Sent::kGone;
    if (piece->empty()) return BodyStream::Sent::kTaken;
    if (!HasRoom(piece->size())) return BodyStream::Sent::kFull;
    Put(std::move(piece));
    Wake();
  }
  return BodyStream::Sent::kTaken;
}

Status BodyQueue::Send(SharedPiece piece, const Wait& wait) {
  for (;;) {
    switch (TrySend(piece)) {
      case BodyStream::Sent::kTaken:
        return {};
      case BodyStream::Sent::kGone:
        return Fail(ErrorKind::kCancelled, "sending an answer: the client is gone");
      case BodyStream::Sent::kFull:
        break;
    }
    VL_RETURN_IF_ERROR(wait.Check(clock_, "sending an answer to a client that is slow to take it"));
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait.stop, kLookEvery, [&] {
      return ended_ || cut_off_ || gone_.stop_requested() || HasRoom(piece->size());
    });
  }
}

void BodyQueue::Wake() {
  if (!std::exchange(woken_, true) && wake_) wake_();
}

void BodyQueue::End(HeaderList trailers) {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    trailers_ = std::move(trailers);
    Wake();
  }
  changed_.notify_all();
}

void BodyQueue::EndAtDrain() {
  End();
  gone_.request_stop();
}

void BodyQueue::DropAll() {
  pieces_.clear();
  Release(static_cast<int64_t>(waiting_));
  sending_ = 0;
}

void BodyQueue::CutOff() {
  {
    const std::lock_guard lock(mutex_);
    cut_off_ = true;
    DropAll();
    woken_ = false;  // also where a wake was for what is being written
    Wake();
  }
  changed_.notify_all();
}

void BodyQueue::Abandon() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
  }
  CutOff();
}

size_t BodyQueue::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

bool BodyQueue::is_cut_off() const {
  const std::lock_guard lock(mutex_);
  return cut_off_;
}

BodyQueue::Taken BodyQueue::Take(size_t most) {
  Taken taken;
  {
    const std::lock_guard lock(mutex_);
    Release(static_cast<int64_t>(std::exchange(sending_, 0)));
    woken_ = false;
    while (!pieces_.empty() && sending_ < most) {
      sending_ += pieces_.front()->size();
      taken.pieces.push_back(std::move(pieces_.front()));
      pieces_.pop_front();
    }
    taken.ended = ended_ && pieces_.empty();
    if (taken.ended) taken.trailers = std::move(trailers_);
  }
  changed_.notify_all();
  return taken;
}

void BodyQueue::Leave() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    wake_ = nullptr;
    DropAll();
  }
  gone_.request_stop();
  changed_.notify_all();
}

// The last copy of a stream goes.
struct BodyStream::Owner {
  explicit Owner(std::shared_ptr<BodyQueue> of) : queue(std::move(of)) {}
  ~Owner() { queue->Abandon(); }
  const std::shared_ptr<BodyQueue> queue;
};

BodyStream::BodyStream(std::shared_ptr<BodyQueue> queue)
    : queue_(std::move(queue)), owner_(std::make_shared<Owner>(queue_)) {}

BodyStream::Sent BodyStream::TrySend(SharedPiece piece) const {
  return queue_->TrySend(std::move(piece));
}

BodyStream::Sent BodyStream::TrySend(std::string piece) const {
  return queue_->TrySend(std::make_shared<const std::string>(std::move(piece)));
}

bool BodyStream::SendOrCut(SharedPiece piece) const {
  const Sent sent = TrySend(std::move(piece));
  if (sent == Sent::kFull) CutOff();
  return sent == Sent::kTaken;
}

Status BodyStream::Send(SharedPiece piece, const Wait& wait) const {
  return queue_->Send(std::move(piece), wait);
}

Status BodyStream::Send(std::string piece, const Wait& wait) const {
  return Send(std::make_shared<const std::string>(std::move(piece)), wait);
}

void BodyStream::End(HeaderList trailers) const { queue_->End(std::move(trailers)); }

void BodyStream::CutOff() const { queue_->CutOff(); }

size_t BodyStream::waiting_bytes() const { return queue_->waiting_bytes(); }

std::stop_token BodyStream::gone_token() const { return queue_->gone_token(); }

}  // namespace vitalake::serve
