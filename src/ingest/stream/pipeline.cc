#include "ingest/stream/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/log.h"
#include "ingest/bronze_stream.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

// Polled and not yet decoded, at most.
constexpr int64_t kQueueBytes = 64 << 20;
constexpr size_t kPollMessages = 10'000;
constexpr auto kPollPatience = 100ms;
// How long a poll waits for room before the source is paused (which throws away what a client has
// fetched ahead).
constexpr auto kRoomPatience = 5s;
// How long a partition that leaves may finish its batch.
constexpr auto kLeavePatience = 10s;
constexpr auto kCommitPatience = 10min;
constexpr auto kFirstPause = 500ms;
constexpr auto kLongestPause = 30s;
// The same trouble is told so often.
constexpr auto kTroubleEvery = 30s;
constexpr std::chrono::nanoseconds kIdleAfter = 1s;
// Messages older than this when they are handed over, and more behind them: it is catching up.
constexpr Micros kBehind = 10'000'000;
// Decoded at a time: the watch sees no more than this late.
constexpr size_t kPieceMessages = 10'000;
constexpr int64_t kPieceBytes = 16 << 20;

}  // namespace

StreamPipeline::StreamPipeline(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                               StreamSettings settings, const BatchLimits& limits,
                               StreamSource& source, StreamWatch* watch,
                               std::function<void(const StreamProgress&)> committed)
    : lake_(lake),
      settings_([&] {
        settings.watched = watch != nullptr;
        if (watch != nullptr) {
          settings.in_bronze = [watch](const MessageRanges& ranges) { watch->InBronze(ranges); };
        }
        return std::move(settings);
      }()),
      limits_(limits),
      source_(source),
      watch_(watch),
      queue_(kQueueBytes),
      committer_(lake, settings_, views, source, watch,
                 {std::move(committed), [this] { queue_.Nudge(); }}) {}

void StreamPipeline::Nudge() {
  asked_ = true;
  queue_.Nudge();
}

Wait StreamPipeline::CommitWait() const { return Wait::For(lake_.clock(), kCommitPatience); }

// -- the polling thread --------------------------------------------------------------------------

Result<std::vector<int64_t>> StreamPipeline::Assigned(std::span<const PartitionOffer> offers) {
  std::vector<int64_t> starts;
  std::vector<int32_t> partitions;
  for (const PartitionOffer& offer : offers) {
    VL_TRY(StreamStart start, FindStart(lake_, settings_.name, source_.topic(), offer));
    starts.push_back(start.offset);
    partitions.push_back(offer.partition);
    log::Info("stream {}: reading {}/{} from {}", settings_.name, source_.topic(), offer.partition,
              start.offset == StreamSource::kFromBeginning ? "its beginning"
                                                           : fmt::to_string(start.offset));
    const std::lock_guard lock(mutex_);
    planned_.insert_or_assign(offer.partition, std::move(start));
  }
  queue_.Begin(partitions);
  return starts;
}

void StreamPipeline::Revoked(std::span<const int32_t> partitions) {
  for (const int32_t partition : partitions) {
    log::Info("stream {}: {}/{} goes to another process", settings_.name, source_.topic(),
              partition);
  }
  queue_.End(partitions, kLeavePatience);
}

void StreamPipeline::Trouble(const Error& error) {
  const std::string text = error.ToString();
  const auto now = lake_.clock().Steady();
  if (text == last_trouble_ && now - trouble_at_ < kTroubleEvery) return;
  last_trouble_ = text;
  trouble_at_ = now;
  log::Warn("stream {}: {}", settings_.name, text);
}

