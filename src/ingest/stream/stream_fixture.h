// A stream whose source and watch are the test's, on a lake whose store may be held up or fail.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "ingest/stream/pipeline.h"
#include "lake/queries.h"
#include "storage/faulty_store.h"
#include "storage/local_store.h"

namespace vitalake::ingest {

constexpr std::chrono::seconds kTestPatience{30};

// Gives the messages of its partitions that the test has put there.
class ScriptedSource final : public StreamSource {
 public:
  void Give(int32_t partition, std::string payload) {
    const std::lock_guard lock(mutex_);
    messages_[partition].push_back(std::move(payload));
    changed_.notify_all();
  }
  void Assign(int32_t partition) {
    const std::lock_guard lock(mutex_);
    wanted_.insert(partition);
    changed_.notify_all();
  }
  void Revoke(int32_t partition) {
    const std::lock_guard lock(mutex_);
    wanted_.erase(partition);
    changed_.notify_all();
  }
  // The group's other members know that it is given up.
  bool AwaitGone(int32_t partition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTestPatience, [&] { return !next_.contains(partition); });
  }
  // Those before `offset` wait to be decoded, or are decoded.
  bool AwaitPolled(int32_t partition, int64_t offset) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTestPatience, [&] {
      const auto found = polled_.find(partition);
      return found != polled_.end() && found->second >= offset;
    });
  }
  // What it says that it has, beside the messages that it gives.
  void set_waiting(int64_t messages) { waiting_ = messages; }
  // By the broker, of the messages from offset 0 on, each a microsecond later.
  void set_received(Micros first) { received_ = first; }
  std::map<int32_t, int64_t> advice() {
    const std::lock_guard lock(mutex_);
    return advice_;
  }

  const std::string& topic() const override { return topic_; }
  Status Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
              std::chrono::milliseconds patience) override {
    std::unique_lock lock(mutex_);
    polled_ = next_;
    changed_.notify_all();
    for (const int32_t partition : wanted_) {
      if (next_.contains(partition)) continue;
      const PartitionOffer offer{partition, 0, static_cast<int64_t>(messages_[partition].size())};
      lock.unlock();
      VL_TRY(const auto starts, owner.Assigned(std::span(&offer, 1)));
      lock.lock();
      next_[partition] = std::max<int64_t>(starts.front(), 0);
      return {};
    }
    for (const auto& [partition, _] : next_) {
      if (wanted_.contains(partition)) continue;
      const int32_t gone = partition;
      lock.unlock();
      owner.Revoked(std::span(&gone, 1));
      lock.lock();
      next_.erase(gone);
      changed_.notify_all();
      return {};
    }
    if (!paused_) Take(into, most);
    if (into.empty()) changed_.wait_for(lock, patience);
    return {};
  }
  Status Seek(int32_t partition, int64_t offset) override {
    const std::lock_guard lock(mutex_);
    if (next_.contains(partition)) next_[partition] = std::max<int64_t>(offset, 0);
    return {};
  }
  void Pause() override { paused_ = true; }
  void Resume() override { paused_ = false; }
  void CommitAdvisory(const std::map<int32_t, int64_t>& next) override {
    const std::lock_guard lock(mutex_);
    advice_ = next;
  }
  std::optional<int64_t> Waiting() override { return waiting_; }

 private:
  void Take(std::vector<StreamMessage>& into, size_t most) {
    for (auto& [partition, next] : next_) {
      const auto& payloads = messages_[partition];
      while (next < static_cast<int64_t>(payloads.size()) && into.size() < most) {
        into.push_back({partition, next, received_ + next, "", payloads[next]});
        ++next;
      }
    }
  }

  const std::string topic_ = "topic";
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int32_t, std::vector<std::string>> messages_;
  std::set<int32_t> wanted_;
  std::map<int32_t, int64_t> next_;    // of the partitions given to the owner
  std::map<int32_t, int64_t> polled_;  // next_ when the last poll began
  Micros received_ = 1'775'001'600'000'000;
  std::map<int32_t, int64_t> advice_;
  bool paused_ = false;
  std::optional<int64_t> waiting_;
};

// Writes down what it is told: "begin 0@2", "observe 0:2-3", "committed 0:2-3", "end 0"; while it
// awaits bronze "bronze 0:2-3", too.
class WatchLog final : public StreamWatch {
 public:
  Status Begin(const StreamPartition& partition, std::optional<int64_t> bronze,
               const Wait&) override {
    return Note(fmt::format("begin {}@{}", partition.partition,
                            bronze ? fmt::to_string(*bronze) : std::string("-")));
  }
  Status Observe(const StreamBatch& piece, const GroupStage&, const Wait&) override {
    if (meanwhile_) std::exchange(meanwhile_, nullptr)();
    return Note("observe" + Ranges(piece.ranges));
  }
  bool AwaitsBronze() const override { return awaits_bronze_; }
  void InBronze(const MessageRanges& ranges) override {
    if (awaits_bronze_) (void)Note("bronze" + Ranges(ranges));
  }
  Status Committed(const StreamBatch& batch, const Wait&) override {
    return Note("committed" + Ranges(batch.ranges));
  }
  Status Idle(Micros, const Wait&) override { return {}; }
  void End(const StreamPartition& partition) override {
    (void)Note(fmt::format("end {}", partition.partition));
  }

