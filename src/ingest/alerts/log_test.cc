#include "ingest/alerts/log.h"

#include "ingest/alerts/action_log.h"
#include "ingest/alerts/table.h"
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

TEST_F(TwoProcessesTest, EveryColumnComesBackFromTheTable) {
  PublishedAlert full;
  full.alert_id = std::string(32, 'a');
  full.id_space = "north";
  full.patient_id = "p1";
  full.vital = "85354-9";
  full.rule = "severe-high";
  full.rule_version = "aha-acc-2025 2025.1";
  full.severity = "critical";
  full.state = "closed";
  full.change = "closed";
  full.queue = "clinical";
  full.notify = false;
  full.opened_at = 1'000'000;
  full.updated_at = 2'000'000;
  full.closed_at = 3'000'000;
  full.acknowledged_by = "dr";
  full.acknowledged_at = 4'000'000;
  full.snoozed_until = 5'000'000;
  full.reading_ids = R"(["r1"])";
  full.value = 204;
  full.diastolic = 80.5;
  full.baseline = 120;
  full.baseline_sigma = 9.25;
  full.baseline_readings = 12;
  full.window = "PT15M";
  full.late_by = "PT1H";
  full.explanation = "why";
  full.source = "vitals";
  full.source_partition = kApp;
  full.source_offset = 6;
  PublishedAlert empty;
  empty.alert_id = std::string(32, 'b');
  empty.source_partition = kApp;
  empty.sequence = 1;
  AlertLog log(lake_.lake());
  ASSERT_TRUE(log.Begin(kApp).has_value());
  std::vector<PublishedAlert> alerts = {full, empty};
  log.Add(kApp, alerts);
  ASSERT_TRUE(log.Write({{kApp, 7}}, AlertLog::Say::kAlerts, {}).has_value());

  const auto first = ReadAlertNow(lake_.lake(), full.alert_id, {});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(
      AlertJson(*first),
      R"({"alert_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","id_space":"north",)"
      R"("patient_id":"p1","vital":"85354-9","rule":"severe-high",)"
      R"("rule_version":"aha-acc-2025 2025.1","severity":"critical","state":"closed",)"
      R"("change":"closed","queue":"clinical","notify":false,)"
      R"("opened_at":"1970-01-01T00:00:01.000000Z",)"
      R"("updated_at":"1970-01-01T00:00:02.000000Z",)"
      R"("closed_at":"1970-01-01T00:00:03.000000Z","acknowledged_by":"dr",)"
      R"("acknowledged_at":"1970-01-01T00:00:04.000000Z",)"
      R"("snoozed_until":"1970-01-01T00:00:05.000000Z","reading_ids":"[\"r1\"]",)"
      R"("value":204,"diastolic":80.5,"baseline":120,"baseline_sigma":9.25,)"
      R"("baseline_readings":12,"window":"PT15M","late_by":"PT1H","explanation":"why",)"
      R"("source":"vitals","source_partition":"vitals/topic/0/0","source_offset":6,"sequence":0})");
  const auto second = ReadAlertNow(lake_.lake(), empty.alert_id, {});
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(
      AlertJson(*second),
      R"({"alert_id":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","id_space":"","patient_id":null,)"
      R"("vital":"","rule":"","rule_version":"","severity":"","state":"","change":"",)"
      R"("queue":"","notify":true,"opened_at":"1970-01-01T00:00:00.000000Z",)"
      R"("updated_at":"1970-01-01T00:00:00.000000Z","closed_at":null,)"
      R"("acknowledged_by":null,"acknowledged_at":null,"snoozed_until":null,)"
      R"("reading_ids":"","value":null,"diastolic":null,"baseline":null,)"
      R"("baseline_sigma":null,"baseline_readings":null,"window":null,"late_by":null,)"
      R"("explanation":"","source":"","source_partition":"vitals/topic/0/0","source_offset":0,)"
      R"("sequence":1})");
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
  const auto late = slow->Append(rows, {});
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
