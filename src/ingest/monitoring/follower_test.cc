#include "ingest/monitoring/follower.h"

#include "ingest/monitoring/watch_fixture.h"

// Expected alerts are those of rules/aha-acc-2025.yaml and docs/monitoring.md, "Thresholds".
namespace vitalake::ingest {
namespace {

// The built-in rules with another severe level.
MonitorRules WithSevereAbove(int systolic) {
  MonitorRules rules = MonitorRules::Load({}).value();
  for (MonitorRules::File& file : rules.files) {
    if (file.name != "aha-acc-2025.yaml") continue;
    const std::string severe = "severe: {systolic: {above: 180}";
    file.text.replace(file.text.find(severe), severe.size(),
                      fmt::format("severe: {{systolic: {{above: {}}}", systolic));
  }
  return rules;
}

class MonitorFollowerTest : public testing::Test {
 protected:
  void KnowPatients() { stream_.lake().Ingest({{"patients.ndjson", kPatients}}); }
  // Of the only alert: nurse-7.
  void AskToAcknowledge() {
    RecordedAction ask;
    ask.partition = stream_.Partition().AppId();
    ask.actor = "nurse-7";
    ask.action = "acknowledge";
    ask.target = stream_.Rows("SELECT alert_id FROM ops.alert LIMIT 1").substr(0, 32);
    ask.payload = R"({"patient_id":"p1"})";
    ask.time = kMorning;
    ASSERT_TRUE(AppendRequests(stream_.lake().lake(), {&ask, 1}, {}).has_value());
  }

  WatchedStream stream_;
};

TEST_F(MonitorFollowerTest, ASevereReadingIsPendingThenConfirmedThenEnded) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{2 * kSecond, Pressure({"a", 0, 185, 100})}});
  EXPECT_EQ(stream_.Alerts(), "opened,severe-high,pending,high,185,100\n");
  stream_.Take({{5 * kMinute, Pressure({"b", 5 * kMinute, 188, 102})}});
  EXPECT_EQ(stream_.Rows("SELECT change, state, reading_ids FROM ops.alert "
                         "WHERE rule = 'severe-high' ORDER BY sequence OFFSET 1"),
            "updated,open,[\"a\",\"b\"]\n");
  stream_.Take({{9 * kMinute, Pressure({"c", 9 * kMinute, 124, 78})}});
  EXPECT_EQ(stream_.Rows("SELECT change, state, closed_at, source_offset FROM ops.alert "
                         "WHERE rule = 'severe-high' ORDER BY sequence OFFSET 2"),
            "closed,closed,2026-03-02 08:09:00+00,2\n");
  EXPECT_EQ(stream_.Rows("SELECT DISTINCT patient_id, vital, rule_version, source, "
                         "source_partition FROM ops.alert WHERE rule = 'severe-high'"),
            "p1,85354-9,aha-acc-2025 2025.1,vitals,vitals/topic/0/0\n");
}

TEST_F(MonitorFollowerTest, AnAdultRuleJudgesNoChild) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100, "child"})}});
  EXPECT_EQ(stream_.Alerts(), "");
}

TEST_F(MonitorFollowerTest, ARetractionWithdrawsUnderTheSameId) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.Take({{kMinute, Pressure({"a", 0, 185, 100, "p1", "entered-in-error", "2"})}});
  EXPECT_EQ(stream_.Rows("SELECT change, state FROM ops.alert ORDER BY sequence"),
            "opened,pending\nwithdrawn,withdrawn\n");
  EXPECT_EQ(stream_.Rows("SELECT count(DISTINCT alert_id) FROM ops.alert"), "1\n");
}

TEST_F(MonitorFollowerTest, ACorrectionToAnotherPatientFollowsThem) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 210, 100})}});
  stream_.Take({{kMinute, Pressure({"a", 0, 210, 100, "p2", "corrected", "2"})}});
  std::string nothing = Pressure({"a", 0, 210, 100, "p2", "corrected", "3"});
  nothing.replace(nothing.find("\"component\""), std::string::npos,
                  R"("dataAbsentReason":{"coding":[{"code":"error"}]}})");
  stream_.Take({{2 * kMinute, nothing}});
  EXPECT_EQ(stream_.Rows("SELECT change, patient_id FROM ops.alert WHERE rule = 'severe-high' "
                         "ORDER BY sequence"),
            "opened,p1\nwithdrawn,p1\nopened,p2\nwithdrawn,p2\n");
}

