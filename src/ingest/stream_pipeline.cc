#include "ingest/stream_pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "ingest/bronze_stream.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

// Polled and not yet taken for a batch, at most.
constexpr int64_t kQueueBytes = 64 << 20;
constexpr size_t kPollMessages = 10'000;
constexpr auto kPollPatience = 100ms;
// How long a poll waits for room before the source is paused.
constexpr auto kRoomPatience = 1s;
// How long a partition that leaves may finish its batch.
constexpr auto kLeavePatience = 10s;
constexpr auto kLedgerEvery = 5s;
constexpr auto kCatchUpEvery = 30s;
constexpr int64_t kCatchUpMessages = 100'000;
constexpr auto kCommitPatience = 10min;
constexpr auto kFirstPause = 500ms;
constexpr auto kLongestPause = 30s;
// The same trouble is told so often.
constexpr auto kTroubleEvery = 30s;

}  // namespace

StreamPipeline::StreamPipeline(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                               StreamSettings settings, const BatchLimits& limits,
                               StreamSource& source,
                               std::function<void(const StreamProgress&)> committed)
    : lake_(lake),
      settings_(std::move(settings)),
      limits_(limits),
      source_(source),
      committed_(std::move(committed)),
      queue_(kQueueBytes),
      writer_(lake, settings_, views) {}

Wait StreamPipeline::CommitWait() { return Wait::For(lake_.clock(), kCommitPatience); }

// -- the polling thread --------------------------------------------------------------------------

Result<int64_t> StreamPipeline::Plan(const PartitionOffer& offer) {
  VL_TRY(const delta::SnapshotPtr bronze, lake_.Latest(kBronzeStream));
  const auto epochs = EpochsIn(*bronze, settings_.name, source_.topic(), offer.partition);
  Held held{{settings_.name, source_.topic(), offer.partition, 0},
            std::max<int64_t>(offer.low, 0),
            std::nullopt,
            false};
  int64_t start = offer.low >= 0 ? offer.low : StreamSource::kFromBeginning;
  if (!epochs.empty()) {
    const auto [epoch, position] = *epochs.rbegin();
    held.partition.epoch = epoch;
    if (offer.high >= 0 && position > offer.high) {
      ++held.partition.epoch;
      log::Warn(
          "stream {}: {}/{} ends at {}, before our position {}: it was made anew; epoch {} "
          "begins",
          settings_.name, source_.topic(), offer.partition, offer.high, position,
          held.partition.epoch);
    } else {
      start = position;
      if (position < offer.low) {
        log::Fault(
            "stream {}: offsets {} to {} of {}/{} are gone at the source before they were "
            "read (its retention passed); going on behind them",
            settings_.name, position, offer.low - 1, source_.topic(), offer.partition);
        start = offer.low;
      }
      // The last message again, to see that it is still the same topic.
      if (offer.counts_messages && offer.low >= 0 && position - 1 >= offer.low) --start;
    }
  }
  const std::lock_guard lock(mutex_);
  planned_.insert_or_assign(offer.partition, std::move(held));
  return start;
}

