// Processes that take in versions of one resource at the same moment, at home in different tables:
// in whatever order their steps come, and whoever is killed between two of them, the version that
// wins is in its home table in the end, and nothing of the others is left in any.
//
// A process has a thread for each of the two tables. All threads run one at a time, each from one
// gate to the next. Gates are before an upsert, before each entry of a silver table's log, and
// before the last look.
//
// By default a share of the orders is tried; with VITALAKE_EVERY_ORDER=1 each one (minutes).

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "ingest/home_fixture.h"
#include "ingest/staged_batch.h"
#include "ingest/stream/writer.h"
#include "ingest/test_lake.h"
#include "lake/upsert.h"
#include "storage/faulty_store.h"
#include "storage/local_store.h"

namespace vitalake::ingest {
namespace {

// "<id>: observation <version>, <code> <version>, <code> <version>", each perhaps "deleted".
constexpr const char* kRowsById =
    "SELECT id || ': ' || string_agg(concat_ws(' ', what, version_id, CASE WHEN deleted THEN "
    "'deleted' END), ', ' ORDER BY what DESC) FROM ("
    "SELECT id, version_id, deleted, 'observation' AS what FROM silver.observation UNION ALL "
    "SELECT id, version_id, deleted, code FROM silver.vital_sign) GROUP BY id ORDER BY id";

constexpr Micros kSentBefore = 1'775'001'600'000'000;  // what home_fixture.h makes

class OneByOne {
 public:
  explicit OneByOne(size_t threads) : threads_(threads) {}

  // By thread `i`: waits for its next turn. false: its process is killed here.
  bool Gate(size_t i) {
    std::unique_lock lock(mutex_);
    threads_[i].state = State::kAtGate;
    changed_.notify_all();
    changed_.wait(lock, [&] { return threads_[i].state == State::kRunning; });
    return !threads_[i].is_killed;
  }
  void Begin(size_t i) { Set(i, State::kRunning); }
  void End(size_t i) { Set(i, State::kEnded); }
  bool HasEnded(size_t i) {
    const std::lock_guard lock(mutex_);
    return threads_[i].state == State::kEnded;
  }
  // By the test: thread `i` goes on to its next gate, or to its end. false: it has ended.
  bool Step(size_t i, bool is_killed = false) {
    std::unique_lock lock(mutex_);
    Thread& thread = threads_[i];
    const auto rests = [&] { return thread.state != State::kRunning; };
    changed_.wait(lock, rests);
    if (thread.state == State::kEnded) return false;
    thread = {State::kRunning, is_killed};
    changed_.notify_all();
    changed_.wait(lock, rests);
    return true;
  }

 private:
  enum class State { kRunning, kAtGate, kEnded };
  struct Thread {
    State state = State::kRunning;
    bool is_killed = false;
  };
  void Set(size_t i, State state) {
    const std::lock_guard lock(mutex_);
    threads_[i].state = state;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Thread> threads_;
};

bool HasDelete(const std::vector<Sent>& sent) {
  return std::ranges::find(sent, Shape::kDelete, &Sent::shape) != sent.end();
}

// A process's threads: of silver.vital_sign, which goes on to the last look, and of
// silver.observation.
size_t VitalSignOf(size_t process) { return 2 * process; }
size_t ObservationOf(size_t process) { return 2 * process + 1; }

class Process {
 public:
  Process(std::filesystem::path folder, const std::vector<lake::SilverView>& views, size_t number)
      : folder_(std::move(folder)), views_(views), number_(number) {
    disk_ = storage::LocalStore::Open(folder_).value();
    Restart();
  }

  // Ends once all of it is done, however often the process is killed. Without `turns` it is alone.
  void TakeIn(const std::string& id, const std::vector<Sent>& sent, OneByOne* turns) {
    turns_ = turns;
    while (!Try(id, sent)) Restart();
    if (turns != nullptr) turns->End(VitalSignOf(number_));
  }

 private:
  void Restart() {
    pool_.reset();
    lake_.reset();
    is_killed_ = false;
    store_ = std::make_unique<storage::FaultyStore>(*disk_);
    store_->BeforePuts([this](std::string_view key) {
      const size_t thread = key.starts_with("silver/vital_sign/") ? VitalSignOf(number_)
                            : key.starts_with("silver/observation/")
                                ? (is_looking_ ? VitalSignOf(number_) : ObservationOf(number_))
                                : kNoThread;
      if (thread != kNoThread && key.ends_with(".json")) (void)Gate(thread);
    });
    lake::LakeOptions options;
    options.location = folder_.string();
    options.threads = 1;
    lake_ = lake::Lake::Over(*store_, options, clock_, random_).value();
    pool_ = StagerPool::Open(*lake_).value();
  }

