#include "delta/table.h"

#include "delta/table_fixture.h"

namespace vitalake::delta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kProtocol =
    R"J({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})J";
constexpr std::string_view kMetadata =
    R"J({"metaData":{"id":"t","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}})J";

std::string Head() { return fmt::format("{}\n{}\n", kProtocol, kMetadata); }
std::string AddLine(std::string_view path) {
  return fmt::format(
             R"J({{"add":{{"path":"{}","partitionValues":{{}},"size":1,"dataChange":true}}}})J",
             path) +
         "\n";
}
std::string RemoveLine(std::string_view path) {
  return fmt::format(R"J({{"remove":{{"path":"{}","dataChange":true}}}})J", path) + "\n";
}

TEST_F(TableTest, CreateWritesVersionZeroAsOtherEnginesReadIt) {
  const auto table = OpenTable();
  EXPECT_FALSE(table->Exists().value());
  EXPECT_EQ(table->Latest().error().kind, ErrorKind::kNotFound);
  CreateOptions options = PatientOptions();
  options.name = "patient";
  options.configuration["delta.dataSkippingStatsColumns"] = "id";
  const SnapshotPtr snapshot = Create(*table, options);
  EXPECT_EQ(snapshot->version(), Version{0});
  EXPECT_TRUE(snapshot->change_feed_enabled());
  EXPECT_EQ(snapshot->Property("delta.dataSkippingStatsColumns"), "id");
  EXPECT_EQ(snapshot->schema(), options.schema);
  EXPECT_THAT(snapshot->files(), IsEmpty());
  EXPECT_TRUE(table->Exists().value());

  const std::string text = LogText(CommitName(0));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"J({"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["appendOnly","invariants","changeDataFeed"]}})J"));
  EXPECT_THAT(text, HasSubstr(R"("delta.enableChangeDataFeed":"true")"));
  EXPECT_TRUE(
      text.starts_with(R"({"commitInfo":{"timestamp":1790000000000,"operation":"CREATE TABLE")"));
  EXPECT_EQ(OpenTable()->Latest().value()->metadata(), snapshot->metadata());
}

TEST_F(TableTest, CreateRefusesASecondTableAndBadColumns) {
  const auto table = OpenTable();
  CreateOptions twice = PatientOptions();
  twice.schema = Schema({{"id", DeltaType()}, {"ID", DeltaType()}});
  EXPECT_EQ(table->Create(twice).error().kind, ErrorKind::kInvalidArgument);
  CreateOptions partition = PatientOptions();
  partition.partition_columns = {"missing"};
  EXPECT_EQ(table->Create(partition).error().kind, ErrorKind::kInvalidArgument);
  Create(*table);
  EXPECT_EQ(table->Create(PatientOptions()).error().kind, ErrorKind::kAlreadyExists);
}

TEST_F(TableTest, LatestReadsOnlyNewCommits) {
  const auto writer = OpenTable();
  const auto reader = OpenTable();
  Create(*writer);
  const SnapshotPtr first = reader->Latest().value();
  EXPECT_EQ(reader->Latest().value(), first);  // nothing new: the very same
  Append(*writer, "a.parquet");
  Append(*writer, "b.parquet");
  // What was read before is not read again: it may even be broken by now.
  const SnapshotPtr second = reader->Latest().value();
  EXPECT_EQ(second->version(), Version{2});
  EXPECT_THAT(PathsOf(*second), ElementsAre("a.parquet", "b.parquet"));
  EXPECT_EQ(second->FindFile("b.parquet")->NumRecords(), 1);
  EXPECT_EQ(second->FindFile("c.parquet"), nullptr);
  EXPECT_THAT(first->files(), IsEmpty());
}

TEST_F(TableTest, LatestNoticesAReplacedTable) {
  const auto table = OpenTable();
  Create(*table);
  Append(*table, "a.parquet");
  const auto objects = memory.List(LogFolder(kRoot)).value();
  for (const storage::ObjectInfo& object : objects) {
    ASSERT_TRUE(memory.Delete(object.key));
  }
  PutLog(CommitName(0), Head());
  PutLog(CommitName(1), AddLine("other.parquet"));
  EXPECT_THAT(PathsOf(*table->Latest().value()), ElementsAre("other.parquet"));
}

TEST_F(TableTest, AtReadsAnyVersionAndNamesMissingOnes) {
  const auto table = OpenTable();
  Create(*table);
  Append(*table, "a.parquet");
  Append(*table, "b.parquet");
  EXPECT_THAT(PathsOf(*table->At(Version{1}).value()), ElementsAre("a.parquet"));
  EXPECT_THAT(PathsOf(*table->At(Version{2}).value()), SizeIs(2));
  const auto missing = table->At(Version{3});
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().ToString(), HasSubstr("newest is 2"));
}

