// Files of ParquetWriter, read by DuckDB and beside the files that DuckDB writes of the same rows.
#include "engine/parquet_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/engine_fixture.h"
#include "engine/parquet_files.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

class ParquetWriterTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    fs::create_directories(folder_);
  }

  // Writes the rows by us and by DuckDB.
  void WriteBoth(const std::string& select, ParquetOptions options = {}) {
    auto files = WriteParquet(*connection_, select, folder_ / "ours", options);
    ASSERT_TRUE(files) << files.error().ToString();
    ASSERT_EQ(files->size(), 1u);
    ours_ = "'" + files->front().path.string() + "'";
    theirs_ = "'" + (folder_ / "theirs.parquet").string() + "'";
    const auto copied = connection_->Execute("COPY (" + select + ") TO " + theirs_ + " (" +
                                             std::string(kParquetFormat) + ", ROW_GROUP_SIZE " +
                                             std::to_string(options.row_group_rows) + ")");
    ASSERT_TRUE(copied) << copied.error().ToString();
    const std::string written = "SELECT DISTINCT created_by FROM parquet_file_metadata(";
    ASSERT_EQ(*connection_->Scalar(written + ours_ + ")"), "Vitalake");
  }

  // Of the rows that are in one of the two and not in the other, the first.
  void ExpectSame(const std::string& ours, const std::string& theirs) {
    const auto differing = connection_->Scalar(
        "SELECT coalesce(string_agg(d::VARCHAR, chr(10)), '') FROM (SELECT d FROM ("
        "(SELECT 'ours' AS side, * FROM (" +
        ours + " EXCEPT ALL " + theirs +
        ")) UNION ALL "
        "(SELECT 'theirs', * FROM (" +
        theirs + " EXCEPT ALL " + ours + "))) d LIMIT 6)");
    ASSERT_TRUE(differing) << differing.error().ToString();
    EXPECT_EQ(*differing, "");
  }

  void ExpectSameRows() {
    const std::string rows = "SELECT *, file_row_number FROM read_parquet(";
    const std::string end = ", file_row_number = true)";
    ExpectSame(rows + ours_ + end, rows + theirs_ + end);
  }

  void ExpectSameSchema() {
    const std::string select =
        "SELECT type, repetition_type, converted_type, name, duckdb_type FROM parquet_schema(";
    const std::string end = ") WHERE num_children IS NULL";
    ExpectSame(select + ours_ + end, select + theirs_ + end);
  }

  void ExpectSameStatistics() {
    const std::string select =
        "SELECT row_group_id, row_group_num_rows, column_id, num_values, path_in_schema, type, "
        "stats_null_count, stats_min_value, stats_max_value FROM parquet_metadata(";
    ExpectSame(select + ours_ + ")", select + theirs_ + ")");
  }

  std::string ours_, theirs_;  // quoted paths
};

constexpr char kEveryType[] =
    "SELECT i % 3 = 0 AS flag, CAST(i % 200 - 100 AS TINYINT) AS tiny, "
    "CAST(i % 50000 - 25000 AS SMALLINT) AS small, CAST(i * 7919 % 1000003 AS INTEGER) AS whole, "
    "i * 1000000007 AS wide, CAST((i % 17 + 1) / 4.0 AS FLOAT) AS short, sqrt(i + 1) AS long, "
    "'text ' || i % 90 AS text, CAST('b' || chr(CAST(i % 20 + 1 AS INTEGER)) AS BLOB) AS bytes, "
    "DATE '1970-01-01' + CAST(i % 40000 - 20000 AS INTEGER) AS day, "
    "TIMESTAMP '1969-12-31 23:00:00' + to_microseconds(i * 1000001) AS local, "
    "TIMESTAMPTZ '2026-11-22 17:00:00+00' - to_microseconds(i % 1000) AS moment "
    "FROM range(30000) t(i)";