  bool Gate(size_t thread) {
    if (is_killed_) return false;
    if (turns_ == nullptr || turns_->Gate(thread)) return true;
    is_killed_ = true;
    store_->FailFrom(store_->calls() + 1);
    return false;
  }

  // false: it was killed.
  bool Try(const std::string& id, const std::vector<Sent>& sent) {
    const auto done = TryAll(id, sent);
    EXPECT_TRUE(done || is_killed_) << done.error().ToString();
    return !is_killed_;
  }

  Status TryAll(const std::string& id, const std::vector<Sent>& sent) {
    is_looking_ = false;
    const auto number = static_cast<int32_t>(number_);
    const StreamPartition partition{"race", id, number, 0};
    StreamSettings settings;
    settings.name = "race";
    VL_TRY(const auto staged, StagedBatch::Open(*lake_, settings, views_, *pool_, {partition}));
    StreamBatch batch;
    for (const Sent& one : sent) {
      const auto offset = static_cast<int64_t>(batch.messages.size());
      batch.messages.push_back({number, offset, kSentBefore + offset, "", Message(id, one)});
    }
    VL_RETURN_IF_ERROR(staged->Stage(batch, {}));
    GroupStage& stage = staged->stage();
    VL_RETURN_IF_ERROR(stage.Close({}));

    VL_TRY(const delta::SnapshotPtr before, lake_->Latest("silver.vital_sign"));
    const auto upsert = [&](Silver table, size_t thread) -> Result<lake::UpsertResult> {
      if (!Gate(thread)) return Fail(ErrorKind::kCancelled, "killed");
      auto request = stage.Request(
          table, [&](const auto&) { return lake::CommitNote{{{partition.AppId(), 1}}, {}}; });
      request.elsewhere_at = before;
      return lake::Upsert(*lake_, request, {});
    };
    const size_t main = VitalSignOf(number_);
    const size_t other = ObservationOf(number_);
    Result<lake::UpsertResult> observation;
    if (turns_ != nullptr) turns_->Begin(other);
    std::jthread thread([&] {
      observation = upsert(Silver::kObservation, other);
      if (turns_ != nullptr) turns_->End(other);
    });
    const auto await = [&] {
      while (turns_ != nullptr && !turns_->HasEnded(other)) {
        if (turns_->Gate(main) || is_killed_) continue;
        is_killed_ = true;
        store_->FailFrom(store_->calls() + 1);
      }
      if (thread.joinable()) thread.join();
    };
    // With deletions streams commit one table after the other.
    if (HasDelete(sent)) await();
    const auto vital_sign = upsert(Silver::kVitalSign, main);
    await();
    if (!observation) return std::unexpected(observation.error());
    if (!vital_sign) return std::unexpected(vital_sign.error());
    if (!Gate(main)) return Fail(ErrorKind::kCancelled, "killed");
    is_looking_ = true;
    return stage.SettleHomes(*observation, *vital_sign, {});
  }

  static constexpr size_t kNoThread = SIZE_MAX;

  const std::filesystem::path folder_;
  const std::vector<lake::SilverView>& views_;
  const size_t number_;
  SystemClock clock_;
  SystemRandom random_;
  // Whoever has the turn may change them.
  OneByOne* turns_ = nullptr;
  bool is_killed_ = false;
  bool is_looking_ = false;
  std::unique_ptr<storage::LocalStore> disk_;
  std::unique_ptr<storage::FaultyStore> store_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<StagerPool> pool_;
};

// A thread goes on to its next gate, or is killed where it is, with its process.
struct RaceStep {
  size_t thread;
  bool is_killed = false;
};

class HomeRaceTest : public testing::Test {
 protected:
  static bool EveryOrder() { return std::getenv("VITALAKE_EVERY_ORDER") != nullptr; }