// A DELETE entry names neither patient nor vital sign.
TEST_F(MonitorFollowerTest, ADeleteWithdrawsToo) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  const std::string entry = R"({"resourceType":"Bundle","type":"transaction","entry":[)"
                            R"({"request":{"method":"DELETE","url":"Observation/a"}},)"
                            R"({"request":{"method":"DELETE","url":"Observation/never-seen"}}]})";
  stream_.Take({{kMinute, entry}});
  stream_.Take({{2 * kMinute, Pressure({"never-seen", kMinute, 190, 100})}});
  EXPECT_EQ(stream_.Rows("SELECT change, state FROM ops.alert ORDER BY sequence"),
            "opened,pending\nwithdrawn,withdrawn\n");
}

TEST_F(MonitorFollowerTest, AnUnknownPatientIsTheOperationsQueuesUntilTheyAppear) {
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  EXPECT_EQ(stream_.Rows("SELECT change, rule, queue FROM ops.alert"),
            "opened,operations,operations\n");
  KnowPatients();
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(stream_.Rows("SELECT change, rule, queue FROM ops.alert ORDER BY sequence OFFSET 1"),
            "opened,severe-high,clinical\nclosed,operations,operations\n");
  EXPECT_EQ(stream_.Rows("SELECT reading_ids FROM ops.alert WHERE rule = 'severe-high'"),
            "[\"a\"]\n");
  stream_.Take({{kMinute, Pressure({"b", kMinute, 186, 100})}});
  EXPECT_EQ(stream_.Rows("SELECT change, rule, state FROM ops.alert ORDER BY sequence OFFSET 3"),
            "updated,severe-high,open\nopened,high,open\n");
  EXPECT_EQ(stream_.Rows("SELECT actor, action, target, source_partition, source_offset "
                         "FROM ops.action ORDER BY ordinal OFFSET 1"),
            "system,patient,p1,vitals/topic/0/0,1\n");
}

TEST_F(MonitorFollowerTest, APatientOnTheStreamIsKnownFromThere) {
  stream_.Start();
  stream_.Take({{0, PatientText("p9", "1940-01-01")},
                {kSecond, Pressure({"a", 0, 185, 100, "p9"})},
                {2 * kSecond, PatientText("p9", "1940-01-01", R"("deceasedBoolean":true,)")},
                {kMinute, Pressure({"b", kMinute, 190, 100, "p9"})}});
  // After the death only the operations queue hears of a critical value.
  EXPECT_EQ(stream_.Rows("SELECT change, rule, state FROM ops.alert ORDER BY sequence"),
            "opened,severe-high,pending\nopened,operations,open\n");
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.action WHERE action = 'patient'"), "0\n");
}

// The survivor says whom it replaces; only the merged patient's readings are on the stream.
TEST_F(MonitorFollowerTest, ASurvivorsWordMergesPatients) {
  const auto link = [](const char* patient, const char* type) {
    return fmt::format(R"("link":[{{"other":{{"reference":"Patient/{}"}},"type":"{}"}}],)", patient,
                       type);
  };
  stream_.lake().Ingest(
      {{"patients.ndjson", PatientText("old", "1950-05-01") + "\n" +
                               PatientText("new", "1950-05-01", link("old", "replaces")) + "\n" +
                               PatientText("older", "1950-05-01", link("new", "replaced-by"))}});
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100, "old"})}});
  EXPECT_EQ(stream_.Rows("SELECT target, source_offset FROM ops.action WHERE action = 'patient' "
                         "ORDER BY target"),
            "new,0\nold,0\n");
  stream_.Take({{2 * kMinute, Pressure({"b", 2 * kMinute, 120, 80, "older"})}});
  EXPECT_EQ(stream_.Rows("SELECT patient_id, rule, change, state FROM ops.alert ORDER BY sequence"),
            "new,severe-high,opened,pending\nnew,severe-high,closed,closed\n");
  // Taken back, and said of another, who is met by that.
  stream_.lake().Ingest(
      {{"again.ndjson", PatientText("new", "1950-05-01", R"("meta":{"versionId":"2"},)") + "\n" +
                            PatientText("other", "1950-05-01", link("old", "replaces"))}});
  stream_.Pass(2 * kSecond);
  stream_.Take({{kHour, Pressure({"c", kHour, 185, 100, "old"})},
                {kHour + kMinute, Pressure({"d", kHour + kMinute, 120, 80, "new"})}});
  EXPECT_EQ(stream_.Rows("SELECT change FROM ops.alert WHERE opened_at = '2026-03-02 09:00:00Z'"),
            "opened\n");
  stream_.Take({{kHour + 2 * kMinute, Pressure({"e", kHour + 2 * kMinute, 120, 80, "other"})}});
  EXPECT_EQ(stream_.Rows("SELECT change FROM ops.alert WHERE opened_at = '2026-03-02 09:00:00Z' "
                         "ORDER BY sequence"),
            "opened\nclosed\n");
  const std::string state = stream_.Snapshot();
  stream_.Start();
  EXPECT_EQ(stream_.Snapshot(), state);
}

