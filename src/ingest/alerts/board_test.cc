// The board of one lake, fed by a stream that is driven step by step.
#include "ingest/alerts/board.h"

#include <gtest/gtest.h>

#include <thread>

#include "ingest/monitoring/watch_fixture.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

class AlertBoardTest : public testing::Test {
 protected:
  AlertBoardTest() {
    stream_.Start();
    std::vector<TimedText> patients;
    for (const char* const id : {"p1", "p2", "p3"}) {
      patients.push_back({0, PatientText(id, "1950-01-01")});
    }
    stream_.Take(patients);
  }
  ~AlertBoardTest() override { stream_.End(); }

  void Open() {
    board_ = std::make_unique<AlertBoard>(stream_.lake().lake(), stream_.feed());
    WatchedStream::Succeeds(board_->Open({}));
    board_->Listen([this](std::span<const AlertStepPtr> steps) {
      for (const AlertStepPtr& step : steps) heard_.push_back(step->alert.patient_id);
    });
  }
  // Everything that was published by now.
  void Follow() {
    std::stop_source stop;
    stop.request_stop();
    WatchedStream::Succeeds(board_->Run(stop.get_token()));
  }
  // 205 acts at once: one alert, open.
  TimedText Critical(const std::string& id, const std::string& patient) {
    return {kSecond, Pressure({id, 0, 205, 100, patient})};
  }
  std::vector<std::string> PatientsOf(const std::vector<AlertStepPtr>& steps) {
    std::vector<std::string> patients;
    for (const AlertStepPtr& step : steps) patients.push_back(step->alert.patient_id);
    return patients;
  }
  using Names = std::vector<std::string>;

  WatchedStream stream_;
  std::unique_ptr<AlertBoard> board_;
  Names heard_;
};

TEST_F(AlertBoardTest, HasAnAlertBeforeTheTable) {
  Open();
  stream_.Observe({Critical("a", "p1")});
  Follow();
  EXPECT_EQ(heard_, Names{"p1"});
  EXPECT_EQ(PatientsOf(board_->Now().on), Names{"p1"});
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.alert"), "0\n");
  const AlertStepPtr step = board_->Now().on.front();
  EXPECT_EQ(board_->Find(step->alert.alert_id), step);
  EXPECT_EQ(board_->Summarise().critical, 1);
}

TEST_F(AlertBoardTest, CountsFromTheMicrosecondOfAReceipt) {
  Open();
  EXPECT_FALSE(board_->Summarise().p50_ms);
  stream_.Observe({{kSecond + 700'000, Pressure({"a", 0, 205, 100, "p1"})}});
  stream_.clock().Advance(kSecond + 702'500);
  Follow();
  EXPECT_EQ(board_->Summarise().p50_ms, 2.5);
}

TEST_F(AlertBoardTest, BeginsWithWhatTheTableSaysIsOn) {
  stream_.Take({Critical("a", "p1"), Critical("b", "p2")});
  stream_.Take({{kMinute, Pressure({"b2", kMinute, 120, 80, "p2"})}});
  Open();
  EXPECT_EQ(PatientsOf(board_->Now().on), Names{"p1"});
  stream_.Take({{2 * kMinute, Pressure({"a2", 2 * kMinute, 120, 80, "p1"})}});
  Follow();
  EXPECT_TRUE(board_->Now().on.empty());
}

TEST_F(AlertBoardTest, TellsWhatWasMissedFromTheTableAndFromMemory) {
  stream_.Take({Critical("a", "p1")});
  Open();
  const AlertPositions seen = board_->positions();
  stream_.Observe({Critical("b", "p2")});
  Follow();
  EXPECT_EQ(PatientsOf(board_->Since(seen, 10, {})->steps), Names{"p2"});
  EXPECT_EQ(PatientsOf(board_->Since({}, 10, {})->steps), (Names{"p1", "p2"}));
  EXPECT_EQ(board_->Since({}, 1, {}).error().kind, ErrorKind::kLimit);
  EXPECT_TRUE(board_->Since(board_->positions(), 10, {})->steps.empty());
  EXPECT_EQ(PatientsOf(*board_->After(0)), Names{"p2"});
}

TEST_F(AlertBoardTest, StepsThatComeAgainAreNotToldAgain) {
  Open();
  stream_.Observe({Critical("a", "p1")});
  Follow();
  stream_.Start();  // before anything was committed: the same messages come again
  stream_.Take({{0, PatientText("p9", "1950-01-01")}});
  const auto first = board_->positions();
  stream_.feed().Publish(std::vector{board_->Now().on.front()->alert});
  Follow();
  EXPECT_EQ(heard_, Names{"p1"});
  EXPECT_EQ(board_->positions(), first);
}

TEST_F(AlertBoardTest, WaitsForTheNextStepOfAnAlert) {
  Open();
  stream_.Observe({Critical("a", "p1")});
  Follow();
  const AlertStepPtr step = board_->Now().on.front();
  EXPECT_EQ(board_->AwaitStep(step->alert.alert_id, step->number, 0ms, {}), nullptr);
  PublishedAlert closed = step->alert;
  closed.state = closed.change = "closed";
  ++closed.sequence;
  std::jthread later([&] {
    stream_.feed().Publish(std::vector{closed});
    Follow();
  });
  const AlertStepPtr next = board_->AwaitStep(step->alert.alert_id, step->number, 10s, {});
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->alert.state, "closed");
}

}  // namespace
}  // namespace vitalake::ingest
