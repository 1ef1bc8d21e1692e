#include "delta/actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitalake::delta {
namespace {

using testing::HasSubstr;

template <class T>
T Parse(std::string_view line) {
  const auto action = ParseAction(line);
  EXPECT_TRUE(action) << action.error().ToString();
  EXPECT_TRUE(action && *action && std::holds_alternative<T>(**action)) << line;
  return std::get<T>(action.value().value());
}

// Written lines are compared as text: their form is what other engines read.
TEST(ActionsTest, AddFileIsReadAndWritten) {
  const std::string line =
      R"J({"add":{"path":"date=2017-12-10/part%20000.parquet","partitionValues":{"date":"2017-12-10"},)J"
      R"J("size":841454,"modificationTime":1512909768000,"dataChange":true,)J"
      R"J("stats":"{\"numRecords\":1,\"minValues\":{\"val..\":\"1\"}}","tags":{"k":"v"},)J"
      R"J("deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,)J"
      R"J("sizeInBytes":40,"cardinality":6},"baseRowId":4071,"defaultRowCommitVersion":41,)J"
      R"J("clusteringProvider":"liquid"}})J";
  const auto add = Parse<AddFile>(line);
  EXPECT_EQ(add.path, "date=2017-12-10/part 000.parquet");
  EXPECT_EQ(add.partition_values.at("date"), "2017-12-10");
  EXPECT_EQ(add.size_bytes, 841454);
  EXPECT_EQ(add.modification_time_ms, 1512909768000);
  EXPECT_EQ(add.deletion_vector->UniqueId(), "uab^-aqEH.-t@S}K{vb[*k^@4");
  EXPECT_EQ(add.NumRecords(), 1 - 6);
  EXPECT_EQ(add.default_row_commit_version, 41);
  EXPECT_EQ(WriteAction(add), line);
}

TEST(ActionsTest, RemoveKeepsWhatIsKnownOfTheFile) {
  const std::string line =
      R"J({"remove":{"path":"part-1.parquet","deletionTimestamp":1515488792485,"dataChange":false,)J"
      R"J("extendedFileMetadata":true,"partitionValues":{"p":null},"size":7}})J";
  const auto remove = Parse<RemoveFile>(line);
  EXPECT_EQ(remove.partition_values->at("p"), std::nullopt);
  EXPECT_EQ(WriteAction(remove), line);
  const AddFile file{.path = "part-1.parquet",
                     .partition_values = {{"p", std::nullopt}},
                     .size_bytes = 7,
                     .modification_time_ms = 1};
  EXPECT_EQ(RemoveFile::Of(file, 1515488792485, false), remove);
  const auto bare = Parse<RemoveFile>(R"J({"remove":{"path":"x","dataChange":true}})J");
  EXPECT_FALSE(bare.partition_values);
  EXPECT_FALSE(bare.size_bytes);
}

TEST(ActionsTest, TheOtherActionsRoundTrip) {
  for (
      const std::string line : {
          R"J({"cdc":{"path":"_change_data/cdc-1.parquet","partitionValues":{},"size":1213,"dataChange":false}})J",
          R"J({"metaData":{"id":"af23","name":"n","description":"d","format":{"provider":"parquet","options":{}},"schemaString":"{}","partitionColumns":["a"],"configuration":{"appendOnly":"true"},"createdTime":1}})J",
          R"J({"metaData":{"id":"af23","format":{"provider":"parquet","options":{}},"schemaString":"{}","partitionColumns":[],"configuration":{}}})J",
          R"J({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})J",
          R"J({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["columnMapping"],"writerFeatures":["columnMapping","identityColumns"]}})J",
          R"J({"txn":{"appId":"3ba13872","version":364475,"lastUpdated":1}})J",
          R"J({"domainMetadata":{"domain":"delta.x","configuration":"{\"key1\":\"value1\"}","removed":false}})J",
          R"J({"commitInfo":{"timestamp":5,"operation":"WRITE","readVersion":1,"isBlindAppend":true,"txnId":"t","x":[1.50,{"y":null}]}})J",
      }) {
    const auto action = ParseAction(line);
    ASSERT_TRUE(action && *action) << line;
    EXPECT_EQ(WriteAction(**action), line);
  }
  const auto info = Parse<CommitInfo>(
      R"J({"commitInfo":{"timestamp":5,"operation":"WRITE","readVersion":1,"isBlindAppend":true,"txnId":"t"}})J");
  EXPECT_EQ(info.timestamp_ms, 5);
  EXPECT_EQ(info.operation, "WRITE");
  EXPECT_EQ(info.txn_id, "t");
  EXPECT_EQ(info.is_blind_append, true);
  EXPECT_EQ(info.read_version, 1);
}

TEST(ActionsTest, UnknownActionsAndFieldsAreIgnored) {
  const auto unknown = ParseAction(R"J({"futureAction":{"path":1}})J");
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(*unknown);
  EXPECT_EQ(Parse<Txn>(R"J({"txn":{"appId":"a","version":1,"new":{"x":1}},"add":null,"later":2})J"),
            (Txn{"a", 1, std::nullopt}));
}