// Named by this subject; and a patient who holds that identifier.
std::string Named(const std::string& id, Micros at, int systolic, std::string_view subject) {
  constexpr std::string_view kLiteral = R"({"reference":"Patient/x"})";
  std::string text = Pressure({id, at, systolic, 80, "x"});
  return text.replace(text.find(kLiteral), kLiteral.size(), subject);
}
std::string Holder(const char* value, const char* version = "1", const char* more = "") {
  return fmt::format(
      R"("meta":{{"versionId":"{}"{}}},"identifier":[{{"system":"urn:mrn","value":"{}"}}],)",
      version, more, value);
}
constexpr std::string_view kLogical = R"({"identifier":{"system":"urn:mrn","value":"7"}})";
constexpr std::string_view kConditional = R"({"reference":"Patient?identifier=urn:mrn|7"})";

// The sender knows a business identifier alone, and two senders may write it in two ways.
TEST_F(MonitorFollowerTest, WhoIsNamedByAnIdentifierIsWhoHoldsIt) {
  stream_.Start();
  stream_.Take({{kSecond, Named("a", 0, 185, kLogical)}});
  EXPECT_EQ(stream_.Rows("SELECT patient_id, rule FROM ops.alert"),
            "?identifier=urn:mrn|7,operations\n");
  stream_.lake().Ingest({{"one.json", PatientText("one", "1950-05-01", Holder("7"))}});
  stream_.Pass(2 * kSecond);
  stream_.Take({{2 * kMinute, Named("b", 2 * kMinute, 188, kConditional)}});
  EXPECT_EQ(stream_.Rows("SELECT patient_id, change, state FROM ops.alert "
                         "WHERE rule = 'severe-high' ORDER BY sequence"),
            "one,opened,pending\none,updated,open\n");
  // A normal reading under the patient's own id is of the same person.
  stream_.Take({{5 * kMinute, Pressure({"c", 5 * kMinute, 120, 80, "one"})}});
  EXPECT_EQ(stream_.Rows("SELECT patient_id FROM ops.alert WHERE rule = 'severe-high' "
                         "AND change = 'closed'"),
            "one\n");
  // It is another's: so are the readings, and what they open.
  stream_.lake().Ingest({{"two.ndjson", PatientText("one", "1950-05-01", Holder("8", "2")) + "\n" +
                                            PatientText("two", "1960-05-01", Holder("7"))}});
  stream_.Pass(2 * kSecond);
  stream_.Take({{kHour, Named("d", kHour, 186, kLogical)}});
  EXPECT_EQ(stream_.Rows("SELECT patient_id, change FROM ops.alert WHERE rule = 'severe-high' "
                         "ORDER BY sequence OFFSET 3"),
            "one,withdrawn\ntwo,opened\ntwo,updated\n");
  const std::string state = stream_.Snapshot();
  stream_.Start();
  EXPECT_EQ(stream_.Snapshot(), state);
}

// Not for a moment as somebody without an age.
TEST_F(MonitorFollowerTest, WhoTurnsOutToBeAChildOrATestIsJudgedAsThat) {
  constexpr const char* kTest =
      R"(,"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HTEST"}])";
  const std::vector<std::string> patients = {
      PatientText("child", "2022-05-01", Holder("7")),
      PatientText("test", "1950-05-01", Holder("7", "1", kTest))};
  for (const std::string& patient : patients) {
    WatchedStream stream;
    stream.Start();
    stream.Take({{kSecond, Named("a", 0, 215, kLogical)}});
    stream.lake().Ingest({{"patient.json", patient}});
    stream.Pass(2 * kSecond);
    EXPECT_EQ(stream.Rows("SELECT DISTINCT rule FROM ops.alert"), "operations\n") << patient;
  }
}

