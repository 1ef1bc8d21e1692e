#include "ingest/alert_log.h"

#include "ingest/action_log.h"
#include "ingest/test_lake.h"

// Two processes that both believe to have a partition: one of them is wrong.
namespace vitalake::ingest {
namespace {

const std::string kApp = "vitals/topic/0/0";

class TwoProcessesTest : public testing::Test {
 protected:
  TwoProcessesTest() { EXPECT_TRUE(lake_.lake().CreateMissingTables().has_value()); }

  static std::vector<PublishedAlert> Alerts(int64_t first, int64_t count) {
    std::vector<PublishedAlert> alerts(static_cast<size_t>(count));
    for (PublishedAlert& alert : alerts) {
      alert.alert_id = "a";
      alert.source_partition = kApp;
      alert.sequence = first++;
      alert.needs = alert.sequence + 1;  // one message each
    }
    return alerts;
  }
  static RecordedAction Tick(int64_t position) {
    RecordedAction action;
    action.actor = kSystem;
    action.action = "tick";
    action.position = position;
    return action;
  }

  TestLake lake_;
};

TEST_F(TwoProcessesTest, AnAlertIsWrittenOnceAndOnlyWithItsMessage) {
  AlertLog slow(lake_.lake()), fast(lake_.lake());
  for (AlertLog* log : {&slow, &fast}) {
    ASSERT_TRUE(log->Begin(kApp).has_value());
    std::vector<PublishedAlert> alerts = Alerts(0, 3);
    log->Add(kApp, alerts);
    EXPECT_EQ(alerts.size(), 3);
  }
  EXPECT_EQ(fast.Write({{kApp, 2}}, AlertLog::Say::kAlerts, {})->size(), 2);
  const auto late = slow.Write({{kApp, 3}}, AlertLog::Say::kAlerts, {});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(lake_.Rows("SELECT sequence FROM ops.alert ORDER BY 1"), "0\n1\n");

  ASSERT_TRUE(slow.Begin(kApp).has_value());
  EXPECT_EQ(slow.next(kApp), 2);
  std::vector<PublishedAlert> again = Alerts(0, 3);
  slow.Add(kApp, again);
  ASSERT_EQ(again.size(), 1);
  EXPECT_EQ(again.front().sequence, 2);
  EXPECT_EQ(slow.Write({{kApp, 3}}, AlertLog::Say::kAlerts, {})->size(), 1);
  EXPECT_EQ(lake_.Rows("SELECT sequence FROM ops.alert ORDER BY 1"), "0\n1\n2\n");
}

TEST_F(TwoProcessesTest, ATableWithoutAlertsSaysHowFarItIs) {
  AlertLog log(lake_.lake());
  ASSERT_TRUE(log.Begin(kApp).has_value());
  ASSERT_TRUE(log.Write({{kApp, 7}}, AlertLog::Say::kAlerts, {}).has_value());
  EXPECT_EQ(lake_.lake().Latest(kAlerts).value()->FindTxn(kApp), std::nullopt);
  ASSERT_TRUE(log.Write({{kApp, 7}}, AlertLog::Say::kPositionToo, {}).has_value());
  EXPECT_EQ(lake_.lake().Latest(kAlerts).value()->FindTxn(kApp), 7);
}

TEST_F(TwoProcessesTest, ActionsAreRecordedByOneOfThem) {
  auto slow = ActionLog::Open(lake_.lake(), kApp), fast = ActionLog::Open(lake_.lake(), kApp);
  ASSERT_TRUE(slow.has_value() && fast.has_value());
  std::vector<RecordedAction> rows = {Tick(5), Tick(4)};
  ASSERT_TRUE(fast->Append(rows, {}).has_value());
  rows = {Tick(5)};
  const Status late = slow->Append(rows, {});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::kConflict);

  auto now = ActionLog::Open(lake_.lake(), kApp);
  EXPECT_EQ(now->count(), 2);
  const auto loaded = now->Load(0, {});
  ASSERT_EQ(loaded->size(), 2);
  EXPECT_EQ(loaded->front().position, 4);  // by place, not by time of record
  EXPECT_EQ(now->Load(5, {})->size(), 1);
  const auto counts = now->CountsAt(5, {});
  EXPECT_EQ(counts->below, 1);
  EXPECT_EQ(counts->at, 1);
}

TEST_F(TwoProcessesTest, WhatWasAskedForIsAnsweredByARowThatNamesIt) {
  RecordedAction ask;
  ask.partition = kApp;
  ask.actor = "nurse-7";
  ask.action = "acknowledge";
  ASSERT_TRUE(AppendRequests(lake_.lake(), {&ask, 1}, {}).has_value());
  auto log = ActionLog::Open(lake_.lake(), kApp);
  auto asked = log->Unanswered("vitals", {});
  ASSERT_EQ(asked->size(), 1);
  EXPECT_EQ(asked->front().actor, "nurse-7");
  asked->front().request = asked->front().id;
  asked->front().position = 3;
  ASSERT_TRUE(log->Append(*asked, {}).has_value());
  EXPECT_TRUE(log->Unanswered("vitals", {})->empty());
  EXPECT_TRUE(ActionLog::Open(lake_.lake(), "other/topic/0/0")->Unanswered("vitals", {})->empty());
}

}  // namespace
}  // namespace vitalake::ingest