TEST_F(TableTest, AtTimestampTakesTheVersionInForce) {
  const auto table = OpenTable();
  Create(*table);               // kStart
  Append(*table, "a.parquet");  // +1 s
  Append(*table, "b.parquet");  // +2 s
  EXPECT_EQ(table->AtTimestamp(kStart).value()->version(), Version{0});
  EXPECT_EQ(table->AtTimestamp(kStart + kSecond - 1).value()->version(), Version{0});
  EXPECT_EQ(table->AtTimestamp(kStart + kSecond).value()->version(), Version{1});
  EXPECT_EQ(table->AtTimestamp(kStart + 100 * kSecond).value()->version(), Version{2});
  EXPECT_EQ(table->AtTimestamp(kStart - 1).error().kind, ErrorKind::kNotFound);
}

TEST_F(TableTest, CommitTimesNeverRunBackwards) {
  const auto table = OpenTable();
  PutLog(CommitName(0), Head());
  clock.Advance(-10 * kSecond);
  PutLog(CommitName(1), AddLine("a"));  // its file is older than that of version 0
  const Micros first = kStart + kSecond;
  EXPECT_EQ(table->AtTimestamp(first).value()->version(), Version{0});
  EXPECT_EQ(table->AtTimestamp(first + 999).value()->version(), Version{0});
  EXPECT_EQ(table->AtTimestamp(first + 1000).value()->version(), Version{1});
}

TEST_F(TableTest, HistoryTellsWhatEachVersionDid) {
  const auto table = OpenTable();
  Create(*table);
  clock.Advance(kSecond);
  Transaction tx(*table, table->Latest().value());
  tx.Add(DataFile("a.parquet"));
  tx.SetOperation("MERGE", {{"predicate", "id = id"}}, {{"numOutputRows", "7"}});
  tx.SetUserInfo("run", R"({"id":"r1","received":[1,2]})");
  MustCommit(tx.Commit());
  const auto history = table->History(10).value();
  ASSERT_THAT(history, SizeIs(2));
  EXPECT_EQ(history[0].version, Version{1});
  EXPECT_EQ(history[0].timestamp, kStart + kSecond);
  EXPECT_EQ(history[0].operation, "MERGE");
  EXPECT_THAT(history[0].parameters, ElementsAre(testing::Pair("predicate", "id = id")));
  EXPECT_THAT(history[0].metrics, ElementsAre(testing::Pair("numOutputRows", "7")));
  EXPECT_THAT(history[0].info, HasSubstr(R"("vitalake":{"run":{"id":"r1","received":[1,2]}})"));
  EXPECT_EQ(history[1].operation, "CREATE TABLE");
  EXPECT_THAT(table->History(1).value(), SizeIs(1));
}

TEST_F(TableTest, ParametersOfOtherWritersKeepTheirJson) {
  PutLog(CommitName(0),
         Head() + R"J({"commitInfo":{"operation":"WRITE","operationParameters":)J"
                  R"J({"mode":"Append","partitionBy":[],"x":null},"isBlindAppend":"?"}})J");
  const auto history = OpenTable()->History(5).value();
  EXPECT_THAT(history[0].parameters,
              ElementsAre(testing::Pair("mode", "Append"), testing::Pair("partitionBy", "[]")));
}