TEST_F(ParquetWriterTest, EveryTypeAsDuckDbWritesIt) {
  ParquetOptions options;
  options.row_group_rows = 12'288;
  WriteBoth(kEveryType, options);
  ExpectSameRows();
  ExpectSameSchema();
  ExpectSameStatistics();
  const std::string logical =
      "SELECT logical_type FROM parquet_schema(" + ours_ + ") WHERE name = ";
  EXPECT_EQ(*connection_->Scalar(logical + "'local'"),
            "TimestampType(isAdjustedToUTC=0, unit=TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), "
            "NANOS=<null>))");
  EXPECT_EQ(*connection_->Scalar(logical + "'moment'"),
            "TimestampType(isAdjustedToUTC=1, unit=TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), "
            "NANOS=<null>))");
  EXPECT_EQ(*connection_->Scalar(logical + "'text'"), "StringType()");
}

TEST_F(ParquetWriterTest, NullsHereAndThere) {
  std::string nulls = "SELECT ";
  for (const char* name : {"flag", "tiny", "small", "whole", "wide", "short", "long", "text",
                           "bytes", "day", "local", "moment"}) {
    for (const char* where :
         {"n % 7 = 3", "n < 5000", "n >= 5000", "n // 64 % 3 = 1", "n <> 70", "n = 70", "true"}) {
      nulls += std::string("CASE WHEN NOT (") + where + ") THEN " + name + " END AS \"" + name +
               " unless " + where + "\", ";
    }
  }
  const std::string select =
      nulls + "n FROM (SELECT *, row_number() OVER () - 1 AS n FROM (" + kEveryType + "))";
  for (const int64_t rows : {4096, 122'880}) {
    ParquetOptions options;
    options.row_group_rows = rows;
    WriteBoth("SELECT * FROM (" + select + ") ORDER BY n", options);
    ExpectSameRows();
    ExpectSameStatistics();
  }
}

TEST_F(ParquetWriterTest, ValuesThatStopRepeating) {
  // 4,096 values are the most of a dictionary; behind it, and where values are new, they are PLAIN.
  WriteBoth(
      "SELECT i // 4 % 4096 AS fits, i // 4 % 4097 AS one_too_many, "
      "CASE WHEN i < 60000 THEN i % 5 ELSE i END AS late, "
      "CASE WHEN i % 11 = 0 THEN NULL WHEN i < 60000 THEN 'a' || i % 5 ELSE 'b' || i END AS text, "
      "CASE WHEN i < 3000 THEN 'b' || i ELSE 'a' END AS early FROM range(100000) t(i)");
  ExpectSameRows();
  ExpectSameStatistics();
  const std::string encodings =
      "SELECT encodings FROM parquet_metadata(" + ours_ + ") WHERE path_in_schema = ";
  EXPECT_EQ(*connection_->Scalar(encodings + "'fits'"), "PLAIN, RLE, RLE_DICTIONARY");
  EXPECT_EQ(*connection_->Scalar(encodings + "'late'"), "PLAIN, RLE, RLE_DICTIONARY");
  EXPECT_EQ(*connection_->Scalar(encodings + "'early'"), "PLAIN, RLE");
}

TEST_F(ParquetWriterTest, LongTextsFillManyPages) {
  ParquetOptions options;
  options.values_repeat = false;
  WriteBoth(
      "SELECT CASE WHEN i % 5 > 0 THEN repeat('x', 5000 + i % 300) || i END AS text, i "
      "FROM range(4000) t(i)",
      options);
  ExpectSameRows();
}

TEST_F(ParquetWriterTest, ExtremeValues) {
  WriteBoth(
      "SELECT * FROM (VALUES "
      "('', ''::BLOB, 'nan'::DOUBLE, 'inf'::DOUBLE, -9223372036854775808, DATE '0044-03-15 (BC)'), "
      "('\xc3\xa9\xf0\x9f\x98\x80', '\\x00\\xFF'::BLOB, 0, '-inf', 9223372036854775807, "
      "DATE '9999-12-31'), (repeat('\xf0\x9f\x98\x80', 400), NULL, NULL, 1e308, 0, 'infinity')) "
      "t(text, bytes, nan, inf, wide, day)");
  ExpectSameRows();
  const std::string bounds =
      "SELECT stats_min_value IS NULL AND stats_max_value IS NULL "
      "FROM parquet_metadata(" +
      ours_ + ") WHERE path_in_schema = ";
  EXPECT_EQ(*connection_->Scalar(bounds + "'nan'"), "true");
  EXPECT_EQ(*connection_->Scalar(bounds + "'text'"), "true");  // longer than 256 bytes
}

TEST_F(ParquetWriterTest, BoundsOfTextsThatBeginAlikeOrDiffer) {
  WriteBoth(
      "SELECT md5(i::VARCHAR) AS differ, 'Patient/' || i AS alike, repeat('a', i % 20) AS ends, "
      "chr(CAST(97 + i * 7 % 700 AS INTEGER)) || 'sameness' AS letters, "
      "'samenes' || chr(CAST(97 + i * 7 % 700 AS INTEGER)) AS eighth FROM range(5000) t(i)");
  ExpectSameRows();
  ExpectSameStatistics();
}

TEST_F(ParquetWriterTest, BoundsThatAreZeroHoldBothZeros) {
  WriteBoth("SELECT * FROM (VALUES (0.0::DOUBLE, -0.0::DOUBLE)) t(a, b)");
  const std::string value = " FROM parquet_metadata(" + ours_ + ") WHERE path_in_schema = ";
  EXPECT_EQ(*connection_->Scalar("SELECT stats_min_value" + value + "'a'"), "-0.0");
  EXPECT_EQ(*connection_->Scalar("SELECT stats_max_value" + value + "'b'"), "0.0");
}

TEST_F(ParquetWriterTest, StatisticsForDelta) {
  ParquetOptions options;
  options.row_group_rows = 2048;
  options.stats_columns = {"day", "moment", "n", "x", "s", "none", "nan", "absent"};
  auto files = WriteParquet(
      *connection_,
      "SELECT DATE '2026-01-01' + CAST(i % 400 AS INTEGER) AS day, "
      "CASE WHEN i <> 5000 THEN TIMESTAMPTZ '2026-11-22 17:00:00.25+00' + to_seconds(i) END AS "
      "moment, i - 3 AS n, i / 2.0::DOUBLE AS x, 'p' || i // 1000 AS s, NULL::INTEGER AS none, "
      "CASE WHEN i = 5001 THEN 'nan'::DOUBLE ELSE i END AS nan FROM range(6000) t(i)",
      folder_, options);
  ASSERT_TRUE(files) << files.error().ToString();
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ(
      files->front().stats_json,
      R"({"numRecords":6000,"minValues":{"day":"2026-01-01","moment":"2026-11-22T17:00:00.250000Z",)"
      R"("n":-3,"x":0,"s":"p0"},"maxValues":{"day":"2027-02-04",)"
      R"("moment":"2026-11-22T18:39:59.250000Z","n":5996,"x":2999.5,"s":"p5"},)"
      R"("nullCount":{"day":0,"moment":1,"n":0,"x":0,"s":0,"none":6000,"nan":0}})");
}

TEST_F(ParquetWriterTest, TheFormatIsNotForStatements) {
  const auto copied = connection_->Execute("COPY (SELECT 1) TO '" + (folder_ / "x").string() +
                                           "' (FORMAT vitalake_parquet)");
  ASSERT_FALSE(copied);
  EXPECT_NE(copied.error().message.find("this program's own files"), std::string::npos);
}

TEST_F(ParquetWriterTest, AFolderThatIsGone) {
  auto writer = ParquetWriter::Create(folder_ / "none" / "a.parquet", {{"a", TypeId::kBigInt}});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().kind, ErrorKind::kNotFound);
}

TEST_F(ParquetWriterTest, AFullDiskIsNamed) {
  auto writer = ParquetWriter::Create("/dev/full", {{"a", TypeId::kBigInt}});
  ASSERT_TRUE(writer) << writer.error().ToString();
  RowGroup group(std::vector<ParquetColumn>{{"a", TypeId::kBigInt}}, true);
  group.column(0).PutInt(1);
  ASSERT_TRUE(writer->Add(*group.Finish()));
  const auto finished = writer->Finish({});
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().kind, ErrorKind::kNoSpace);
}

}  // namespace
}  // namespace vitalake::engine
