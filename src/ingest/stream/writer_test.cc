#include "ingest/stream/writer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "ingest/bronze_stream.h"
#include "ingest/replay.h"
#include "ingest/test_lake.h"

namespace vitalake::ingest {
namespace {

constexpr Micros kReceived = 1'775'001'600'000'000;

std::string Reading(const std::string& id, int systolic, const std::string& version = "1") {
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}","meta":{{"versionId":"{}"}},"status":"final",)"
      R"("code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},)"
      R"("subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2026-01-01T08:00:00Z","component":[)"
      R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"8480-6"}}]}},"valueQuantity":{{"value":{},"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}},)"
      R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"8462-4"}}]}},"valueQuantity":{{"value":80,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}]}})",
      id, version, systolic);
}

constexpr const char* kReadings =
    "SELECT id, systolic_pressure_value::INTEGER FROM silver.observation ORDER BY id";
constexpr const char* kLedger =
    "SELECT range, received, written, superseded, duplicate, quarantined, out_of_scope "
    "FROM ops.ledger ORDER BY range";

class StreamWriterTest : public testing::Test {
 protected:
  StreamWriterTest() {
    EXPECT_TRUE(lake_.lake().CreateMissingTables().has_value());
    views_ = lake::LoadSilverViews({}).value();
  }

  static StreamPartition Partition(int32_t partition) { return {"vitals", "topic", partition, 0}; }
  // A process that knows where the tables are.
  std::unique_ptr<StreamWriter> Process(int partitions = 1) {
    StreamSettings settings;
    settings.name = "vitals";
    auto writer = std::make_unique<StreamWriter>(lake_.lake(), settings, views_);
    for (int i = 0; i < partitions; ++i) {
      const auto done = writer->Follow(Partition(i), {});
      EXPECT_TRUE(done.has_value()) << done.error().ToString();
    }
    return writer;
  }
  // Messages of a partition from `first` on, added to `batch`.
  static StreamBatch Batch(int64_t first, const std::vector<std::string>& payloads,
                           int32_t partition = 0, StreamBatch batch = {}) {
    int64_t offset = first;
    for (const std::string& payload : payloads) {
      batch.messages.push_back({partition, offset, kReceived + offset, "", payload});
      ++offset;
    }
    batch.ranges[partition] = {Partition(partition), first, offset};
    return batch;
  }
  static Status Write(StreamWriter& writer, StreamBatch batch, const Wait& wait) {
    std::vector<StreamPartition> partitions;
    for (const auto& [_, range] : batch.ranges) partitions.push_back(range.partition);
    VL_TRY(const auto staged, writer.OpenBatch(partitions));
    VL_RETURN_IF_ERROR(staged->Stage(batch, wait));
    staged->Append(std::move(batch));
    return writer.Write(*staged, wait);
  }
  static void Succeeds(const Status& status) {
    ASSERT_TRUE(status.has_value()) << status.error().ToString();
  }
  static void Conflicts(const Status& status) {
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().kind, ErrorKind::kConflict) << status.error().ToString();
  }
  std::optional<int64_t> PositionOf(std::string_view table, int32_t partition = 0) {
    return lake_.lake().Latest(table).value()->FindTxn(Partition(partition).AppId());
  }

  TestLake lake_;
  std::vector<lake::SilverView> views_;
};

TEST_F(StreamWriterTest, KeepsBytesAndSaysWhereEachRowCameFrom) {
  auto writer = Process();
  const std::string bytes("\x1f\x8b\0 not gzip \xff", 14);
  Succeeds(Write(*writer, Batch(40, {Reading("a", 120), bytes}), {}));
  Succeeds(writer->FlushLedger({}));
  EXPECT_EQ(lake_.Rows("SELECT \"partition\", \"offset\", octet_length(payload), hex(payload)[:6] "
                       "FROM bronze.observation_stream WHERE \"offset\" = 41"),
            "vitals/topic/0/0,41,14,1F8B00\n");
  EXPECT_EQ(lake_.Rows("SELECT id, source, source_partition, source_offset FROM "
                       "silver.observation"),
            "a,vitals,vitals/topic/0/0,40\n");
  EXPECT_EQ(lake_.Rows("SELECT position FROM ops.quarantine"), "topic/0/41\n");
  EXPECT_EQ(lake_.Rows(kLedger), "topic/0/40-41,2,1,0,0,1,0\n");
  for (const char* table : {"bronze.observation_stream", "silver.observation", "silver.vital_sign",
                            "ops.quarantine", "ops.ledger"}) {
    EXPECT_EQ(PositionOf(table), 42) << table;
  }
  EXPECT_EQ(PositionOf("silver.patient"), std::nullopt);  // it got no rows
  Succeeds(writer->CatchUp(1, {}));
  EXPECT_EQ(PositionOf("silver.patient"), 42);
}

