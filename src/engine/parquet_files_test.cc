#include "engine/parquet_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "base/json_tree.h"
#include "engine/engine_fixture.h"
#include "engine/file_stats_internal.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ParquetFilesTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    fs::remove_all(folder_);  // WriteParquet makes its folder
  }

  std::string Stats(const std::string& select, std::vector<std::string> columns) {
    ParquetOptions options;
    options.stats_columns = std::move(columns);
    auto files = WriteParquet(*connection_, select, folder_, options);
    if (!files) return files.error().ToString();
    return files->size() == 1 ? files->front().stats_json : "not one file";
  }
};

TEST_F(ParquetFilesTest, WritesOneFileWithExactCounts) {
  auto files =
      WriteParquet(*connection_, "SELECT i, 's' || i AS s FROM range(3000) t(i)", folder_, {});
  ASSERT_TRUE(files) << files.error().ToString();
  ASSERT_EQ(files->size(), 1u);
  const WrittenFile& file = files->front();
  EXPECT_EQ(file.rows, 3000);
  EXPECT_EQ(file.size_bytes, static_cast<int64_t>(fs::file_size(file.path)));
  EXPECT_EQ(file.stats_json, R"({"numRecords":3000,"minValues":{},"maxValues":{},"nullCount":{}})");
  EXPECT_EQ(*connection_->ScalarInt("SELECT sum(i) FROM '" + file.path.string() + "'"),
            2999 * 3000 / 2);
}

TEST_F(ParquetFilesTest, StatsHaveDeltasForms) {
  EXPECT_EQ(Stats("SELECT * FROM (VALUES (1::BIGINT, true, DATE '2026-11-22',"
                  " TIMESTAMPTZ '2026-11-22 17:00:00.25+00', TIMESTAMP '1969-12-31 23:59:59',"
                  " 1.50::DECIMAL(9,2), 2.5::DOUBLE, 'b\"'),"
                  " (-7, false, DATE '2020-02-29', NULL, TIMESTAMP '2000-01-01', 0.25, -1.0, 'a'))"
                  " t(i, b, d, ts, ntz, dec, n, \"s x\")",
                  {"i", "b", "d", "ts", "ntz", "dec", "n", "s x", "absent"}),
            R"({"numRecords":2,"minValues":{"i":-7,"b":false,"d":"2020-02-29",)"
            R"("ts":"2026-11-22T17:00:00.250000Z","ntz":"1969-12-31T23:59:59.000000","dec":0.25,)"
            R"("n":-1.0,"s x":"a"},"maxValues":{"i":1,"b":true,"d":"2026-11-22",)"
            R"("ts":"2026-11-22T17:00:00.250000Z","ntz":"2000-01-01T00:00:00.000000","dec":1.50,)"
            R"("n":2.5,"s x":"b\""},"nullCount":{"i":0,"b":0,"d":0,"ts":1,"ntz":0,"dec":0,"n":0,)"
            R"("s x":0}})");
}

TEST_F(ParquetFilesTest, LeavesOutWhatIsNotSafe) {
  EXPECT_EQ(
      Stats("SELECT * FROM (VALUES ('nan'::DOUBLE, 'inf'::DOUBLE, 'x'::BLOB, [1], NULL::INTEGER,"
            " DATE '0044-03-15 (BC)'), (1.0, 1.0, 'y'::BLOB, [2], NULL, DATE '2000-01-01'))"
            " t(nan, inf, bin, list, nul, bc)",
            {"nan", "inf", "bin", "list", "nul", "bc"}),
      R"({"numRecords":2,"minValues":{"inf":1.0},"maxValues":{"bc":"2000-01-01"},)"
      R"("nullCount":{"nan":0,"inf":0,"bin":0,"nul":2,"bc":0}})");
}

TEST_F(ParquetFilesTest, CutsLongStringsSoundly) {
  const std::string stats = Stats("SELECT repeat('z', 40) || i AS s FROM range(2) t(i)", {"s"});
  EXPECT_THAT(stats, HasSubstr("\"minValues\":{\"s\":\"" + std::string(32, 'z') + "\"}"));
  EXPECT_THAT(stats, HasSubstr("\"maxValues\":{\"s\":\"" + std::string(31, 'z') + "{\"}"));
}