TEST_F(TableTest, GapsInTheVersionsAreRefused) {
  PutLog(CommitName(0), Head());
  PutLog(CommitName(2), AddLine("b"));
  const auto latest = OpenTable()->Latest();
  ASSERT_FALSE(latest);
  EXPECT_EQ(latest.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(latest.error().ToString(), HasSubstr("1 is missing"));
  EXPECT_TRUE(OpenTable()->At(Version{0}));
}

TEST_F(TableTest, MissingProtocolOrMetadataIsRefused) {
  PutLog(CommitName(0), std::string(kProtocol));
  EXPECT_THAT(OpenTable()->Latest().error().ToString(), HasSubstr("no metaData"));
  PutLog(CommitName(0), std::string(kMetadata));
  EXPECT_THAT(OpenTable()->Latest().error().ToString(), HasSubstr("no protocol"));
}

TEST_F(TableTest, BrokenLinesAreNamedByFileAndLine) {
  for (const std::string broken : {"{\"add\":", "{\"add\":{\"path\":\"a\"}}"}) {
    PutLog(CommitName(0), Head() + broken);
    const auto latest = OpenTable()->Latest();
    ASSERT_FALSE(latest) << broken;
    EXPECT_EQ(latest.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(latest.error().ToString(), HasSubstr(CommitName(0) + ":3"));
  }
}

TEST_F(TableTest, AnEmptyCommitFileIsATornWrite) {
  PutLog(CommitName(0), Head());
  PutLog(CommitName(1), "");
  EXPECT_EQ(OpenTable()->Latest().error().kind, ErrorKind::kCorrupt);
}

TEST_F(TableTest, AddsAndRemovesReconcileByDecodedPath) {
  PutLog(CommitName(0), Head() + AddLine("/some/path") + AddLine("a%20b") + AddLine("c"));
  PutLog(CommitName(1),
         RemoveLine("file:///some/path") + RemoveLine("a b") + RemoveLine("unknown"));
  PutLog(CommitName(2), AddLine("c") + AddLine("d"));  // c again: new statistics, one file
  PutLog(CommitName(3), RemoveLine("d"));
  PutLog(CommitName(4), AddLine("d"));
  EXPECT_THAT(PathsOf(*OpenTable()->At(Version{0}).value()), ElementsAre("/some/path", "a b", "c"));
  EXPECT_THAT(PathsOf(*OpenTable()->At(Version{3}).value()), ElementsAre("c"));
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("c", "d"));
}

TEST_F(TableTest, UnknownActionsAreIgnored) {
  PutLog(CommitName(0), Head() + "{\"future\":{\"x\":1}}\n\r\n" + AddLine("a"));
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("a"));
}

TEST_F(TableTest, TheNewestProtocolMetadataAndTxnCount) {
  PutLog(CommitName(0), Head() + R"J({"txn":{"appId":"a","version":5}})J");
  std::string metadata(kMetadata);
  metadata.replace(metadata.find(R"("configuration":{})"), 18, R"("configuration":{"k":"v"})");
  PutLog(CommitName(1), metadata + "\n" + R"J({"txn":{"appId":"a","version":3}})J" + "\n" +
                            R"J({"txn":{"appId":"b","version":1}})J");
  const SnapshotPtr snapshot = OpenTable()->Latest().value();
  EXPECT_EQ(snapshot->Property("k"), "v");
  EXPECT_EQ(snapshot->FindTxn("a"), 3);
  EXPECT_EQ(snapshot->FindTxn("b"), 1);
  EXPECT_EQ(snapshot->FindTxn("c"), std::nullopt);
}

TEST_F(TableTest, DomainMetadataIsKeptUntilRemoved) {
  PutLog(CommitName(0),
         Head() + R"J({"domainMetadata":{"domain":"d","configuration":"x","removed":false}})J");
  EXPECT_EQ(OpenTable()->Latest().value()->domains().at("d").configuration, "x");
  PutLog(CommitName(1), R"J({"domainMetadata":{"domain":"d","configuration":"","removed":true}})J");
  EXPECT_THAT(OpenTable()->Latest().value()->domains(), IsEmpty());
}

TEST_F(TableTest, FilesWithDeletionVectorsAreRefusedByName) {
  PutLog(
      CommitName(0),
      Head() +
          R"J({"add":{"path":"a","size":1,"deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}})J");
  const auto latest = OpenTable()->Latest();
  EXPECT_EQ(latest.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(latest.error().ToString(), HasSubstr("deletionVectors"));
}

TEST_F(TableTest, AThousandsOfCommitsLogOpensInOneSweep) {
  PutLog(CommitName(0), Head());
  for (int version = 1; version <= 2000; ++version) {
    PutLog(CommitName(version), AddLine(fmt::format("f{}", version)));
  }
  EXPECT_THAT(OpenTable()->Latest().value()->files(), SizeIs(2000));
}

// -- features ------------------------------------------------------------------------------------

struct FeatureCase {
  const char* protocol;
  const char* configuration;
  const char* refused;  // empty: readable
};

