// What tests of the monitor behind a stream share: messages, and a stream driven step by step as
// the pipeline does.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ingest/bronze_stream.h"
#include "ingest/monitoring/follower.h"
#include "ingest/test_lake.h"

namespace vitalake::ingest {

inline constexpr Micros kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
// 2026-03-02T08:00:00Z.
inline constexpr Micros kMorning = Micros{1'772'438'400} * kSecond;

inline std::string Moment(Micros after) { return FormatUtc(kMorning + after).substr(0, 19) + "Z"; }

struct PressureText {
  std::string id = "r1";
  Micros at = 0;  // after kMorning
  int systolic = 120, diastolic = 80;
  std::string patient = "p1";
  std::string status = "final";
  std::string version = "1";
  std::string more = {};  // further members, each with a comma behind it
};

inline std::string Pressure(const PressureText& text) {
  const auto component = [](const char* code, int value) {
    return fmt::format(
        R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}},)"
        R"("valueQuantity":{{"value":{},"unit":"mmHg","system":"http://unitsofmeasure.org",)"
        R"("code":"mm[Hg]"}}}})",
        code, value);
  };
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}","meta":{{"versionId":"{}"}},"status":"{}",{})"
      R"("code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},)"
      R"("subject":{{"reference":"Patient/{}"}},"effectiveDateTime":"{}","component":[{},{}]}})",
      text.id, text.version, text.status, text.more, text.patient, Moment(text.at),
      component("8480-6", text.systolic), component("8462-4", text.diastolic));
}

inline std::string PatientText(const std::string& id, const std::string& birth_date,
                               const std::string& more = "") {
  return fmt::format(R"({{"resourceType":"Patient","id":"{}",{}"birthDate":"{}"}})", id, more,
                     birth_date);
}

// Two adults and a child.
inline const std::string kPatients = PatientText("p1", "1950-05-01") + "\n" +
                                     PatientText("p2", "1961-07-20") + "\n" +
                                     PatientText("child", "2020-01-01") + "\n";

struct TimedText {
  Micros received = 0;  // after kMorning
  std::string payload;
};

// One partition of a stream into a lake of its own, on a clock that stands still.
class WatchedStream {
 public:
  explicit WatchedStream(MonitorRules rules = MonitorRules::Load({}).value())
      : lake_(&clock_), rules_(std::move(rules)) {
    EXPECT_TRUE(lake_.lake().CreateMissingTables().has_value());
    views_ = lake::LoadSilverViews({}).value();
  }

  // A new process that knows nothing but the lake; the one before died where it stood.
  void Start(Tell tell = Tell::kAtOnce) {
    follower_.reset();
    batches_.clear();
    StreamSettings settings;
    settings.name = "vitals";
    follower_ =
        std::make_unique<MonitorFollower>(lake_.lake(), views_, settings, rules_, feed_, tell);
    const auto bronze = lake_.lake().Latest(kBronzeStream).value()->FindTxn(Partition().AppId());
    next_ = bronze.value_or(0);
    Succeeds(follower_->Begin(Partition(), bronze, {}));
  }
  // The process gets another partition, of which nothing is in bronze.
  void Begin(const StreamPartition& partition) {
    Succeeds(follower_->Begin(partition, std::nullopt, {}));
  }
  // The pipeline's order: observed as soon as polled, committed later.
  void Observe(const std::vector<TimedText>& texts) {
    StreamBatch batch;
    for (const TimedText& text : texts) {
      batch.messages.push_back({0, next_++, kMorning + text.received, "", text.payload});
    }
    batch.ranges[0] = {Partition(), next_ - static_cast<int64_t>(texts.size()), next_};
    Observe(std::move(batch));
  }
  void Observe(StreamBatch batch) {
    ObserveAgain(batch);
    batches_.push_back(std::move(batch));
  }
  void ObserveAgain(const StreamBatch& batch) {
    lake::LedgerRun run{{"stream/vitals"}, 0, {}};
    for (const auto& [number, range] : batch.ranges) {
      lake::LedgerFile& file = run.files.emplace_back();
      file.ordinal = number;
      file.path = fmt::format("topic/{}", number);
    }
    MessageSources sources;
    for (lake::LedgerFile& file : run.files) {
      const auto number = static_cast<int32_t>(file.ordinal);
      sources[number] = {&run, &file, batch.ranges.at(number).partition.AppId()};
    }
    StagerContext context{views_, {}, {}};
    context.watched = true;
    GroupStage stage(lake_.lake(), context, run, {}, true);
    Succeeds(stage.AddMessages(batch.messages, sources, {}));
    Succeeds(follower_->Observe(batch, stage, {}));
  }
  // Commits the oldest batch that was observed.
  void Commit() {
    const StreamBatch batch = std::move(batches_.front());
    batches_.erase(batches_.begin());
    lake::CommitNote note;
    for (const auto& [_, range] : batch.ranges) note.txns[range.partition.AppId()] = range.end;
    Succeeds(AppendToBronze(lake_.lake(), batch.messages, batch.ranges, "vitals", note, {}));
    Succeeds(follower_->Committed(batch, {}));
  }
  void Take(const std::vector<TimedText>& texts) {
    Observe(texts);
    Commit();
  }
  // Time passes without messages.
  void Pass(Micros time) {
    clock_.Advance(time);
    Succeeds(follower_->Idle(clock_.NowMicros(), {}));
  }
  void End() { follower_->End(Partition()); }

  // The topic is made anew.
  void NextEpoch() {
    ++epoch_;
    Start();
  }

  StreamPartition Partition() const { return {"vitals", "topic", 0, epoch_}; }
  static void Succeeds(const Status& status) {
    ASSERT_TRUE(status.has_value()) << status.error().ToString();
  }

  // All alerts in the order they were raised: what a person would read of them.
  std::string Alerts() {
    return lake_.Rows(
        "SELECT change, rule, state, severity, value::INTEGER, diastolic::INTEGER FROM ops.alert "
        "ORDER BY sequence");
  }
  std::string Rows(std::string_view sql) { return lake_.Rows(sql); }
  std::string Snapshot() const { return follower_->monitor(0)->Snapshot(); }

  TestLake& lake() { return lake_; }
  ManualClock& clock() { return clock_; }
  MonitorFollower& follower() { return *follower_; }
  AlertFeed& feed() { return feed_; }
  void set_rules(MonitorRules rules) { rules_ = std::move(rules); }

 private:
  ManualClock clock_{kMorning};
  TestLake lake_;
  MonitorRules rules_;
  std::vector<lake::SilverView> views_;
  AlertFeed feed_;
  std::unique_ptr<MonitorFollower> follower_;
  std::vector<StreamBatch> batches_;
  int64_t next_ = 0;
  int64_t epoch_ = 0;
};

}  // namespace vitalake::ingest