TEST(ActionsTest, BrokenActionsAreRefusedWithTheMember) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "object"},
      {R"J({"add":7})J", "add"},
      {R"J({"add":{"size":1}})J", "add.path is missing"},
      {R"J({"add":{"path":"p"}})J", "add.size is missing"},
      {R"J({"add":{"path":"p","size":"1"}})J", "add.size has the wrong type"},
      {R"J({"add":{"path":"p","size":1,"dataChange":"true"}})J", "add.dataChange"},
      {R"J({"add":{"path":"p","size":1,"partitionValues":[]}})J", "add.partitionValues"},
      {R"J({"add":{"path":"p","size":1,"deletionVector":{"storageType":"u"}}})J", "pathOrInlineDv"},
      {R"J({"remove":{}})J", "remove.path"},
      {R"J({"txn":{"appId":"a"}})J", "txn.version"},
      {R"J({"metaData":{"id":"a"}})J", "metaData.schemaString"},
      {R"J({"protocol":{"minReaderVersion":1}})J", "protocol.minWriterVersion"},
      {R"J({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[1]}})J",
       "protocol.readerFeatures"},
      {R"J({"txn":{"appId":"a","version":1},"remove":{"path":"x"}})J", "two actions"},
      {R"J({"txn":)J", ""},
  };
  for (const auto& [line, what] : cases) {
    const auto action = ParseAction(line);
    ASSERT_FALSE(action) << line;
    EXPECT_EQ(action.error().kind, ErrorKind::kCorrupt) << line;
    EXPECT_THAT(action.error().message, HasSubstr(what));
  }
}

TEST(ActionsTest, EmptyPartitionValueIsNull) {
  const auto add = Parse<AddFile>(
      R"J({"add":{"path":"p","size":1,"partitionValues":{"a":"","b":null,"c":"x"}}})J");
  EXPECT_EQ(add.partition_values.at("a"), std::nullopt);
  EXPECT_EQ(add.partition_values.at("b"), std::nullopt);
  EXPECT_EQ(add.partition_values.at("c"), "x");
}

TEST(ActionsTest, NumRecordsIsUnknownWithoutStatistics) {
  EXPECT_EQ(AddFile().NumRecords(), std::nullopt);
  EXPECT_EQ(AddFile{.stats = "{}"}.NumRecords(), std::nullopt);
  EXPECT_EQ(AddFile{.stats = "not json"}.NumRecords(), std::nullopt);
  EXPECT_EQ(AddFile{.stats = R"({"numRecords":12})"}.NumRecords(), 12);
}

TEST(ActionsTest, PathsAreDecodedAndSpelledOneWay) {
  EXPECT_EQ(DecodePath("special%20p@%23h"), "special p@#h");
  EXPECT_EQ(DecodePath("a%253Ab"), "a%3Ab");
  EXPECT_EQ(DecodePath("100%"), "100%");
  EXPECT_EQ(DecodePath("100%2"), "100%2");
  EXPECT_EQ(DecodePath("a%zz"), "a%zz");
  EXPECT_EQ(DecodePath("a+b"), "a+b");
  EXPECT_EQ(DecodePath("file:/some/path"), "/some/path");
  EXPECT_EQ(DecodePath("file:///some/path"), "/some/path");
  EXPECT_EQ(DecodePath("s3://bucket/a"), "s3://bucket/a");
}

TEST(ActionsTest, EncodedPathsDecodeToThemselves) {
  EXPECT_EQ(EncodePath("p=a b/x#1%.parquet"), "p=a%20b/x%231%25.parquet");
  EXPECT_EQ(EncodePath("ts=10:20"), "ts=10%3A20");
  EXPECT_EQ(EncodePath("s3://bucket/a b"), "s3://bucket/a%20b");
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(DecodePath(EncodePath(all)), all);
}

TEST(ActionsTest, PathsResolveBelowTheTableOnly) {
  EXPECT_EQ(ResolvePath("silver/patient", "a/b.parquet").value(), "silver/patient/a/b.parquet");
  EXPECT_EQ(ResolvePath("", "b.parquet").value(), "b.parquet");
  EXPECT_EQ(ResolvePath("t", "ts=10:20/b").value(), "t/ts=10:20/b");
  for (const auto* outside : {"/a/b", "s3://x/y", "abfss://c@a/x"}) {
    EXPECT_EQ(ResolvePath("t", outside).error().kind, ErrorKind::kUnsupported) << outside;
  }
  for (const auto* broken : {"", "..", "../x", "a/../../x", "a//b", "a/", "./a"}) {
    EXPECT_EQ(ResolvePath("t", broken).error().kind, ErrorKind::kCorrupt) << broken;
  }
}

}  // namespace
}  // namespace vitalake::delta