// No patient's identifiers change when two who hold the same become one person.
TEST_F(MonitorFollowerTest, TwoWhoHoldAnIdentifierMayBecomeOnePerson) {
  stream_.lake().Ingest({{"two.ndjson", PatientText("a", "1950-05-01", Holder("7")) + "\n" +
                                            PatientText("b", "1950-05-01", Holder("7"))}});
  stream_.Start();
  stream_.Take({{kSecond, Named("r", 0, 190, kLogical)}});
  EXPECT_EQ(stream_.Rows("SELECT rule FROM ops.alert"), "operations\n");
  stream_.lake().Ingest(
      {{"one.json", PatientText("c", "1950-05-01",
                                R"("link":[{"other":{"reference":"Patient/a"},"type":"replaces"},)"
                                R"({"other":{"reference":"Patient/b"},"type":"replaces"}],)")}});
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(stream_.Rows("SELECT state FROM ops.alert WHERE rule = 'severe-high'"), "pending\n");
  stream_.Take({{2 * kMinute, Pressure({"s", 2 * kMinute, 191, 80, "c"})}});
  EXPECT_EQ(stream_.Rows("SELECT change, state FROM ops.alert WHERE rule = 'severe-high' "
                         "ORDER BY sequence OFFSET 1"),
            "updated,open\n");
}

// A batch of two partitions, with one message of each at `offset`.
StreamBatch OfTwo(const StreamPartition& first, const StreamPartition& second, int64_t offset,
                  const std::string& of_first, const std::string& of_second) {
  StreamBatch batch;
  batch.messages.push_back({first.partition, offset, kMorning, "", of_first});
  batch.messages.push_back({second.partition, offset, kMorning, "", of_second});
  batch.ranges[first.partition] = {first, offset, offset + 1};
  batch.ranges[second.partition] = {second, offset, offset + 1};
  return batch;
}

TEST_F(MonitorFollowerTest, PatientsOfAllPartitionsAreMetInOneCommit) {
  KnowPatients();
  stream_.Start();
  const StreamPartition other = {"vitals", "topic", 1, 0};
  stream_.Begin(other);
  const auto version = [&] {
    return stream_.lake().lake().Latest("ops.action").value()->version().value;
  };
  const int64_t before = version();
  stream_.Observe(OfTwo(stream_.Partition(), other, 0, Pressure({"a", 0, 185, 100}),
                        Pressure({"b", 0, 186, 101, "p2"})));
  EXPECT_EQ(version(), before + 1);
  EXPECT_EQ(stream_.Rows("SELECT source_partition, target, source_offset, ordinal FROM ops.action "
                         "WHERE action = 'patient' ORDER BY 1"),
            "vitals/topic/0/0,p1,0,1\nvitals/topic/1/0,p2,0,1\n");
  stream_.Commit();
  EXPECT_EQ(stream_.Rows("SELECT source_partition, rule, patient_id FROM ops.alert ORDER BY 1"),
            "vitals/topic/0/0,severe-high,p1\nvitals/topic/1/0,severe-high,p2\n");
}

TEST_F(MonitorFollowerTest, SnapshotsAreMadeOneAfterAnother) {
  stream_.Start();
  const StreamPartition other = {"vitals", "topic", 1, 0};
  stream_.Begin(other);
  const auto snapshots = [&] {
    const auto found = stream_.lake().lake().store().List("_vitalake/monitor/");
    return std::ranges::count_if(
        *found, [](const storage::ObjectInfo& object) { return object.key.ends_with(".snap"); });
  };
  const auto take = [&](int64_t offset) {
    const std::string id = fmt::format("r{}", offset);
    stream_.Observe(
        OfTwo(stream_.Partition(), other, offset, Pressure({id}), Pressure({"o" + id})));
    stream_.Commit();
  };
  take(0);
  EXPECT_EQ(snapshots(), 0);
  stream_.clock().Advance(MonitorPace().snapshot_every / std::chrono::microseconds(1));
  take(1);
  EXPECT_EQ(snapshots(), 1);
  take(2);
  EXPECT_EQ(snapshots(), 1);
  stream_.clock().Advance(MonitorPace().snapshot_every / std::chrono::microseconds(2));
  take(3);
  EXPECT_EQ(snapshots(), 2);
}

TEST_F(MonitorFollowerTest, ACriticalRecordInQuarantineIsTold) {
  stream_.Start();
  std::string text = Pressure({"q", 0, 250, 100});
  text.replace(text.find("\"2026-03-02T08:00:00Z\""), 22, "\"yesterday\"");
  stream_.Take({{kSecond, text}});
  EXPECT_EQ(stream_.Rows("SELECT change, rule, queue, reading_ids FROM ops.alert"),
            "opened,operations,operations,[\"q\"]\n");
}