Status StreamPipeline::Poll(const std::stop_token& stop) {
  bool paused = false;
  std::vector<StreamMessage> messages;
  while (!stop.stop_requested()) {
    const bool room = queue_.AwaitRoom(paused ? 0ms : kRoomPatience);
    if (room == paused) {
      room ? source_.Resume() : source_.Pause();
      paused = !room;
    }
    const StreamQueue::Turn turn = queue_.NextTurn();
    for (const auto& [partition, offset] : turn.seeks) {
      VL_RETURN_IF_ERROR(source_.Seek(partition, offset));
    }
    messages.clear();
    VL_RETURN_IF_ERROR(source_.Poll(*this, messages, kPollMessages, kPollPatience));
    if (!messages.empty()) queue_.Push(std::move(messages), turn.tickets);
  }
  return {};
}

// -- the decoding thread -------------------------------------------------------------------------

Status StreamPipeline::Prepare(Held& held) {
  held.fresh = true;
  StreamWriter& writer = committer_.writer();
  if (auto done = writer.Follow(held.partition, CommitWait()); !done) {
    if (done.error().kind != ErrorKind::kCorrupt) return done;
    held.stopped = true;
    log::Fault("stream {}: {} is stopped: {}", settings_.name, held.partition.AppId(),
               done.error().ToString());
    return {};
  }
  const auto position = writer.position(held.partition);
  held.next = position.value_or(held.begin);
  committer_.Hold(held.partition);
  if (watch_ == nullptr) return {};
  if (auto begun = watch_->Begin(held.partition, position, CommitWait()); !begun) {
    log::Fault("stream {}: {} is not watched: {}", settings_.name, held.partition.AppId(),
               begun.error().ToString());
  }
  return {};
}

void StreamPipeline::Leave(int32_t partition) {
  const auto held = held_.find(partition);
  if (held == held_.end()) return;
  if (watch_ != nullptr && !held->second.stopped) watch_->End(held->second.partition);
  committer_.writer().Forget(held->second.partition);
  committer_.Drop(partition);
  held_.erase(held);
}

Result<bool> StreamPipeline::IsSameTopic(Held& held, const StreamMessage& message) {
  VL_TRY(const StreamBatch last,
         ReadFromBronze(lake_, {held.partition, message.offset, message.offset + 1}, 1, 1,
                        CommitWait()));
  // A position without a message of ours before it (a mark, or nothing at all) tells nothing.
  if (last.messages.empty() || last.messages.front().payload == message.payload) return true;
  VL_RETURN_IF_ERROR(CommitOpen());
  if (watch_ != nullptr) watch_->End(held.partition);
  committer_.writer().Forget(held.partition);
  ++held.partition.epoch;
  held.begin = 0;
  log::Warn("stream {}: {}/{} has another message at {}: it was made anew; epoch {} begins",
            settings_.name, held.partition.topic, held.partition.partition, message.offset,
            held.partition.epoch);
  VL_RETURN_IF_ERROR(Prepare(held));
  queue_.Restart(held.partition.partition, StreamSource::kFromBeginning);
  return false;
}

Result<StreamBatch> StreamPipeline::Accept(std::vector<StreamMessage> messages) {
  StreamBatch piece;
  std::set<int32_t> renewed;
  for (StreamMessage& message : messages) {
    const auto found = held_.find(message.partition);
    if (found == held_.end() || found->second.stopped || renewed.contains(message.partition)) {
      continue;
    }
    Held& held = found->second;
    if (message.offset < held.next) {  // given twice, or to show that it is still there
      if (!held.fresh || message.offset != held.next - 1) continue;
      VL_TRY(const bool same, IsSameTopic(held, message));
      if (!same) renewed.insert(message.partition);
      continue;
    }
    const auto range =
        piece.ranges
            .try_emplace(message.partition, MessageRange{held.partition, held.next, held.next})
            .first;
    range->second.end = held.next = message.offset + 1;
    held.fresh = false;
    piece.bytes += static_cast<int64_t>(message.payload.size());
    piece.messages.push_back(std::move(message));
  }
  return piece;
}