TEST_F(StreamWriterTest, ABatchRetriedBehindALaterOneChangesNothing) {
  auto slow = Process();
  auto writer = Process();
  const StreamBatch first = Batch(0, {Reading("a", 120)});
  Succeeds(Write(*writer, first, {}));
  Succeeds(Write(*writer, Batch(1, {Reading("a", 130, "2")}), {}));
  Succeeds(Write(*slow, first, {}));  // all of it is there
  EXPECT_EQ(lake_.Rows(kReadings), "a,130\n");
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM bronze.observation_stream"), "2\n");
  // Reaching beyond what is there, it would bring the beginning twice.
  auto other = Process();
  Succeeds(Write(*writer, Batch(2, {Reading("b", 100)}), {}));
  Conflicts(Write(*other, Batch(2, {Reading("b", 100), Reading("c", 110)}), {}));
  Succeeds(other->Follow(Partition(0), {}));
  Succeeds(Write(*other, Batch(3, {Reading("c", 110)}), {}));
  EXPECT_EQ(lake_.Rows(kReadings), "a,130\nb,100\nc,110\n");
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM bronze.observation_stream"), "4\n");
}

TEST_F(StreamWriterTest, SmallFilesStayFewWhateverIsCompactedBesideIt) {
  auto writer = Process();
  const int64_t due = lake_.lake().options().maintain.small_files;
  constexpr int64_t kBatches = 50;
  ASSERT_GT(kBatches, due);
  size_t most = 0;
  for (int64_t i = 0; i < kBatches; ++i) {
    Succeeds(Write(*writer, Batch(i, {Reading(fmt::format("r{}", i), 120)}), {}));
    most = std::max(most, lake_.lake().Latest("silver.vital_sign").value()->files().size());
  }
  EXPECT_LE(most, static_cast<size_t>(due));
  EXPECT_EQ(lake_.Rows("SELECT count(*), count(DISTINCT id) FROM silver.observation"), "50,50\n");
  // While something else takes the memory it is put off.
  std::promise<void> held, ended;
  const std::jthread busy([&] {
    const std::lock_guard lock(lake_.lake().heavy_work());
    held.set_value();
    ended.get_future().wait();
  });
  held.get_future().wait();
  const size_t before = lake_.lake().Latest("silver.observation").value()->files().size();
  for (int64_t i = kBatches; i < kBatches + due + due / 2; ++i) {
    Succeeds(Write(*writer, Batch(i, {Reading(fmt::format("r{}", i), 120)}), {}));
  }
  EXPECT_EQ(lake_.lake().Latest("silver.observation").value()->files().size(),
            before + static_cast<size_t>(due + due / 2));
  ended.set_value();
}

TEST_F(StreamWriterTest, ASharedCommitThatLostOnePartitionIsNotMade) {
  auto slow = Process(2);
  auto writer = Process(2);
  Succeeds(Write(*writer, Batch(0, {Reading("a", 120)}), {}));
  Conflicts(Write(*slow, Batch(0, {Reading("b", 121)}, 1, Batch(0, {Reading("a", 120)})), {}));
  EXPECT_EQ(PositionOf("bronze.observation_stream", 1), std::nullopt);
  Succeeds(slow->Follow(Partition(0), {}));
  Succeeds(slow->Follow(Partition(1), {}));
  Succeeds(Write(*slow, Batch(0, {Reading("b", 121)}, 1), {}));
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\nb,121\n");
}

TEST_F(StreamWriterTest, TablesBehindBronzeReadFromThere) {
  const StreamBatch batch = Batch(5, {Reading("a", 120), "no JSON", Reading("b", 121)});
  lake::CommitNote note;
  note.txns[Partition(0).AppId()] = 8;
  Succeeds(AppendToBronze(lake_.lake(), batch.messages, batch.ranges, "vitals", note, {}));
  auto writer = Process();
  Succeeds(writer->FlushLedger({}));
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\nb,121\n");
  EXPECT_EQ(lake_.Rows(kLedger), "topic/0/0-7,3,2,0,0,1,0\n");
  EXPECT_EQ(writer->position(Partition(0)), 8);
  EXPECT_EQ(PositionOf("silver.observation"), 8);
  // Once more there is nothing to do.
  Succeeds(Process()->FlushLedger({}));
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM ops.ledger"), "1\n");
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM ops.quarantine"), "1\n");
}

