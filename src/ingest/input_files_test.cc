#include "ingest/input_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/utf8.h"
#include "ingest/test_lake.h"

namespace vitalake::ingest {
namespace {

std::string Patient(std::string_view id) {
  return R"({"resourceType":"Patient","id":")" + std::string(id) + "\"}\n";
}

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

TEST(OwnBronzePathTest, MarksTheStem) {
  EXPECT_EQ(OwnBronzePath("bronze/s/2026/01/02/a.b.ndjson.gz", RunId{"run"}, 7),
            "bronze/s/2026/01/02/a~run-7.b.ndjson.gz");
  EXPECT_EQ(OwnBronzePath("bronze/s/a", RunId{"run"}, 7), "bronze/s/a~run-7");
}

TEST(OwnBronzePathTest, FitsWhatAFileSystemHoldsAndKeepsTheNamesEnd) {
  const std::string e_acute = "\xc3\xa9";
  std::string accents;
  while (accents.size() < 246) accents += e_acute;
  for (const auto& [begin, end] :
       std::vector<std::pair<std::string, std::string>>{{std::string(248, 'x'), ".ndjson"},
                                                        {accents, ".json.gz"},
                                                        {"x." + std::string(246, 'y'), ".ndjson"},
                                                        {"x." + accents, ".ndjson"}}) {
    for (const char* const run : {"r", "20260102T030405Z-0123abcd", "even"}) {
      const std::string own = OwnBronzePath("bronze/s/" + begin + end, RunId{run}, 3);
      EXPECT_LE(NameOf(own).size(), 255u);
      EXPECT_GE(NameOf(own).size(), 250u);
      EXPECT_TRUE(IsValidUtf8(own)) << own;
      EXPECT_TRUE(own.ends_with(end)) << own;
      EXPECT_NE(own.find(std::string("~") + run + "-3"), std::string::npos);
    }
  }
}

TEST(InputFilesTest, TakesInFilesOfTheLongestNameAgainAndAgain) {
  TestLake lake;
  const std::string name = std::string(248, 'x') + ".ndjson";
  for (const char* const id : {"1", "2", "3"}) {
    EXPECT_EQ(lake.Ingest({{name, Patient(id)}}).counts.written, 1) << id;
  }
  EXPECT_EQ(lake.Rows("SELECT id FROM silver.patient ORDER BY 1"), "1\n2\n3\n");
}

TEST(InputFilesTest, AnUnreadableNameIsTextInTheLakeAndItsRecordsCanBeFound) {
  TestLake lake;
  const BatchSummary summary = lake.Ingest({{"bad\xff.ndjson", Patient("1") + "rubbish\n"}});
  EXPECT_EQ(summary.counts.written, 1);
  EXPECT_EQ(summary.counts.quarantined, 1);
  const std::string copy = lake.Rows("SELECT source_partition FROM silver.patient");
  EXPECT_EQ(NameOf(copy), "bad\xef\xbf\xbd.ndjson\n");
  EXPECT_EQ(lake.Rows("SELECT bronze_path FROM ops.ledger"), copy);
  EXPECT_TRUE(lake.lake().store().LocalPath(copy.substr(0, copy.size() - 1)));
}

TEST(InputFilesTest, WhatCannotBeTakenInStandsInQuarantine) {
  TestLake lake;
  const std::filesystem::path fifo = lake.folder() / "in" / "pipe.json";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  BatchOptions options;
  options.paths = {fifo.string()};
  const BatchSummary summary = lake.Ingest({{"a.json", Patient("1")}}, options);
  EXPECT_EQ(summary.counts.quarantined, 1);
  EXPECT_EQ(lake.Rows("SELECT parse_filename(position), reason, message <> '', payload, "
                      "run = (SELECT max(run) FROM ops.ledger) FROM ops.quarantine"),
            "pipe.json,file,true,,true\n");
}

TEST(InputFilesTest, ASourceCannotHaveTheFolderOfATable) {
  TestLake lake;
  BatchOptions options;
  options.source = "observation_stream";
  options.paths = {(lake.folder() / "in").string()};
  const auto refused = RunBatch(lake.lake(), options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace vitalake::ingest