  // Has each process take in its versions of the resource `name`, with these steps first; what is
  // left comes in turns. All of them, and what was there before, differ.
  void Race(const std::string& name, const std::vector<Sent>& before,
            const std::vector<std::vector<Sent>>& sent, const std::vector<RaceStep>& steps) {
    OpenLake(sent.size());
    if (!before.empty()) processes_.back()->TakeIn(name, before, nullptr);
    OneByOne turns(2 * sent.size());
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < sent.size(); ++i) {
        threads.emplace_back([&, i] { processes_[i]->TakeIn(name, sent[i], &turns); });
      }
      for (const RaceStep& step : steps) turns.Step(step.thread, step.is_killed);
      for (bool is_left = true; is_left;) {
        is_left = false;
        for (size_t i = 0; i < 2 * sent.size(); ++i) is_left |= turns.Step(i);
      }
    }
    std::vector<Sent> all = before;
    for (const auto& one : sent) all.insert(all.end(), one.begin(), one.end());
    const Sent& highest = *std::ranges::max_element(all, {}, &Sent::version);
    const std::string version =
        fmt::format("{}{}", highest.version, HasDelete(all) ? " deleted" : "");
    expected_[name] = highest.shape == Shape::kPanel
                          ? fmt::format("observation {0}, 8480-6 {0}, 8462-4 {0}", version)
                          : fmt::format("8867-4 {}", version);
  }

  // Of all races up to now.
  void ExpectTheHighest() {
    if (!lake_) return;
    std::string expected;
    for (const auto& [name, rows] : expected_) expected += fmt::format("{}: {}\n", name, rows);
    EXPECT_EQ(lake_->Rows(kRowsById), expected);
    expected_.clear();
    processes_.clear();
    lake_.reset();
  }

 private:
  void OpenLake(size_t processes) {
    if (++races_ % 40 == 0) ExpectTheHighest();  // each leaves files
    if (!lake_) {
      lake_ = std::make_unique<TestLake>();
      ASSERT_TRUE(lake_->lake().CreateMissingTables());
    }
    while (processes_.size() <= processes) {
      processes_.push_back(
          std::make_unique<Process>(lake_->folder() / "lake", views_, processes_.size()));
    }
  }