// Batch by batch, with a process that dies before the ledger knows.
TEST_F(StreamWriterTest, TablesWithoutRowsDoNotPassOverWhatIsInBronzeAheadOfThem) {
  auto writer = Process();
  Succeeds(Write(*writer, Batch(0, {Reading("a", 120)}), {}));
  StreamBatch batch = Batch(1, {Reading("b", 121)});
  {
    const auto staged = writer->OpenBatch({Partition(0)}).value();
    Succeeds(staged->Stage(batch, {}));
    staged->Append(std::move(batch));
    Succeeds(writer->KeepInBronze(*staged, {}));
    Succeeds(writer->CatchUp(1, {}));
  }
  EXPECT_EQ(PositionOf("bronze.observation_stream"), 2);
  for (const char* table : {"silver.patient", "silver.observation", "ops.quarantine"}) {
    EXPECT_EQ(PositionOf(table), 1) << table;
  }
  Process();  // after a kill
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\nb,121\n");
}

TEST_F(StreamWriterTest, ABatchIsNotComparedWithWhatTheOtherTableGotOfIt) {
  auto writer = Process();
  const auto staged = writer->OpenBatch({Partition(0)}).value();
  Succeeds(staged->Stage(Batch(0, {Reading("a", 120)}), {}));
  GroupStage& stage = staged->stage();
  Succeeds(stage.Close({}));
  const auto upsert = [&](Silver table, delta::SnapshotPtr before) {
    auto request = stage.Request(
        table, [](const auto&) { return lake::CommitNote{{{"vitals/topic/0/0", 1}}, {}}; });
    request.elsewhere_at = std::move(before);
    return lake::Upsert(lake_.lake(), request, {}).value();
  };
  const delta::SnapshotPtr before = *lake_.lake().Latest("silver.vital_sign");
  const auto vital_sign = upsert(Silver::kVitalSign, nullptr);
  const auto observation = upsert(Silver::kObservation, before);
  EXPECT_LT(before->version(), vital_sign.version);
  EXPECT_EQ(observation.read_elsewhere, before);
  Succeeds(stage.SettleHomes(observation, vital_sign, {}));
  EXPECT_EQ(lake_.lake().Latest("silver.observation").value()->version(), observation.version);
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\n");
}

TEST_F(StreamWriterTest, TheLedgerIsRebuiltFromCommitsAndFromWhatWasNotCommitted) {
  {
    auto writer = Process();
    Succeeds(Write(*writer, Batch(0, {Reading("a", 120)}), {}));
    Succeeds(writer->FlushLedger({}));
    Succeeds(Write(*writer, Batch(1, {Reading("a", 120)}), {}));        // a repeat: no commit
    Succeeds(Write(*writer, Batch(2, {Reading("b", 121), "{}"}), {}));  // states the repeat too
    Succeeds(Write(*writer, Batch(4, {Reading("b", 122, "2")}), {}));
    Succeeds(Write(*writer, Batch(5, {Reading("b", 121)}), {}));  // superseded: no commit
  }
  Succeeds(Process()->FlushLedger({}));
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\nb,122\n");
  EXPECT_EQ(lake_.Rows(kLedger), "topic/0/0-0,1,1,0,0,0,0\ntopic/0/1-5,5,2,1,1,1,0\n");
  EXPECT_EQ(lake_.Rows("SELECT position FROM ops.quarantine"), "topic/0/3\n");
}

TEST_F(StreamWriterTest, OneTableLackingWhatTheOthersHaveGetsItAlone) {
  {
    auto writer = Process();
    Succeeds(Write(*writer, Batch(0, {Reading("a", 120), Reading("b", 121)}), {}));
    Succeeds(writer->FlushLedger({}));
  }
  // As if silver.vital_sign had been made anew.
  std::filesystem::remove_all(std::filesystem::path(lake_.lake().options().location) /
                              "silver/vital_sign");
  lake_.Reopen();
  ASSERT_TRUE(lake_.lake().CreateMissingTables().has_value());
  auto writer = Process();
  Succeeds(writer->FlushLedger({}));
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM silver.vital_sign"), "4\n");
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\nb,121\n");
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM ops.ledger"), "1\n");
}

