#include "engine/parquet_splice.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <optional>

#include "engine/engine_fixture.h"
#include "engine/parquet_files.h"
#include "engine/parquet_pages.h"
#include "engine/parquet_rows.h"
#include "engine/thrift_compact.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

// Every kind of column a table of ours has; 5,000 rows in three row groups.
constexpr const char* kRows =
    "SELECT i, 'id-' || md5(i::VARCHAR) AS id, i % 7 = 0 AS flag, i / 3.0::DOUBLE AS number, "
    "CASE WHEN i % 3 > 0 THEN 'word ' || i % 11 END AS word, NULL::VARCHAR AS nothing, "
    "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(i) AS time, "
    "DATE '2026-01-01' + (i % 30)::INTEGER AS day FROM range(5000) t(i)";

class ParquetSpliceTest : public EngineFixture {
 protected:
  fs::path Write(const std::string& name, const std::string& select, const std::string& options) {
    const fs::path path = folder_ / name;
    auto done = connection_->Execute(fmt::format("COPY ({}) TO {} (FORMAT parquet{})", select,
                                                 QuoteLiteral(path.string()), options));
    EXPECT_TRUE(done) << done.error().ToString();
    return path;
  }
  // Rows where the two queries differ.
  int64_t Differences(const std::string& a, const std::string& b) {
    auto count = connection_->ScalarInt(
        fmt::format("SELECT count(*) FROM (({0} EXCEPT ALL {1}) UNION ALL ({1} EXCEPT ALL {0}))",
                    "SELECT * FROM (" + a + ")", "SELECT * FROM (" + b + ")"));
    EXPECT_TRUE(count) << count.error().ToString();
    return count.value_or(-1);
  }
  // From a query over the relation `rows` (kRows).
  RowPatch Patch(const std::string& select) {
    auto rows = connection_->Query(fmt::format("WITH rows AS ({}) {}", kRows, select));
    EXPECT_TRUE(rows) << rows.error().ToString();
    auto patch = ReadPatch(*rows);
    EXPECT_TRUE(patch) << patch.error().ToString();
    return *patch;
  }
  static std::string Bytes(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string Read(const fs::path& path) {
    return fmt::format("SELECT *, file_row_number FROM read_parquet({})", QuotePath(path));
  }
};

// The rows of kRows in which i % 100 = 0, but none of the second row group, with other values.
constexpr const char* kPatch =
    "SELECT i AS _row, -number AS number, NULL::VARCHAR AS word, 'now there' AS nothing, "
    "NOT flag AS flag, time + INTERVAL 1 HOUR AS time, day + 1 AS day, id || '!' AS id FROM rows "
    "WHERE i % 100 = 0 AND (i < 2048 OR i >= 4096) ORDER BY i";

TEST_F(ParquetSpliceTest, GivesSomeRowsOtherValues) {
  for (const std::string format : {"zstd", "uncompressed"}) {
    const fs::path base = Write("base", kRows, ", ROW_GROUP_SIZE 2048, COMPRESSION " + format);
    const fs::path target = folder_ / "target";
    const auto done = SpliceParquet(base, Patch(kPatch), target);
    ASSERT_TRUE(done) << done.error().ToString();
    EXPECT_EQ(done->size_bytes, static_cast<int64_t>(fs::file_size(target)));
    EXPECT_EQ(done->rows, 5000);
    EXPECT_TRUE(CheckParquetFile(target, done->size_bytes));
    EXPECT_EQ(Differences(Read(target),
                          fmt::format("WITH rows AS ({0}), patch AS ({1}) SELECT r.* REPLACE ("
                                      "coalesce(p.id, r.id) AS id, "
                                      "coalesce(p.flag, r.flag) AS flag, "
                                      "coalesce(p.number, r.number) AS number, "
                                      "CASE WHEN p._row IS NULL THEN r.word END AS word, "
                                      "p.nothing AS nothing, coalesce(p.time, r.time) AS time, "
                                      "coalesce(p.day, r.day) AS day), i FROM rows r "
                                      "LEFT JOIN patch p ON p._row = r.i",
                                      kRows, kPatch)),
              0);
    // Statistics of the footer are those of the values that are there.
    EXPECT_EQ(*connection_->ScalarInt(fmt::format(
                  "SELECT count(*) FROM read_parquet({}) WHERE number < 0", QuotePath(target))),
              29);  // i = 100, ..., 2000 and 4100, ..., 4900
    EXPECT_EQ(*connection_->ScalarInt(
                  fmt::format("SELECT count(*) FROM read_parquet({}) WHERE nothing = 'now there'",
                              QuotePath(target))),
              30);
  }
}

TEST_F(ParquetSpliceTest, ASplicedFileCanBeTheNextBase) {
  const fs::path base = Write("base", kRows, ", COMPRESSION zstd, ROW_GROUP_SIZE 2048");
  // More words than a dictionary takes, which then is none; then one word again.
  ASSERT_TRUE(SpliceParquet(base, Patch("SELECT i AS _row, 'w' || i AS word FROM rows ORDER BY 1"),
                            folder_ / "second"));
  ASSERT_TRUE(SpliceParquet(folder_ / "second",
                            Patch("SELECT i AS _row, 'a' AS word, -i AS i FROM rows WHERE i < 1000 "
                                  "ORDER BY 1"),
                            folder_ / "third"));
  EXPECT_EQ(Differences(Read(folder_ / "third"),
                        fmt::format("SELECT * REPLACE (CASE WHEN i < 1000 THEN 'a' ELSE 'w' || i "
                                    "END AS word, CASE WHEN i < 1000 THEN -i ELSE i END AS i), i "
                                    "FROM ({})",
                                    kRows)),
            0);
}

TEST_F(ParquetSpliceTest, ADictionaryThatGrowsTooLargeIsGivenUp) {
  const fs::path base = Write("base", kRows, ", COMPRESSION zstd");
  ASSERT_TRUE(SpliceParquet(base, Patch("SELECT i AS _row, 'w' || i AS word FROM rows ORDER BY 1"),
                            folder_ / "out"));
  EXPECT_EQ(Differences(Read(folder_ / "out"),
                        fmt::format("SELECT * REPLACE ('w' || i AS word), i FROM ({})", kRows)),
            0);
}

TEST_F(ParquetSpliceTest, WithoutOtherValuesItIsACopy) {
  const fs::path base = Write("base", kRows, ", COMPRESSION zstd, ROW_GROUP_SIZE 2048");
  const auto copy = SpliceParquet(base, {}, folder_ / "copy");
  ASSERT_TRUE(copy);
  EXPECT_EQ(Differences(Read(base), Read(folder_ / "copy")), 0);
  ASSERT_TRUE(SpliceParquet(base, Patch("SELECT i AS _row, number, word FROM rows ORDER BY 1"),
                            folder_ / "same"));
  EXPECT_EQ(Bytes(folder_ / "same"), Bytes(folder_ / "copy"));
}

TEST_F(ParquetSpliceTest, RefusesWhatDoesNotGoTogether) {
  const fs::path base = Write("base", fmt::format("SELECT *, ['a'] AS list FROM ({})", kRows),
                              ", COMPRESSION zstd, ROW_GROUP_SIZE 2048");
  const auto refused = [&](const std::string& select) {
    const auto done = SpliceParquet(base, Patch(select), folder_ / "out");
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    return done ? "accepted" : std::string(ToString(done.error().kind));
  };
  const std::string unsupported(ToString(ErrorKind::kUnsupported));
  EXPECT_EQ(refused("SELECT 5000::BIGINT AS _row, 'a' AS word"), unsupported);
  EXPECT_EQ(refused("SELECT 1::BIGINT AS _row, 1::BIGINT AS word"), unsupported);
  EXPECT_EQ(refused("SELECT 1::BIGINT AS _row, 1::INTEGER AS i"), unsupported);
  EXPECT_EQ(refused("SELECT 1::BIGINT AS _row, 1::BIGINT AS time"), unsupported);
  EXPECT_EQ(refused("SELECT 1::BIGINT AS _row, DATE '2026-01-01' AS i"), unsupported);
  EXPECT_EQ(refused("SELECT 1::BIGINT AS _row, 'a' AS other"), unsupported);
  EXPECT_EQ(refused("SELECT 1::BIGINT AS _row, 'a' AS list"), unsupported);
  const fs::path snappy = Write("snappy", kRows, ", COMPRESSION snappy");
  EXPECT_EQ(SpliceParquet(snappy, Patch(kPatch), folder_ / "out").error().kind,
            ErrorKind::kUnsupported);
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(ParquetSpliceTest, ReadsSingleRows) {
  const fs::path base = Write("base", kRows, ", COMPRESSION zstd, ROW_GROUP_SIZE 2048");
  const std::vector<int64_t> wanted = {0, 3, 2047, 2048, 4999};
  using enum view::ColumnType;
  const std::vector<RowColumn> columns = {
      {"i", kBigint},     {"id", kVarchar}, {"flag", kBoolean},   {"number", kDouble},
      {"word", kVarchar}, {"day", kDate},   {"time", kTimestamp}, {"later", kVarchar}};
  std::vector<int64_t> found;
  const auto done = ReadParquetRows(base, wanted, columns, [&](int64_t row, auto cells) -> Status {
    found.push_back(row);
    EXPECT_EQ(cells[0].integer, row);
    EXPECT_EQ(cells[1].text.substr(0, 3), "id-");
    EXPECT_EQ(cells[2].boolean, row % 7 == 0);
    EXPECT_EQ(cells[3].number, static_cast<double>(row) / 3.0);
    EXPECT_EQ(cells[4].is_null, row % 3 == 0);
    if (row % 3 > 0) {
      EXPECT_EQ(cells[4].text, fmt::format("word {}", row % 11));
    }
    EXPECT_EQ(cells[5].integer, 20454 + row % 30);  // days to 2026-01-01
    EXPECT_EQ(cells[6].integer, (int64_t{20454} * 86400 + row) * 1'000'000);
    EXPECT_TRUE(cells[7].is_null);  // the file lacks it
    return {};
  });
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(found, wanted);
  const auto kind = [&](std::vector<int64_t> rows, const RowColumn& column) {
    const auto result =
        ReadParquetRows(base, rows, {&column, 1}, [](int64_t, auto) -> Status { return {}; });
    return result ? ErrorKind::kInternal : result.error().kind;
  };
  EXPECT_EQ(kind({5000}, {"i", kBigint}), ErrorKind::kUnsupported);
  EXPECT_EQ(kind({1}, {"i", kVarchar}), ErrorKind::kUnsupported);
}

TEST_F(ParquetSpliceTest, DamagedFilesAreErrors) {
  for (const std::string format : {"zstd", "uncompressed"}) {
    const fs::path base = Write("base", kRows, ", COMPRESSION " + format);
    const std::string bytes = Bytes(base);
    // Cut anywhere in the footer, or a byte changed anywhere: an answer, never a crash.
    uint32_t footer = 0;
    std::memcpy(&footer, bytes.data() + bytes.size() - 8, 4);
    const RowPatch patch = Patch(kPatch);
    const auto try_with = [&](size_t at) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0xff);
      std::ofstream(folder_ / "changed", std::ios::binary) << changed;
      (void)SpliceParquet(folder_ / "changed", patch, folder_ / "out");
    };
    for (size_t at = bytes.size() - 8 - footer; at < bytes.size() - 8; at += 7) try_with(at);
    for (size_t at = 4; at < bytes.size() - 8 - footer; at += 997) try_with(at);
    for (size_t at = 4; at < 60; ++at) try_with(at);
    std::ofstream(folder_ / "short", std::ios::binary) << bytes.substr(0, bytes.size() - 1);
  }
  EXPECT_EQ(SpliceParquet(folder_ / "short", {}, folder_ / "out").error().kind,
            ErrorKind::kCorrupt);
  EXPECT_EQ(SpliceParquet(folder_ / "none", {}, folder_ / "out").error().kind,
            ErrorKind::kNotFound);
}