TEST_F(MonitorFollowerTest, ABatchSeenTwiceHasNoEffect) {
  KnowPatients();
  stream_.Start();
  StreamBatch batch;
  batch.messages.push_back({0, 0, kMorning, "", Pressure({"a", 0, 185, 100})});
  batch.ranges[0] = {stream_.Partition(), 0, 1};
  stream_.ObserveAgain(batch);
  const std::string snapshot = stream_.Snapshot();
  stream_.ObserveAgain(batch);
  EXPECT_EQ(stream_.Snapshot(), snapshot);
  EXPECT_EQ(stream_.feed().published(), 1);
}

TEST_F(MonitorFollowerTest, A60DayOldRepeatAfterARestartRaisesNothing) {
  constexpr Micros kLater = 60 * 24 * kHour;
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"r1", 0, 204, 90})}});
  const auto opened = [&] {
    return stream_.Rows("SELECT rule, reading_ids FROM ops.alert WHERE change = 'opened'");
  };
  const std::string before = opened();
  EXPECT_EQ(before, "severe-high,[\"r1\"]\n");
  stream_.End();
  stream_.clock().Advance(kLater);
  stream_.Start();
  stream_.Take({{kLater, Pressure({"r1", 0, 204, 90})}});
  EXPECT_EQ(opened(), before);
}

TEST_F(MonitorFollowerTest, NoTableHasAnAlertWhoseRecordBronzeLacks) {
  KnowPatients();
  stream_.Start();
  const auto heard = stream_.feed().Subscribe(10);
  stream_.Observe({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(heard->Take({}).size(), 1);  // the feed has it at once
  EXPECT_EQ(stream_.Alerts(), "");
  stream_.Commit();
  EXPECT_EQ(stream_.Alerts(), "opened,severe-high,pending,high,185,100\n");
}

// As of messages over HTTP, which have their offsets only then.
TEST_F(MonitorFollowerTest, TheFeedMayHaveToWaitForBronze) {
  KnowPatients();
  stream_.Start(Tell::kOnceInBronze);
  const auto heard = stream_.feed().Subscribe(10);
  stream_.Observe({{kSecond, Pressure({"a", 0, 185, 100})}});
  EXPECT_TRUE(heard->Take({}).empty());
  EXPECT_TRUE(stream_.follower().AwaitsBronze());
  stream_.Commit();
  EXPECT_EQ(heard->Take({}).size(), 1);
  EXPECT_FALSE(stream_.follower().AwaitsBronze());
}

TEST_F(MonitorFollowerTest, WithoutARepeatItIsToldAsUnconfirmed) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.Pass(14 * kMinute);
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.alert"), "1\n");
  stream_.Pass(2 * kMinute);
  EXPECT_EQ(stream_.Rows("SELECT change, state FROM ops.alert ORDER BY sequence OFFSET 1"),
            "updated,unconfirmed\n");
  EXPECT_EQ(stream_.Rows("SELECT action, source_offset FROM ops.action WHERE action = 'tick'"),
            "tick,1\n");
}

TEST_F(MonitorFollowerTest, WhatPeopleAskForIsAnsweredOnce) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 205, 100})}});
  AskToAcknowledge();
  stream_.Pass(2 * kSecond);
  stream_.Start();  // also when it is looked for again
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(stream_.Rows("SELECT change, acknowledged_by, notify FROM ops.alert "
                         "WHERE acknowledged_at IS NOT NULL"),
            "updated,nurse-7,false\n");
  // A later row of the alert still says who.
  stream_.Take({{kHour, Pressure({"b", kHour, 120, 80})}});
  EXPECT_EQ(stream_.Rows("SELECT state, acknowledged_by FROM ops.alert WHERE rule = 'severe-high' "
                         "ORDER BY sequence DESC LIMIT 1"),
            "closed,nurse-7\n");
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.action WHERE action = 'acknowledge'"), "2\n");
}

// Its own commits to ops.action ask for nothing; one of its own right behind somebody else's must
// not hide that.
TEST_F(MonitorFollowerTest, WhatPeopleAskForIsFoundUnderCommitsOfItsOwn) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 205, 100})}});
  stream_.Pass(2 * kSecond);
  AskToAcknowledge();
  stream_.follower().OfferRules(WithSevereAbove(150));
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(stream_.Rows("SELECT action FROM ops.action WHERE action IN ('rules', 'acknowledge') "
                         "AND source_offset IS NOT NULL ORDER BY ordinal"),
            "rules\nrules\nacknowledge\n");
}