  std::vector<lake::SilverView> views_ = lake::LoadSilverViews({}).value();
  std::unique_ptr<TestLake> lake_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::map<std::string, std::string> expected_;  // by id
  int races_ = 0;
};

// "VOVO": a thread for each letter, then the one that looks again.
std::vector<size_t> ThreadsOf(size_t process, std::string_view letters) {
  std::vector<size_t> threads;
  for (const char letter : letters) {
    threads.push_back(letter == 'V' ? VitalSignOf(process) : ObservationOf(process));
  }
  threads.push_back(VitalSignOf(process));
  return threads;
}

// A panel's process reads and writes two tables; a single value's writes nothing into
// silver.observation.
TEST_F(HomeRaceTest, InEveryOrderOfSteps) {
  constexpr size_t kPanelSteps = 5;
  constexpr size_t kAllSteps = 9;
  unsigned tried = 0;
  for (const bool panel_wins : {false, true}) {
    for (const char* panel : {"OOVV", "OVOV", "OVVO", "VOOV", "VOVO", "VVOO"}) {
      for (const char* value : {"OVV", "VOV", "VVO"}) {
        const std::vector<size_t> ours = ThreadsOf(0, panel);
        const std::vector<size_t> theirs = ThreadsOf(1, value);
        for (unsigned order = 0; order < 1u << kAllSteps; ++order) {
          if (std::popcount(order) != kPanelSteps) continue;
          if (tried++ % 149 != 0 && !EveryOrder()) continue;
          std::vector<RaceStep> steps;
          auto our = ours.begin();
          auto their = theirs.begin();
          for (size_t i = 0; i < kAllSteps; ++i) {
            steps.push_back({(order >> i & 1) != 0 ? *our++ : *their++});
          }
          Race(fmt::format("{}-{}-{}-{:09b}", panel_wins, panel, value, order), {},
               {{{Shape::kPanel, panel_wins ? 2 : 1}}, {{Shape::kHeartRate, panel_wins ? 1 : 2}}},
               steps);
        }
      }
    }
  }
  ExpectTheHighest();
}

// An old panel's process has read both tables, or written one of them, when a newer value's process
// does all of its work; then it goes on, up to where it is killed.
TEST_F(HomeRaceTest, WhoIsKilledBeforeItLooksAgainLooksLater) {
  for (const char* panel : {"OVOV", "VVOO"}) {
    const std::vector<size_t> ours = ThreadsOf(0, panel);
    for (size_t rival_at = 1; rival_at < ours.size(); ++rival_at) {
      for (size_t killed_at = rival_at; killed_at < ours.size(); ++killed_at) {
        std::vector<RaceStep> steps;
        for (size_t i = 0; i <= killed_at; ++i) {
          if (i == rival_at) {
            for (const size_t thread : ThreadsOf(1, "VVO")) steps.push_back({thread});
          }
          steps.push_back({ours[i], i == killed_at});
        }
        Race(fmt::format("{}-{}-{}", panel, rival_at, killed_at), {},
             {{{Shape::kPanel, 1}}, {{Shape::kHeartRate, 2}}}, steps);
      }
    }
  }
  ExpectTheHighest();
}

// A panel that one of the tables has, and the other does not have yet, is deleted.
TEST_F(HomeRaceTest, ADeletionReachesBothTables) {
  const size_t our_value = VitalSignOf(0);
  const size_t our_panel = ObservationOf(0);
  const size_t their_value = VitalSignOf(1);
  const size_t their_panel = ObservationOf(1);
  const auto race = [&](const char* name, std::initializer_list<std::pair<size_t, int>> runs) {
    std::vector<RaceStep> steps;
    for (const auto& [thread, count] : runs) steps.insert(steps.end(), count, RaceStep{thread});
    Race(name, {}, {{{Shape::kPanel, 1}}, {{Shape::kDelete}}}, steps);
  };
  constexpr int kAll = 9;
  race("has-panel", {{our_panel, 2}, {their_panel, kAll}, {their_value, kAll}});
  race("has-panel-and-has-read",
       {{our_value, 1}, {our_panel, 2}, {their_panel, kAll}, {their_value, kAll}});
  race("has-values", {{our_value, 2}, {their_panel, kAll}, {their_value, kAll}});
  race("has-values-and-has-read",
       {{our_value, 2}, {our_panel, 1}, {their_panel, kAll}, {their_value, kAll}});
  race("has-values-and-looks-in-between",
       {{our_value, 2}, {our_panel, 1}, {their_panel, kAll}, {our_panel, 1}, {our_value, kAll}});
  ExpectTheHighest();
}

TEST_F(HomeRaceTest, SeveralProcessesAndKillsAtRandom) {
  const uint64_t races = EveryOrder() ? 1000 : 20;
  for (uint64_t seed = 1; seed <= races; ++seed) {
    SeededRandom random(seed);
    std::vector<int> versions = {1, 2, 3, 4, 5, 6, 7};
    const auto sent = [&] {
      const auto at = versions.begin() + static_cast<int64_t>(random.Below(versions.size()));
      const Sent one{random.Below(2) == 0 ? Shape::kPanel : Shape::kHeartRate, *at};
      versions.erase(at);
      return one;
    };
    std::vector<Sent> before;
    if (random.Below(2) == 0) before.push_back(sent());
    std::vector<std::vector<Sent>> all(2 + random.Below(2));
    for (auto& one : all) {
      one.push_back(sent());
      if (random.Below(4) == 0) one.push_back(sent());
    }
    if (random.Below(2) == 0) {
      auto& one = all[random.Below(all.size())];
      if (all.size() > 2 || !before.empty()) one.clear();
      one.push_back({Shape::kDelete});
    }
    std::vector<RaceStep> steps;
    for (size_t i = 0; i < 8 * all.size(); ++i) {
      steps.push_back({static_cast<size_t>(random.Below(2 * all.size())), random.Below(16) == 0});
    }
    Race(fmt::format("seed-{:04}", seed), before, all, steps);
  }
  ExpectTheHighest();
}

// A process of its own on a lake, with which something happens when it writes silver.observation:
// its rival, whose lake it is, takes in what it has; then ours may be killed.
enum class Fate { kGoesOn, kIsKilled };

class HeldUp {
 public:
  HeldUp(TestLake& lake, Fate fate, std::function<void()> rival)
      : disk_(storage::LocalStore::Open(lake.folder() / "lake").value()), store_(*disk_) {
    lake::LakeOptions options;
    options.location = (lake.folder() / "lake").string();
    options.threads = 1;
    lake_ = lake::Lake::Over(store_, options, clock_, random_).value();
    store_.BeforePuts([this, fate, rival = std::move(rival)](std::string_view key) {
      if (!key.starts_with("silver/observation/")) return;
      if (key.ends_with(".json") && !is_met_.exchange(true)) rival();
      // Its commit is there, and it does not get to know.
      if (key.ends_with(".crc") && fate == Fate::kIsKilled) store_.FailFrom(store_.calls() + 1);
    });
  }