Status StreamPipeline::Stage(std::vector<StreamMessage> messages) {
  VL_TRY(StreamBatch piece, Accept(std::move(messages)));
  if (piece.messages.empty()) return {};
  if (!open_) {
    std::vector<StreamPartition> partitions;
    for (const auto& [_, held] : held_) partitions.push_back(held.partition);
    VL_TRY(open_, committer_.writer().OpenBatch(partitions));
    due_at_ = DueAt();
  }
  VL_RETURN_IF_ERROR(open_->Stage(piece, CommitWait()));
  if (watch_ != nullptr) {
    VL_RETURN_IF_ERROR(watch_->Observe(piece, open_->stage(), CommitWait()));
  }
  open_->Append(std::move(piece));
  return watch_ != nullptr && watch_->AwaitsBronze() ? Hasten() : Status();
}

Status StreamPipeline::Hasten() {
  due_at_ = std::min(due_at_, lake_.clock().Steady());
  if (!committer_.AwaitBronze()) return {};  // its error comes first
  return committer_.writer().KeepInBronze(*open_, CommitWait());
}

std::chrono::nanoseconds StreamPipeline::DueAt() const {
  const auto now = lake_.clock().Steady();
  if (!limits_.at_once) return now + limits_.every;
  return handed_over_at_ ? *handed_over_at_ + limits_.every : now;
}

bool StreamPipeline::IsFull() const {
  return open_->batch().messages.size() >= limits_.rows || open_->batch().bytes >= limits_.bytes;
}

// Where messages come as fast as they are committed there is always one more: what tells is how
// many they are, where the source knows, and how old.
bool StreamPipeline::IsCatchingUp() const {
  if (IsFull() || queue_.full()) return true;
  const int64_t waiting = source_.Waiting().value_or(0);
  if (waiting >= static_cast<int64_t>(limits_.rows)) return true;
  const Micros received = open_->batch().messages.back().received_at;
  return (waiting > 0 || !queue_.empty()) && lake_.clock().NowMicros() - received > kBehind;
}

bool StreamPipeline::IsDue() const { return IsFull() || lake_.clock().Steady() >= due_at_; }

Status StreamPipeline::HandOver() {
  const bool idle = committer_.idle();
  if (idle) VL_RETURN_IF_ERROR(committer_.Await());
  if (!open_) {
    if (idle && committer_.IsUpkeepDue()) committer_.Start(StreamCommitter::Upkeep::kDue);
    return {};
  }
  if (!IsDue() || (!idle && !IsFull())) return {};
  VL_RETURN_IF_ERROR(committer_.Await());
  using More = StreamCommitter::More;
  const More more = IsCatchingUp() ? More::kWaits : More::kNo;
  handed_over_at_ = lake_.clock().Steady();
  committer_.Start(std::move(open_), more);
  return {};
}

Status StreamPipeline::CommitOpen() {
  VL_RETURN_IF_ERROR(committer_.Await());
  if (!open_) return {};
  committer_.Start(std::move(open_), StreamCommitter::More::kNo);
  return committer_.Await();
}

std::chrono::nanoseconds StreamPipeline::Patience() const {
  if (!open_ || !committer_.idle()) return kIdleAfter;
  return std::clamp<std::chrono::nanoseconds>(due_at_ - lake_.clock().Steady(), 0s, kIdleAfter);
}