TEST_F(MonitorFollowerTest, NewRulesAreRecordedAndJudgeWhatComes) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.set_rules(WithSevereAbove(150));
  stream_.Start();
  stream_.Take({{kHour, Pressure({"b", kHour, 155, 90, "p2"})}});
  EXPECT_EQ(stream_.Rows("SELECT patient_id, value::INTEGER FROM ops.alert "
                         "WHERE change = 'opened' AND rule = 'severe-high' ORDER BY sequence"),
            "p1,185\np2,155\n");
  EXPECT_EQ(stream_.Rows("SELECT action, source_offset FROM ops.action WHERE action = 'rules' "
                         "ORDER BY ordinal"),
            "rules,0\nrules,1\n");
}

// While it runs: what was judged stays, and a replay changes the rules at the same place.
TEST_F(MonitorFollowerTest, OfferedRulesAreRecordedBeforeTheyJudge) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 155, 90})}});
  EXPECT_EQ(stream_.Alerts(), "");
  stream_.follower().OfferRules(WithSevereAbove(150));
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(stream_.Rows("SELECT source_offset FROM ops.action WHERE action = 'rules' "
                         "ORDER BY ordinal"),
            "0\n1\n");
  stream_.Take({{3 * kSecond, Pressure({"b", 2 * kSecond, 156, 90, "p2"})}});
  EXPECT_EQ(stream_.Alerts(), "opened,severe-high,pending,high,156,90\n");
  stream_.follower().OfferRules(WithSevereAbove(150));
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.action WHERE action = 'rules'"), "2\n")
      << "the same again is no activation";
  const std::string state = stream_.Snapshot();
  stream_.set_rules(WithSevereAbove(150));
  stream_.Start();
  EXPECT_EQ(stream_.Snapshot(), state);
}

TEST_F(MonitorFollowerTest, AnotherGuidelineIsRecordedAndJudgesWhatComes) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 178, 112})}});
  EXPECT_EQ(stream_.Alerts(), "");
  stream_.set_rules(MonitorRules::Load({}, "esc-2024").value());
  stream_.Start();
  stream_.Take({{kHour, Pressure({"b", kHour, 178, 112, "p2"})}});
  EXPECT_EQ(stream_.Rows("SELECT rule, state, rule_version, patient_id FROM ops.alert"),
            "severe-high,pending,esc-2024 2024.1,p2\n");
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.action WHERE action = 'rules' "
                         "AND target LIKE 'esc-2024 2024.1,%' AND source_offset = 1"),
            "1\n");
  const std::string state = stream_.Snapshot();
  stream_.Start();
  EXPECT_EQ(stream_.Snapshot(), state);
}

// A sender with one time for all: judged as of their receipt, nothing is late.
TEST_F(MonitorFollowerTest, ReadingsAreJudgedByArrivalWhereTimesCannotBeUsed) {
  KnowPatients();
  MonitorRules rules = MonitorRules::Load({}).value();
  rules.by_arrival = true;
  stream_.set_rules(rules);
  stream_.Start();
  const Micros long_ago = -1000 * kHour;
  stream_.Take({{kSecond, Pressure({"a", long_ago, 185, 100})}});
  stream_.Take({{5 * kMinute, Pressure({"b", long_ago, 188, 102})}});
  stream_.Take({{9 * kMinute, Pressure({"c", long_ago, 124, 78})}});
  EXPECT_EQ(stream_.Rows("SELECT change, state, late_by FROM ops.alert WHERE rule = 'severe-high' "
                         "ORDER BY sequence"),
            "opened,pending,\nupdated,open,\nclosed,closed,\n");
  EXPECT_EQ(stream_.Rows("SELECT opened_at, closed_at FROM ops.alert WHERE rule = 'severe-high' "
                         "ORDER BY sequence OFFSET 2"),
            "2026-03-02 08:00:01+00,2026-03-02 08:09:00+00\n");
  const std::string state = stream_.Snapshot();
  stream_.Start();
  EXPECT_EQ(stream_.Snapshot(), state) << "recorded with the rules";
}

TEST_F(MonitorFollowerTest, ATopicMadeAnewGoesOnWithItsPatientsAndAlerts) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.NextEpoch();
  stream_.Take({{5 * kMinute, Pressure({"b", 5 * kMinute, 188, 102})}});
  stream_.Start();  // from nothing but what is recorded
  stream_.Take({{9 * kMinute, Pressure({"c", 9 * kMinute, 124, 78})}});
  EXPECT_EQ(stream_.Rows("SELECT source_partition, change, state FROM ops.alert WHERE rule = "
                         "'severe-high' ORDER BY source_partition, sequence"),
            "vitals/topic/0/0,opened,pending\nvitals/topic/0/1,updated,open\n"
            "vitals/topic/0/1,closed,closed\n");
  EXPECT_EQ(stream_.Rows("SELECT count(DISTINCT alert_id) FROM ops.alert WHERE rule = "
                         "'severe-high'"),
            "1\n");
  EXPECT_EQ(stream_.Rows("SELECT action, source_partition FROM ops.action ORDER BY "
                         "source_partition, ordinal"),
            "rules,vitals/topic/0/0\npatient,vitals/topic/0/0\nrules,vitals/topic/0/1\n");
}