TEST_F(StreamWriterTest, ABundleOf500InOneMessage) {
  std::string bundle = R"({"resourceType":"Bundle","type":"collection","entry":[)";
  for (int i = 0; i < 499; ++i) {
    bundle += fmt::format(R"({{"resource":{}}},)", Reading(fmt::format("r{:03}", i), 100 + i % 50));
  }
  bundle += fmt::format(R"({{"resource":{}}}]}})", Reading("r007", 180, "2"));  // one key twice
  auto writer = Process();
  Succeeds(Write(*writer, Batch(0, {bundle}), {}));
  Succeeds(Write(*writer, Batch(1, {bundle}), {}));
  Succeeds(writer->FlushLedger({}));
  EXPECT_EQ(lake_.Rows("SELECT count(*), count(DISTINCT id), max(systolic_pressure_value)::INTEGER "
                       "FROM silver.observation"),
            "499,499,180\n");
  EXPECT_EQ(lake_.Rows("SELECT count(*), count(DISTINCT (id, component)) FROM silver.vital_sign"),
            "998,998\n");
  EXPECT_EQ(lake_.Rows("SELECT received, written + superseded + duplicate FROM ops.ledger"),
            "1000,1000\n");
  EXPECT_EQ(lake_.Rows("SELECT source_partition, source_offset FROM silver.observation "
                       "WHERE id = 'r003'"),
            "vitals/topic/0/0#000003,0\n");
}

TEST_F(StreamWriterTest, LinesOfOneMessageHavePlacesOfTheirOwn) {
  auto writer = Process();
  // A key that comes twice, so that the rows are chosen by their places.
  Succeeds(Write(*writer,
                 Batch(0, {Reading("b", 140, "2"), Reading("b", 130, "1"),
                           Reading("n1", 120) + "\n" + Reading("n2", 121)}),
                 {}));
  Succeeds(writer->FlushLedger({}));
  EXPECT_EQ(lake_.Rows(kReadings), "b,140\nn1,120\nn2,121\n");
  EXPECT_EQ(lake_.Rows("SELECT count(*), count(DISTINCT (id, component)) FROM silver.vital_sign"),
            "6,6\n");
  EXPECT_EQ(lake_.Rows("SELECT received, written, superseded FROM ops.ledger"), "4,3,1\n");
}

// A broker's times are whole milliseconds. The order is that of offsets, whatever a message's
// shape.
TEST_F(StreamWriterTest, OfTwoReceivedAtOneMomentTheOneBehindWins) {
  auto writer = Process();
  StreamBatch batch =
      Batch(0, {"[" + Reading("a", 120) + "," + Reading("b", 110) + "]", Reading("a", 130)});
  for (StreamMessage& message : batch.messages) message.received_at = kReceived;
  Succeeds(Write(*writer, std::move(batch), {}));
  EXPECT_EQ(lake_.Rows(kReadings), "a,130\nb,110\n");
}

TEST_F(StreamWriterTest, TheSameNewIdOnTwoPartitionsInTwoProcesses) {
  auto one = Process(2);
  auto two = Process(2);
  Succeeds(Write(*one, Batch(0, {Reading("a", 120)}, 0), {}));
  Succeeds(Write(*two, Batch(0, {Reading("a", 130, "2")}, 1), {}));
  Succeeds(Write(*one, Batch(1, {Reading("a", 120)}, 0), {}));
  EXPECT_EQ(lake_.Rows(kReadings), "a,130\n");
}

TEST_F(StreamWriterTest, A60DayOldRepeatAfterARestart) {
  Succeeds(Write(*Process(), Batch(0, {Reading("a", 120), Reading("b", 130)}), {}));
  lake_.Reopen();
  auto writer = Process();
  StreamBatch repeat = Batch(2, {Reading("a", 120), Reading("c", 140)});
  constexpr Micros kLater = Micros{60} * 24 * 3600 * 1'000'000;
  for (StreamMessage& message : repeat.messages) message.received_at += kLater;
  Succeeds(Write(*writer, std::move(repeat), {}));
  Succeeds(writer->FlushLedger({}));
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\nb,130\nc,140\n");
  EXPECT_EQ(lake_.Rows("SELECT source_offset FROM silver.observation WHERE id = 'a'"), "0\n");
  EXPECT_EQ(lake_.Rows(kLedger), "topic/0/0-3,4,3,0,1,0,0\n");
}