TEST(ParquetPagesTest, ReadsTheHybridItWrites) {
  for (const int width : {1, 2, 3, 7, 8, 12, 20, 32}) {
    for (const uint32_t step : {1u, 5u, 8u, 9u, 100u}) {  // values to a run
      std::vector<uint32_t> values;
      const uint32_t mask = static_cast<uint32_t>((uint64_t{1} << width) - 1);
      for (uint32_t i = 0; i < 1003; ++i) values.push_back(i / step * 2654435761u & mask);
      const std::string bytes = EncodeHybrid(values, width);
      EXPECT_EQ(DecodeHybrid(bytes, width, 1003), values) << width << ' ' << step;
      EXPECT_EQ(DecodeHybrid(bytes.substr(0, bytes.size() / 2), width, 1003).error().kind,
                ErrorKind::kCorrupt);
    }
  }
  // The format's own example: 0 to 7 in three bits.
  EXPECT_EQ(EncodeHybrid({0, 1, 2, 3, 4, 5, 6, 7}, 3), "\x03\x88\xc6\xfa");
}

TEST(ThriftCompactTest, ReadsAndWritesTheSameBytes) {
  // {1: i32 -1, 3: "ab", 20: [i64 1, 2], 21: true, 22: {1: double}, 23: [true, false]}
  const std::string bytes = std::string(
                                "\x15\x01\x28\x02"
                                "ab\x09\x28\x26\x02\x04\x11\x1c\x17",
                                14) +
                            std::string("\0\0\0\0\0\0\xf0\x3f\0\x19\x21\x01\x02\0", 14);
  const auto value = ReadThriftStruct(bytes);
  ASSERT_TRUE(value) << value.error().ToString();
  EXPECT_EQ(value->Int(1), -1);
  EXPECT_EQ(value->Find(3)->bytes, "ab");
  EXPECT_EQ(value->Find(20)->items.at(1).number, 2);
  EXPECT_EQ(value->Find(21)->type, ThriftType::kTrue);
  EXPECT_EQ(value->Find(23)->items.at(1).type, ThriftType::kFalse);
  EXPECT_EQ(ReadThriftStruct(WriteThriftStruct(*value)), *value);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ReadThriftStruct(bytes.substr(0, size)).error().kind, ErrorKind::kCorrupt) << size;
  }
}

}  // namespace
}  // namespace vitalake::engine
