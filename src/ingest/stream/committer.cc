#include "ingest/stream/committer.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/turns.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

constexpr auto kUpkeepEvery = 5s;
constexpr auto kCatchUpEvery = 30s;
constexpr int64_t kCatchUpMessages = 100'000;
constexpr auto kCommitPatience = 10min;

}  // namespace

StreamCommitter::StreamCommitter(lake::Lake& lake, const StreamSettings& settings,
                                 const std::vector<lake::SilverView>& views, StreamSource& source,
                                 StreamWatch* watch, Callbacks callbacks)
    : lake_(lake),
      name_(settings.name),
      source_(source),
      watch_(watch),
      callbacks_(std::move(callbacks)),
      writer_(lake, Listening(settings), views),
      flushed_at_(lake.clock().Steady()),
      caught_up_at_(flushed_at_),
      thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

StreamCommitter::~StreamCommitter() = default;

Wait StreamCommitter::CommitWait() const { return Wait::For(lake_.clock(), kCommitPatience); }

bool StreamCommitter::idle() const {
  const std::lock_guard lock(mutex_);
  return !work_;
}

Status StreamCommitter::Await() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !work_; });
  return std::exchange(result_, {});
}

bool StreamCommitter::AwaitBronze() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !work_ || work_->in_bronze; });
  return result_.has_value();
}

// What a batch that is not at work here got into bronze changes nothing: the one at work has got
// there by then.
StreamSettings StreamCommitter::Listening(StreamSettings settings) {
  settings.in_bronze = [this, told = std::move(settings.in_bronze)](const MessageRanges& ranges) {
    if (told) told(ranges);
    const std::lock_guard lock(mutex_);
    if (work_) work_->in_bronze = true;
    changed_.notify_all();
  };
  return settings;
}

void StreamCommitter::Hold(const StreamPartition& partition) {
  held_.insert_or_assign(partition.partition, partition);
}

void StreamCommitter::Drop(int32_t partition) { held_.erase(partition); }

bool StreamCommitter::IsUpkeepDue() const {
  return lake_.clock().Steady() - flushed_at_ >= kUpkeepEvery;
}

void StreamCommitter::Start(std::unique_ptr<StagedBatch> batch, More more) {
  Begin(std::make_unique<Work>(std::move(batch), more, Upkeep::kDue));
}

void StreamCommitter::Start(Upkeep upkeep) {
  Begin(std::make_unique<Work>(nullptr, More::kNo, upkeep));
}

void StreamCommitter::Begin(std::unique_ptr<Work> work) {
  const std::lock_guard lock(mutex_);
  VL_CHECK(!work_);
  work_ = std::move(work);
  changed_.notify_all();
}

void StreamCommitter::Loop(const std::stop_token& stop) {
  TakeUsualTurns();
  for (;;) {
    Work* work;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return work_ != nullptr; })) return;
      work = work_.get();
    }
    Status done = Do(*work);
    work->batch.reset();
    {
      const std::lock_guard lock(mutex_);
      work_.reset();
      result_ = std::move(done);
      changed_.notify_all();
    }
    if (callbacks_.ended) callbacks_.ended();
  }
}

Status StreamCommitter::Do(const Work& work) {
  if (work.batch) VL_RETURN_IF_ERROR(Commit(*work.batch, work.more));
  return KeepUp(work.upkeep);
}

Status StreamCommitter::Commit(StagedBatch& staged, More more) {
  const auto begin = lake_.clock().Steady();
  VL_RETURN_IF_ERROR(writer_.Write(staged, CommitWait()));
  const StreamBatch& batch = staged.batch();
  if (watch_ != nullptr) VL_RETURN_IF_ERROR(watch_->Committed(batch, CommitWait()));
  ++progress_.batches;
  progress_.messages += static_cast<int64_t>(batch.messages.size());
  progress_.outcomes = writer_.outcomes();
  progress_.received_at = batch.messages.back().received_at;
  progress_.commit_seconds = std::chrono::duration<double>(lake_.clock().Steady() - begin).count();
  progress_.catching_up = more == More::kWaits;
  log::Debug("stream {}: {} messages in {:.3f} s", name_, batch.messages.size(),
             progress_.commit_seconds);
  if (callbacks_.committed) callbacks_.committed(progress_);
  return {};
}

Status StreamCommitter::KeepUp(Upkeep upkeep) {
  if (upkeep == Upkeep::kDue && !IsUpkeepDue()) return {};
  const auto now = lake_.clock().Steady();
  flushed_at_ = now;
  VL_RETURN_IF_ERROR(writer_.FlushLedger(CommitWait()));
  const bool all = upkeep == Upkeep::kAll || now - caught_up_at_ >= kCatchUpEvery;
  if (all) caught_up_at_ = now;
  VL_RETURN_IF_ERROR(writer_.CatchUp(all ? 1 : kCatchUpMessages, CommitWait()));
  TellBroker();
  return {};
}

void StreamCommitter::TellBroker() {
  std::map<int32_t, int64_t> next;
  for (const auto& [number, partition] : held_) {
    if (const auto position = writer_.position(partition)) next[number] = *position;
  }
  source_.CommitAdvisory(next);
}

}  // namespace vitalake::ingest