TEST(StringBounds, HoldTheTextBetweenThem) {
  const std::string last = "\xf4\x8f\xbf\xbf";           // U+10FFFF
  const std::string before_surrogates = "\xed\x9f\xbf";  // U+D7FF
  std::string many_last;
  std::string mixed;
  for (int i = 0; i < 40; ++i) many_last += last;
  for (int i = 0; i < 40; ++i) mixed += i % 2 ? before_surrogates : "\xc3\xa9";
  for (const std::string& text :
       {std::string(33, 'a'), std::string("short"), mixed, many_last, "b" + many_last,
        std::string(31, 'a') + before_surrogates + "x"}) {
    EXPECT_LE(LowerBound(text), text);
    const auto upper = UpperBound(text);
    if (text == many_last) {
      EXPECT_EQ(upper, std::nullopt);
    } else {
      ASSERT_TRUE(upper);
      EXPECT_GE(*upper, text);
      EXPECT_LE(upper->size(), 32u * 4);
    }
  }
  EXPECT_EQ(UpperBound("b" + many_last), "c");
  EXPECT_EQ(UpperBound(std::string(31, 'a') + before_surrogates + "x"),
            std::string(31, 'a') + "\xee\x80\x80");
  EXPECT_EQ(UpperBound(std::string(32, 'a')), std::string(32, 'a'));
}

TEST_F(ParquetFilesTest, SplitsSortedRowsIntoFilesThatDoNotOverlap) {
  ParquetOptions options;
  options.max_rows_per_file = 20'480;
  options.row_group_rows = 10'240;
  options.sort_by = {"i"};
  options.stats_columns = {"i"};
  auto files = WriteParquet(*connection_, "SELECT (i * 7919) % 50000 AS i FROM range(50000) t(i)",
                            folder_, options);
  ASSERT_TRUE(files) << files.error().ToString();
  ASSERT_EQ(files->size(), 3u);
  int64_t rows = 0;
  std::vector<std::pair<int64_t, int64_t>> ranges;
  JsonParser parser;
  for (const WrittenFile& file : *files) {
    EXPECT_LE(file.rows, 20'480);
    rows += file.rows;
    const auto stats = parser.Parse(file.stats_json);
    ranges.emplace_back(*stats->Find("minValues").Find("i").AsInt(),
                        *stats->Find("maxValues").Find("i").AsInt());
  }
  EXPECT_EQ(rows, 50'000);
  std::ranges::sort(ranges);
  for (size_t i = 1; i < ranges.size(); ++i) EXPECT_LT(ranges[i - 1].second, ranges[i].first);
  const std::string all = "'" + (folder_ / "*.parquet").string() + "'";
  EXPECT_EQ(*connection_->ScalarInt("SELECT count(DISTINCT i) FROM " + all), 50'000);
}

TEST_F(ParquetFilesTest, NoRowsNoFile) {
  for (const int64_t max_rows : {0, 100}) {
    ParquetOptions options;
    options.max_rows_per_file = max_rows;
    auto files = WriteParquet(*connection_, "SELECT 1 AS a WHERE false", folder_, options);
    ASSERT_TRUE(files) << files.error().ToString();
    EXPECT_TRUE(files->empty());
    EXPECT_TRUE(fs::is_empty(folder_));
  }
}

TEST_F(ParquetFilesTest, AnErrorLeavesNothingBehind) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "other.txt") << "kept";
  for (const int64_t max_rows : {0, 4096}) {
    ParquetOptions options;
    options.max_rows_per_file = max_rows;
    auto files = WriteParquet(*connection_,
                              "SELECT CASE WHEN i = 190000 THEN ('x' || i)::BIGINT ELSE i END AS i "
                              "FROM range(200000) t(i)",
                              folder_, options);
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  }
}

TEST_F(ParquetFilesTest, ChecksAFilesEnds) {
  auto files = WriteParquet(*connection_, "SELECT i FROM range(100) t(i)", folder_, {});
  ASSERT_TRUE(files);
  const fs::path path = files->front().path;
  const int64_t size = files->front().size_bytes;
  EXPECT_TRUE(CheckParquetFile(path, size));
  EXPECT_EQ(CheckParquetFile(path, size + 1).error().kind, ErrorKind::kCorrupt);
  fs::resize_file(path, size - 1);
  EXPECT_EQ(CheckParquetFile(path, size - 1).error().kind, ErrorKind::kCorrupt);
  fs::resize_file(path, 3);
  EXPECT_EQ(CheckParquetFile(path, 3).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(CheckParquetFile(folder_ / "none", 3).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace vitalake::engine