Status StreamPipeline::Turn(StreamQueue::Batch taken) {
  Status settled;
  if (!taken.begun.empty() || !taken.ended.empty() || taken.closed) settled = CommitOpen();
  for (const int32_t partition : taken.ended) Leave(partition);
  for (const int32_t partition : taken.begun) {
    const std::lock_guard lock(mutex_);
    const StreamStart& start = planned_.at(partition);
    // Held already, and made anew: the epoch before is over.
    if (const auto old = held_.find(partition);
        old != held_.end() && old->second.partition.epoch != start.partition.epoch) {
      Leave(partition);
    }
    held_.insert_or_assign(partition, Held{start.partition, start.begin});
  }
  VL_RETURN_IF_ERROR(std::move(settled));
  for (const int32_t partition : taken.begun) VL_RETURN_IF_ERROR(Prepare(held_.at(partition)));
  if (taken.closed) {
    committer_.Start(StreamCommitter::Upkeep::kAll);
    return committer_.Await();
  }
  const auto now = lake_.clock().Steady();
  if (!taken.messages.empty()) {
    heard_at_ = now;
    VL_RETURN_IF_ERROR(Stage(std::move(taken.messages)));
  } else if (asked_.exchange(false) || now - heard_at_ >= kIdleAfter) {
    heard_at_ = now;
    if (watch_ != nullptr) {
      VL_RETURN_IF_ERROR(watch_->Idle(lake_.clock().NowMicros(), CommitWait()));
    }
  }
  return HandOver();
}

bool StreamPipeline::Recover(Error error) {
  open_.reset();
  if (auto other = committer_.Await(); !other) {
    log::Debug("stream {}: {}", settings_.name, other.error().ToString());
  }
  auto pause = std::chrono::milliseconds(kFirstPause);
  for (bool first = true;; first = false) {
    if (first && error.kind == ErrorKind::kConflict) {
      log::Info("stream {}: {}: reading the positions anew", settings_.name, error.ToString());
    } else {
      log::Fault("stream {}: {}; trying again in {:.1f} s, nothing is lost", settings_.name,
                 error.ToString(), static_cast<double>(pause.count()) / 1000);
      queue_.Pause(pause);
      pause = std::min<std::chrono::milliseconds>(pause * 2, kLongestPause);
    }
    if (queue_.closed()) return false;
    const auto again = [&]() -> Status {
      for (auto& [partition, held] : held_) {
        VL_RETURN_IF_ERROR(Prepare(held));
        queue_.Restart(partition, held.next);
      }
      return {};
    }();
    if (again) return true;
    error = again.error();
  }
}

void StreamPipeline::FinishLeftovers() {
  StreamWriter& writer = committer_.writer();
  const auto finish = [&](const StreamPartition& partition) -> Status {
    VL_RETURN_IF_ERROR(writer.Follow(partition, CommitWait()));
    return writer.FlushLedger(CommitWait());
  };
  auto bronze = lake_.Latest(kBronzeStream);
  if (!bronze) return;  // the first batch tells
  for (const StreamPartition& partition : PartitionsIn(**bronze, settings_.name, source_.topic())) {
    if (auto done = finish(partition); !done) {
      // A live process may be at work there; else it is tried again with the partition.
      log::Info("stream {}: {}: {}", settings_.name, partition.AppId(), done.error().ToString());
    }
    writer.Forget(partition);
  }
}

Status StreamPipeline::Decode() {
  FinishLeftovers();
  if (settings_.started) VL_RETURN_IF_ERROR(settings_.started());
  heard_at_ = lake_.clock().Steady();
  for (;;) {
    StreamQueue::Batch taken = queue_.Take(kPieceMessages, kPieceBytes, Patience());
    const bool closed = taken.closed;
    if (auto done = Turn(std::move(taken)); !done) {
      if (!Recover(done.error())) {
        // Being drained: what another process has taken over is its to finish.
        return done.error().kind == ErrorKind::kConflict ? Status() : done;
      }
    } else if (closed) {
      while (!held_.empty()) Leave(held_.begin()->first);
      return {};
    }
  }
}

Status StreamPipeline::Run(std::stop_token stop) {
  Status polled;
  // Ends the polling when the rest is done for.
  std::stop_source ended;
  const std::stop_callback forward(stop, [&] { ended.request_stop(); });
  std::jthread polling([&] {
    polled = Poll(ended.get_token());
    queue_.Close();
  });
  Status decoded = Decode();
  ended.request_stop();
  polling.join();
  VL_RETURN_IF_ERROR(std::move(polled));
  return decoded;
}

}  // namespace vitalake::ingest