  // Before the pipeline runs: what to do while the first piece is observed.
  void WhileFirstIsObserved(std::function<void()> meanwhile) { meanwhile_ = std::move(meanwhile); }

  void set_awaits_bronze(bool awaits) { awaits_bronze_ = awaits; }

  std::vector<std::string> log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  // Whether it comes (`times` times in all).
  bool Await(const std::string& line, int times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTestPatience,
                             [&] { return std::ranges::count(log_, line) >= times; });
  }

 private:
  static std::string Ranges(const MessageRanges& ranges) {
    std::string text;
    for (const auto& [partition, range] : ranges) {
      text += fmt::format(" {}:{}-{}", partition, range.first, range.end);
    }
    return text;
  }
  Status Note(std::string line) {
    const std::lock_guard lock(mutex_);
    log_.push_back(std::move(line));
    changed_.notify_all();
    return {};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::function<void()> meanwhile_;
  std::atomic<bool> awaits_bronze_ = false;
};

class StreamPipelineTest : public testing::Test {
 protected:
  StreamPipelineTest() {
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-stream-" + random_.Uuid());
    std::filesystem::create_directories(folder_);
    disk_ = storage::LocalStore::Open(folder_).value();
    store_ = std::make_unique<storage::FaultyStore>(*disk_);
    lake_ = OpenLake(*store_);
    EXPECT_TRUE(lake_->CreateMissingTables().has_value());
    views_ = lake::LoadSilverViews({}).value();
    settings_.name = "vitals";
  }
  ~StreamPipelineTest() override {
    Stop();
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<lake::Lake> OpenLake(storage::ObjectStore& store) {
    lake::LakeOptions options;
    options.location = folder_.string();
    options.threads = 2;
    return lake::Lake::Over(store, options, clock_, random_).value();
  }
  // Batches end by `rows` alone, unless `every` is less.
  void Start(size_t rows, std::chrono::milliseconds every = std::chrono::hours(1)) {
    Start({.every = every, .rows = rows});
  }
  void Start(const BatchLimits& limits) {
    pipeline_ = std::make_unique<StreamPipeline>(
        *lake_, views_, settings_, limits, source_, &watch_,
        [this](const StreamProgress& progress) { progress_.push_back(progress); });
    running_ = std::jthread([this](const std::stop_token& stop) { done_ = pipeline_->Run(stop); });
  }
  // Drains it.
  Status Stop() {
    if (!running_.joinable()) return {};
    running_.request_stop();
    running_.join();
    return done_;
  }
  // Holds the next commit up, or the one `behind` it, before it is made, while `meanwhile` runs.
  void BeforeNextCommit(std::function<void()> meanwhile, int64_t behind = 0) {
    store_->Before(NextCommit(behind), std::move(meanwhile), storage::StoreCall::kPutIfAbsent);
  }
  void FailNextCommit(int64_t behind = 0) {
    store_->Add({.nth = NextCommit(behind), .call = storage::StoreCall::kPutIfAbsent});
  }
  std::string Rows(std::string_view sql) {
    auto session = lake::OpenSqlSession(*lake_).value();
    auto result = session->Query(sql);
    if (!result) return result.error().ToString();
    std::string out;
    while (result->Next().value()) {
      for (size_t i = 0; i < result->columns().size(); ++i) {
        if (i > 0) out += ',';
        result->AppendText(i, out);
      }
      out += '\n';
    }
    return out;
  }

  static std::string Reading(const std::string& id) {
    return fmt::format(
        R"({{"resourceType":"Observation","id":"{}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}},"subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2026-01-01T08:00:00Z","valueQuantity":{{"value":70,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}}})",
        id);
  }
  // Each table once and whole: ids in silver, offsets in bronze, records the ledger balances.
  std::string Ids() {
    return Rows("SELECT string_agg(id, ' ' ORDER BY id) FROM silver.vital_sign");
  }
  std::string Offsets() {
    return Rows(
        "SELECT \"partition\", string_agg(\"offset\"::VARCHAR, ' ' ORDER BY \"offset\") FROM "
        "bronze.observation_stream GROUP BY 1 ORDER BY 1");
  }
  std::string Received() {
    return Rows("SELECT sum(received)::BIGINT, sum(written)::BIGINT FROM ops.ledger");
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<storage::LocalStore> disk_;
  std::unique_ptr<storage::FaultyStore> store_;
  std::unique_ptr<lake::Lake> lake_;
  std::vector<lake::SilverView> views_;
  StreamSettings settings_;
  ScriptedSource source_;
  WatchLog watch_;
  std::unique_ptr<StreamPipeline> pipeline_;
  Status done_;
  std::vector<StreamProgress> progress_;  // after each batch; to be read once it is stopped
  std::jthread running_;

 private:
  int64_t NextCommit(int64_t behind) {
    constexpr int64_t kPutsOfCommit = 2;  // the log's entry, and its checksum
    return store_->calls(storage::StoreCall::kPutIfAbsent) + 1 + behind * kPutsOfCommit;
  }
};

}  // namespace vitalake::ingest