// Its position goes on without rows, so that a restart does not read a month again.
TEST_F(StreamWriterTest, QuarantineIdleForAMonth) {
  {
    auto writer = Process();
    Succeeds(Write(*writer, Batch(0, {"no JSON"}), {}));
    for (int64_t batch = 1; batch <= 10; ++batch) {
      Succeeds(Write(*writer, Batch(batch, {Reading(fmt::format("r{}", batch), 120)}), {}));
      Succeeds(writer->CatchUp(1, {}));  // as every 30 seconds
    }
  }
  EXPECT_EQ(PositionOf("ops.quarantine"), 11);
  delta::Table& quarantine = *lake_.lake().OpenTable("ops.quarantine").value();
  const Version idle = quarantine.Latest().value()->version();
  Succeeds(quarantine.Checkpoint(idle));
  lake_.Reopen();
  auto writer = Process();
  EXPECT_EQ(PositionOf("ops.quarantine"), 11);
  EXPECT_EQ(lake_.lake().Latest("ops.quarantine").value()->version(), idle);
  Succeeds(Write(*writer, Batch(11, {"{}"}), {}));
  Succeeds(writer->FlushLedger({}));
  EXPECT_EQ(lake_.Rows("SELECT position FROM ops.quarantine ORDER BY received_at"),
            "topic/0/0\ntopic/0/11\n");
  EXPECT_EQ(lake_.Rows("SELECT sum(received), sum(written), sum(quarantined) FROM ops.ledger"),
            "12,10,2\n");
}

TEST_F(StreamWriterTest, ATableAheadOfBronzeStopsThePartition) {
  lake::CommitNote note;
  note.txns[Partition(0).AppId()] = 10;
  Succeeds(lake::CommitTxns(lake_.lake(), "silver.observation", note, {}));
  StreamSettings settings;
  settings.name = "vitals";
  StreamWriter writer(lake_.lake(), settings, views_);
  const Status done = writer.Follow(Partition(0), {});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::kCorrupt);
  Succeeds(writer.Follow(Partition(1), {}));
}

TEST_F(StreamWriterTest, KeyConflictsAreInQuarantineOnceAlsoAfterACrash) {
  const auto identified = [](const std::string& uuid) {
    std::string text = Reading("same", 120);
    text.insert(
        1, fmt::format(R"("identifier":[{{"system":"urn:ietf:rfc:3986","value":"urn:uuid:{}"}}],)",
                       uuid));
    return text;
  };
  {
    auto writer = Process();
    Succeeds(Write(*writer, Batch(0, {identified("0b7fd0a4-4a2c-4f0e-8e1f-6b4ea0d51c01")}), {}));
    Succeeds(Write(*writer, Batch(1, {identified("0b7fd0a4-4a2c-4f0e-8e1f-6b4ea0d51c02")}), {}));
  }
  Succeeds(Process()->FlushLedger({}));
  EXPECT_EQ(lake_.Rows("SELECT position, reason FROM ops.quarantine"), "topic/0/1,key-conflict\n");
  EXPECT_EQ(lake_.Rows(kLedger), "topic/0/0-1,2,1,0,0,1,0\n");
}

TEST_F(StreamWriterTest, QuarantinedMessagesAreReplayedFromBronze) {
  StreamSettings settings;
  settings.name = "vitals";
  settings.limits.max_record_bytes = 100;
  StreamWriter writer(lake_.lake(), settings, views_);
  Succeeds(writer.Follow(Partition(0), {}));
  const std::string array = "[" + Reading("a", 120) + "," + Reading("b", 121) + "]";
  Succeeds(Write(writer, Batch(3, {array, "no JSON", Reading("c", 122)}), {}));
  Succeeds(writer.FlushLedger({}));
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM ops.quarantine"), "4\n");
  EXPECT_EQ(lake_.Rows(kReadings), "");
  const auto done = ReplayQuarantine(lake_.lake(), {});
  ASSERT_TRUE(done.has_value()) << done.error().ToString();
  EXPECT_EQ(done->selected, 4);
  EXPECT_EQ(done->still_refused, 1);
  EXPECT_EQ(done->counts.written, 3);
  EXPECT_EQ(lake_.Rows(kReadings), "a,120\nb,121\nc,122\n");
  EXPECT_EQ(lake_.Rows("SELECT position FROM ops.quarantine WHERE replayed_at IS NULL"),
            "topic/0/4\n");
}

}  // namespace
}  // namespace vitalake::ingest