Result<std::vector<int64_t>> StreamPipeline::Assigned(std::span<const PartitionOffer> offers) {
  std::vector<int64_t> starts;
  std::vector<int32_t> partitions;
  for (const PartitionOffer& offer : offers) {
    VL_TRY(const int64_t start, Plan(offer));
    starts.push_back(start);
    partitions.push_back(offer.partition);
    log::Info("stream {}: reading {}/{} from {}", settings_.name, source_.topic(), offer.partition,
              start == StreamSource::kFromBeginning ? "its beginning" : fmt::to_string(start));
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

// -- the committing thread -----------------------------------------------------------------------

Status StreamPipeline::Prepare(Held& held) {
  held.probe.reset();
  if (auto done = writer_.Follow(held.partition, CommitWait()); !done) {
    if (done.error().kind != ErrorKind::kCorrupt) return done;
    held.stopped = true;
    log::Fault("stream {}: {} is stopped: {}", settings_.name, held.partition.AppId(),
               done.error().ToString());
  }
  return {};
}

Result<bool> StreamPipeline::IsSameTopic(Held& held, const StreamMessage& message) {
  if (!held.probe) {
    VL_TRY(StreamBatch last,
           ReadFromBronze(lake_, {held.partition, message.offset, message.offset + 1}, 1, 1,
                          CommitWait()));
    // A position without a message of ours before it (a mark, or nothing at all) tells nothing.
    if (last.messages.empty()) return true;
    held.probe = std::move(last.messages.front().payload);
  }
  if (*held.probe == message.payload) return true;
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
  StreamBatch batch;
  std::set<int32_t> renewed;
  for (StreamMessage& message : messages) {
    const auto found = held_.find(message.partition);
    if (found == held_.end() || found->second.stopped || renewed.contains(message.partition)) {
      continue;
    }
    Held& held = found->second;
    auto range = batch.ranges.find(message.partition);
    if (range == batch.ranges.end()) {
      const auto position = writer_.position(held.partition);
      if (position && message.offset < *position) {
        if (message.offset != *position - 1) continue;
        VL_TRY(const bool same, IsSameTopic(held, message));
        if (!same) renewed.insert(message.partition);
        continue;
      }
      const int64_t first = position.value_or(held.begin);
      range =
          batch.ranges.emplace(message.partition, MessageRange{held.partition, first, first}).first;
    }
    if (message.offset < range->second.end) continue;  // given twice
    range->second.end = message.offset + 1;
    batch.bytes += static_cast<int64_t>(message.payload.size());
    batch.messages.push_back(std::move(message));
  }
  return batch;
}

Status StreamPipeline::Maintain(bool now) {
  const auto time = lake_.clock().Steady();
  if (!now && time - flushed_at_ < kLedgerEvery) return {};
  flushed_at_ = time;
  VL_RETURN_IF_ERROR(writer_.FlushLedger(CommitWait()));
  const bool all = now || time - caught_up_at_ >= kCatchUpEvery;
  if (all) caught_up_at_ = time;
  VL_RETURN_IF_ERROR(writer_.CatchUp(all ? 1 : kCatchUpMessages, CommitWait()));
  std::map<int32_t, int64_t> next;
  for (const auto& [partition, held] : held_) {
    if (const auto position = writer_.position(held.partition)) next[partition] = *position;
  }
  source_.CommitAdvisory(next);
  return {};
}

Status StreamPipeline::Round(StreamQueue::Batch& taken) {
  for (const int32_t partition : taken.ended) {
    if (const auto held = held_.find(partition); held != held_.end()) {
      writer_.Forget(held->second.partition);
      held_.erase(held);
    }
  }
  for (const int32_t partition : taken.begun) {
    Held held;
    {
      const std::lock_guard lock(mutex_);
      held = planned_.at(partition);
    }
    held_.insert_or_assign(partition, std::move(held));
  }
  for (const int32_t partition : taken.begun) VL_RETURN_IF_ERROR(Prepare(held_.at(partition)));
  VL_TRY(const StreamBatch batch, Accept(std::move(taken.messages)));
  if (!batch.messages.empty()) {
    const auto begin = lake_.clock().Steady();
    VL_RETURN_IF_ERROR(writer_.Write(batch, CommitWait()));
    ++progress_.batches;
    progress_.messages += static_cast<int64_t>(batch.messages.size());
    progress_.outcomes = writer_.outcomes();
    progress_.received_at = batch.messages.back().received_at;
    progress_.commit_seconds =
        std::chrono::duration<double>(lake_.clock().Steady() - begin).count();
    progress_.catching_up =
        batch.messages.size() >= limits_.rows || batch.bytes >= limits_.bytes / 2;
    log::Debug("stream {}: {} messages in {:.3f} s", settings_.name, batch.messages.size(),
               progress_.commit_seconds);
    if (committed_) committed_(progress_);
  }
  return Maintain(taken.closed);
}

bool StreamPipeline::Recover(Error error) {
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
        queue_.Restart(partition, writer_.position(held.partition).value_or(held.begin));
      }
      return {};
    }();
    if (again) return true;
    error = again.error();
  }
}

void StreamPipeline::FinishLeftovers() {
  const auto finish = [&](const StreamPartition& partition) -> Status {
    VL_RETURN_IF_ERROR(writer_.Follow(partition, CommitWait()));
    return writer_.FlushLedger(CommitWait());
  };
  auto bronze = lake_.Latest(kBronzeStream);
  if (!bronze) return;  // the first batch tells
  for (const StreamPartition& partition : PartitionsIn(**bronze, settings_.name, source_.topic())) {
    if (auto done = finish(partition); !done) {
      // A live process may be at work there; else it is tried again with the partition.
      log::Info("stream {}: {}: {}", settings_.name, partition.AppId(), done.error().ToString());
    }
    writer_.Forget(partition);
  }
}

Status StreamPipeline::Commit() {
  FinishLeftovers();
  for (;;) {
    StreamQueue::Batch taken = queue_.Take(limits_, 1s);
    const bool closed = taken.closed;
    if (auto done = Round(taken); !done) {
      if (!Recover(done.error())) {
        // Being drained: what another process has taken over is its to finish.
        return done.error().kind == ErrorKind::kConflict ? Status() : done;
      }
    } else if (closed) {
      return {};
    }
  }
}

Status StreamPipeline::Run(std::stop_token stop) {
  Status polled;
  // Ends the polling when the committing side is done for.
  std::stop_source ended;
  const std::stop_callback forward(stop, [&] { ended.request_stop(); });
  std::jthread polling([&] {
    polled = Poll(ended.get_token());
    queue_.Close();
  });
  Status committed = Commit();
  ended.request_stop();
  polling.join();
  VL_RETURN_IF_ERROR(std::move(polled));
  return committed;
}

}  // namespace vitalake::ingest