// A topic whose first 500 messages were gone before it was read, watched for the first time.
TEST_F(MonitorFollowerTest, APartitionIsWatchedFromWhereItsMessagesBegin) {
  KnowPatients();
  const StreamPartition partition = stream_.Partition();
  StreamBatch batch;
  batch.messages.push_back({0, 500, kMorning, "", Pressure({"a", 0, 185, 100})});
  batch.messages.push_back({0, 501, kMorning + kMinute, "", Pressure({"b", kMinute, 188, 100})});
  batch.ranges[0] = {partition, 0, 502};
  lake::CommitNote note;
  note.txns[partition.AppId()] = 502;
  WatchedStream::Succeeds(
      AppendToBronze(stream_.lake().lake(), batch.messages, batch.ranges, "vitals", note, {}));
  stream_.Start();
  EXPECT_EQ(stream_.Rows("SELECT action, source_offset FROM ops.action ORDER BY ordinal"),
            "rules,500\npatient,500\n");
  EXPECT_EQ(stream_.Rows("SELECT change, state, source_offset FROM ops.alert WHERE rule = "
                         "'severe-high' ORDER BY sequence"),
            "opened,pending,500\nupdated,open,501\n");
  const std::string snapshot = stream_.Snapshot();
  stream_.Start();
  EXPECT_EQ(stream_.Snapshot(), snapshot);
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.alert WHERE rule = 'severe-high'"), "2\n");
}

TEST_F(MonitorFollowerTest, APartitionThatCouldNotBeginIsTriedAgain) {
  stream_.Start();
  // A second partition whose first action is no activation of rules.
  const StreamPartition partition = {"vitals", "topic", 7, 0};
  auto actions = ActionLog::Open(stream_.lake().lake(), partition.AppId());
  std::vector<RecordedAction> rows(1);
  rows[0].action = "tick";
  rows[0].position = 0;
  ASSERT_TRUE(actions->Append(rows, {}).has_value());
  const Status begun = stream_.follower().Begin(partition, std::nullopt, {});
  ASSERT_FALSE(begun.has_value());
  EXPECT_EQ(begun.error().kind, ErrorKind::kCorrupt);

  StreamBatch batch;
  batch.ranges[7] = {partition, 0, 1};
  lake::LedgerRun run;
  const std::vector<lake::SilverView> views;
  const GroupStage nothing(stream_.lake().lake(), {views, {}, {}}, run, {}, true);
  WatchedStream::Succeeds(stream_.follower().Observe(batch, nothing, {}));
  stream_.clock().Advance(30 * kSecond);
  const Status observed = stream_.follower().Observe(batch, nothing, {});
  ASSERT_FALSE(observed.has_value());
  EXPECT_EQ(observed.error().kind, ErrorKind::kConflict);
  stream_.clock().Advance(30 * kSecond);
  stream_.follower().End(partition);
  WatchedStream::Succeeds(stream_.follower().Observe(batch, nothing, {}));
}

// Messages that waited at the broker are judged by when they reached it, whatever is recorded when
// the service begins.
TEST_F(MonitorFollowerTest, ABacklogIsNotLate) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"z", 0, 120, 80})}});
  stream_.End();
  stream_.clock().Advance(90 * kMinute);
  stream_.lake().Ingest({{"again.ndjson", PatientText("p1", "1951-05-01") + "\n"}});
  stream_.Start();
  EXPECT_EQ(stream_.Rows("SELECT time FROM ops.action WHERE action = 'patient' "
                         "ORDER BY ordinal OFFSET 1"),
            "2026-03-02 08:00:01+00\n");
  stream_.Take({{61 * kMinute, Pressure({"a", 60 * kMinute, 185, 95})},
                {64 * kMinute, Pressure({"b", 63 * kMinute, 130, 80})}});
  EXPECT_EQ(stream_.Rows("SELECT change, state, late_by, updated_at FROM ops.alert "
                         "WHERE rule = 'severe-high' ORDER BY sequence"),
            "opened,pending,,2026-03-02 09:01:00+00\nclosed,closed,,2026-03-02 09:04:00+00\n");
}