  lake::Lake& lake() { return *lake_; }
  bool is_met() const { return is_met_; }

 private:
  SystemClock clock_;
  SystemRandom random_;
  std::atomic<bool> is_met_ = false;
  std::unique_ptr<storage::LocalStore> disk_;
  storage::FaultyStore store_;
  std::unique_ptr<lake::Lake> lake_;
};

class HomeRaceOf : public testing::TestWithParam<Fate> {
 protected:
  HomeRaceOf() { EXPECT_TRUE(lake_.lake().CreateMissingTables()); }

  std::unique_ptr<StreamWriter> Writer(lake::Lake& lake, int32_t partition) {
    StreamSettings settings;
    settings.name = "vitals";
    auto writer = std::make_unique<StreamWriter>(lake, settings, views_);
    const auto followed = writer->Follow({"vitals", "topic", partition, 0}, {});
    EXPECT_TRUE(followed) << followed.error().ToString();
    return writer;
  }
  static Status Write(StreamWriter& writer, int32_t partition, const Sent& sent) {
    const StreamPartition from{"vitals", "topic", partition, 0};
    StreamBatch batch;
    batch.messages.push_back({partition, 0, kSentBefore, "", Message("a", sent)});
    batch.ranges[partition] = {from, 0, 1};
    VL_TRY(const auto staged, writer.OpenBatch({from}));
    VL_RETURN_IF_ERROR(staged->Stage(batch, {}));
    staged->Append(std::move(batch));
    VL_RETURN_IF_ERROR(writer.Write(*staged, {}));
    return writer.FlushLedger({});
  }
  void ExpectTheValue() {
    EXPECT_EQ(lake_.Rows(kRowsById), "a: 8867-4 2\n");
    EXPECT_EQ(lake_.Rows("SELECT sum(received), sum(written + superseded) FROM ops.ledger "
                         "WHERE source <> 'patient'"),
              "2,2\n");
  }

  TestLake lake_;
  std::vector<lake::SilverView> views_ = lake::LoadSilverViews({}).value();
};

TEST_P(HomeRaceOf, Streams) {
  const auto rival = Writer(lake_.lake(), 1);
  HeldUp ours(lake_, GetParam(), [&] {
    const auto done = Write(*rival, 1, {Shape::kHeartRate, 2});
    EXPECT_TRUE(done) << done.error().ToString();
  });
  const auto done = Write(*Writer(ours.lake(), 0), 0, {Shape::kPanel, 1});
  EXPECT_EQ(done.has_value(), GetParam() == Fate::kGoesOn);
  EXPECT_TRUE(ours.is_met());
  if (!done) {
    EXPECT_EQ(lake_.Rows("SELECT version_id FROM silver.observation"), "1\n");
    EXPECT_TRUE(Writer(lake_.lake(), 0)->FlushLedger({}));
  }
  ExpectTheValue();
}

TEST_P(HomeRaceOf, BatchRuns) {
  HeldUp ours(lake_, GetParam(),
              [&] { lake_.Ingest({{"value.json", Message("a", {Shape::kHeartRate, 2})}}); });
  const auto path = lake_.folder() / "in/panel.json";
  std::ofstream(path) << Message("a", {Shape::kPanel, 1});
  BatchOptions options;
  options.paths = {path.string()};
  const auto done = RunBatch(ours.lake(), options);
  EXPECT_EQ(done.has_value(), GetParam() == Fate::kGoesOn);
  EXPECT_TRUE(ours.is_met());
  if (!done) {
    EXPECT_EQ(lake_.Rows("SELECT version_id FROM silver.observation"), "1\n");
    // The next run finishes it.
    lake_.Ingest({{"patient.json", R"({"resourceType":"Patient","id":"p"})"}});
  }
  ExpectTheValue();
}

INSTANTIATE_TEST_SUITE_P(Fates, HomeRaceOf, testing::Values(Fate::kGoesOn, Fate::kIsKilled),
                         [](const auto& info) {
                           return info.param == Fate::kGoesOn ? "GoesOn" : "IsKilled";
                         });

}  // namespace
}  // namespace vitalake::ingest