TEST_F(TableTest, ReaderFeaturesAreRefusedByName) {
  const FeatureCase cases[] = {
      {R"("minReaderVersion":1,"minWriterVersion":2)", "", ""},
      {R"("minReaderVersion":2,"minWriterVersion":5)", "", ""},
      {R"("minReaderVersion":2,"minWriterVersion":5)", R"("delta.columnMapping.mode":"none")", ""},
      {R"("minReaderVersion":2,"minWriterVersion":5)", R"("delta.columnMapping.mode":"name")",
       "columnMapping"},
      {R"("minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[],"writerFeatures":[])", "",
       ""},
      {R"("minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["vacuumProtocolCheck"],"writerFeatures":["vacuumProtocolCheck"])",
       "", ""},
      {R"("minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","v2Checkpoint"],"writerFeatures":["deletionVectors"])",
       "", "deletionVectors, v2Checkpoint"},
      {R"("minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz"],"writerFeatures":["timestampNtz"])",
       "", "timestampNtz"},
      {R"("minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["somethingNew"],"writerFeatures":["somethingNew"])",
       "", "somethingNew"},
      {R"("minReaderVersion":99,"minWriterVersion":7)", "", "reader version 99"},
  };
  for (const FeatureCase& one : cases) {
    std::string metadata(kMetadata);
    metadata.insert(metadata.find(R"("configuration":{)") + 17, one.configuration);
    PutLog(CommitName(0), fmt::format("{{\"protocol\":{{{}}}}}\n{}\n", one.protocol, metadata));
    const auto latest = OpenTable()->Latest();
    if (*one.refused == '\0') {
      EXPECT_TRUE(latest) << one.protocol << latest.error().ToString();
      continue;
    }
    ASSERT_FALSE(latest) << one.protocol;
    EXPECT_EQ(latest.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(latest.error().ToString(), HasSubstr(one.refused));
  }
}

TEST_F(TableTest, WriterFeaturesAreRefusedByNameUnlessVoid) {
  const FeatureCase cases[] = {
      {R"("minReaderVersion":1,"minWriterVersion":2)", "", ""},
      {R"("minReaderVersion":1,"minWriterVersion":6)", "", ""},
      {R"("minReaderVersion":1,"minWriterVersion":3)", R"("delta.constraints.c":"id > 0")",
       "checkConstraints"},
      {R"("minReaderVersion":1,"minWriterVersion":8)", "", "writer version 8"},
      {R"("minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["appendOnly","invariants","generatedColumns","checkConstraints"])",
       "", ""},
      {R"("minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["rowTracking","icebergCompatV1"])",
       "", "rowTracking, icebergCompatV1"},
  };
  for (const FeatureCase& one : cases) {
    std::string metadata(kMetadata);
    metadata.insert(metadata.find(R"("configuration":{)") + 17, one.configuration);
    PutLog(CommitName(0), fmt::format("{{\"protocol\":{{{}}}}}\n{}\n", one.protocol, metadata));
    const auto latest = OpenTable()->Latest();
    ASSERT_TRUE(latest) << latest.error().ToString();
    const Status writable = (*latest)->CheckWritable();
    EXPECT_EQ(writable.has_value(), *one.refused == '\0') << one.protocol;
    if (!writable) {
      EXPECT_EQ(writable.error().kind, ErrorKind::kUnsupported);
      EXPECT_THAT(writable.error().message, HasSubstr(one.refused));
    }
  }
}

TEST_F(TableTest, InvariantsInAColumnStopTheWriter) {
  std::string metadata(kMetadata);
  metadata.replace(metadata.find(R"(\"metadata\":{})"), 15,
                   R"(\"metadata\":{\"delta.invariants\":\"x\"})");
  PutLog(CommitName(0), fmt::format("{}\n{}\n", kProtocol, metadata));
  const Status writable = OpenTable()->Latest().value()->CheckWritable();
  ASSERT_FALSE(writable);
  EXPECT_THAT(writable.error().message, HasSubstr("invariants"));
}

TEST_F(TableTest, PropertiesAreReadWithTheirDefaults) {
  std::string metadata(kMetadata);
  PutLog(CommitName(0), Head());
  EXPECT_EQ(OpenTable()->Latest().value()->checkpoint_interval(), 10);
  EXPECT_TRUE(OpenTable()->Latest().value()->Flag("x", true));
  for (const auto& [text, interval] : {std::pair{"7", 7}, {"0", 10}, {"x", 10}, {"5x", 10}}) {
    metadata = kMetadata;
    metadata.insert(metadata.find(R"("configuration":{)") + 17,
                    fmt::format(R"("delta.checkpointInterval":"{}","x":"TRUE")", text));
    PutLog(CommitName(0), fmt::format("{}\n{}\n", kProtocol, metadata));
    EXPECT_EQ(OpenTable()->Latest().value()->checkpoint_interval(), interval) << text;
    EXPECT_TRUE(OpenTable()->Latest().value()->Flag("x"));
  }
}

}  // namespace
}  // namespace vitalake::delta