// Time passed by the wall while the broker was away.
TEST_F(MonitorFollowerTest, WhatWaitedDuringATickIsNotLate) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.Pass(40 * kMinute);  // no repeat in 15 minutes
  stream_.Take({{21 * kMinute, Pressure({"b", 20 * kMinute, 185, 100, "p2"})},
                {24 * kMinute, Pressure({"c", 23 * kMinute, 130, 80, "p2"})}});
  EXPECT_EQ(stream_.Rows("SELECT patient_id, change, state, late_by FROM ops.alert "
                         "WHERE rule = 'severe-high' ORDER BY sequence"),
            "p1,opened,pending,\np1,updated,unconfirmed,\n"
            "p2,opened,pending,\np2,closed,closed,\n");
  // A reading of before the tick does not undo what the tick told.
  stream_.Take({{10 * kMinute, Pressure({"d", -kMinute, 120, 80})}});
  EXPECT_EQ(stream_.Rows("SELECT count(*) FROM ops.alert WHERE patient_id = 'p1'"), "2\n");
}

// What the feed told is numbered the same when its messages come again, whatever changed meanwhile:
// a listener that goes on behind the last number it got would else never hear of a step.
class ToldTest : public MonitorFollowerTest {
 protected:
  // The steps the feed told so far: sequence, patient, rule, change.
  std::vector<std::string> Told() {
    for (const auto& alert : heard_->Take({})) {
      told_.push_back(fmt::format("{},{},{},{}", alert->sequence, alert->patient_id, alert->rule,
                                  alert->change));
    }
    return told_;
  }
  std::string InTable() {
    return stream_.Rows(
        "SELECT sequence, patient_id, rule, change FROM ops.alert "
        "ORDER BY sequence");
  }

  std::shared_ptr<AlertFeed::Subscription> heard_ = stream_.feed().Subscribe(100);
  std::vector<std::string> told_;
};

TEST_F(ToldTest, WhatPeopleAskedForMeanwhileComesBehindIt) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.Observe({{2 * kSecond, Pressure({"b", 0, 190, 100, "p2"})}});
  const std::vector<std::string> before = {"0,p1,severe-high,opened", "1,p2,severe-high,opened"};
  ASSERT_EQ(Told(), before);
  AskToAcknowledge();
  stream_.Start();
  stream_.Pass(2 * kSecond);
  stream_.Take({{2 * kSecond, Pressure({"b", 0, 190, 100, "p2"})}});
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(InTable(),
            "0,p1,severe-high,opened\n1,p2,severe-high,opened\n2,p1,severe-high,updated\n");
  const std::string state = stream_.Snapshot();
  stream_.Start();
  EXPECT_EQ(stream_.Snapshot(), state);
}

TEST_F(ToldTest, APatientWhoAppearedMeanwhileIsMetBehindIt) {
  stream_.Start();
  stream_.Observe({{kSecond, Pressure({"a", 0, 185, 100})}});
  ASSERT_EQ(Told(), std::vector<std::string>{"0,p1,operations,opened"});
  KnowPatients();
  stream_.Start();
  stream_.Take(
      {{kSecond, Pressure({"a", 0, 185, 100})}, {kMinute, Pressure({"b", kMinute, 186, 100})}});
  EXPECT_EQ(stream_.Rows("SELECT target, source_offset FROM ops.action WHERE action = 'patient'"),
            "p1,1\n");
  EXPECT_TRUE(InTable().starts_with(
      "0,p1,operations,opened\n1,p1,severe-high,opened\n2,p1,operations,closed\n"))
      << InTable();
  EXPECT_EQ(stream_.Rows("SELECT change, reading_ids FROM ops.alert WHERE rule = 'severe-high' "
                         "AND source_offset = 1 LIMIT 1"),
            "opened,[\"a\"]\n");
}

// The broker lost them.
TEST_F(ToldTest, MessagesThatDoNotComeAgainAreNotWaitedForLong) {
  KnowPatients();
  stream_.Start();
  stream_.Take({{kSecond, Pressure({"a", 0, 185, 100})}});
  stream_.Observe({{2 * kSecond, Pressure({"b", 0, 190, 100, "p2"})}});
  AskToAcknowledge();
  stream_.Start();
  stream_.Pass(59 * kSecond);
  EXPECT_EQ(InTable(), "0,p1,severe-high,opened\n");
  stream_.Pass(2 * kSecond);
  EXPECT_EQ(InTable(), "0,p1,severe-high,opened\n1,p1,severe-high,updated\n");
}

}  // namespace
}  // namespace vitalake::ingest
