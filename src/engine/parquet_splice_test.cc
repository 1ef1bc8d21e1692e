#include "engine/parquet_splice.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <optional>

#include "engine/engine_fixture.h"
#include "engine/parquet_files.h"
#include "engine/thrift_compact.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;

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
  static std::string Read(const fs::path& path) {
    return fmt::format("SELECT *, file_row_number FROM read_parquet({})", QuotePath(path));
  }
};

// Every kind of column a table of ours has; 5,000 rows in three row groups.
constexpr const char* kRows =
    "SELECT i, 'id-' || md5(i::VARCHAR) AS id, i % 7 = 0 AS flag, i / 3.0::DOUBLE AS number, "
    "CASE WHEN i % 3 > 0 THEN 'word ' || i % 11 END AS word, NULL::VARCHAR AS nothing, "
    "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(i) AS time, "
    "DATE '2026-01-01' + (i % 30)::INTEGER AS day FROM range(5000) t(i)";

TEST_F(ParquetSpliceTest, TakesSomeColumnsOfSomeRowGroupsFromPatches) {
  const fs::path base =
      Write("base", kRows, ", COMPRESSION zstd, ROW_GROUP_SIZE 2048, PARQUET_VERSION v1");
  ASSERT_THAT(*RowGroupSizes(base), ElementsAre(2048, 2048, 904));
  const std::string changed = fmt::format(
      "SELECT * REPLACE (CASE WHEN i % 100 = 0 THEN -number ELSE number END AS number, "
      "CASE WHEN i % 100 = 0 THEN NULL ELSE word END AS word, "
      "CASE WHEN i % 100 = 0 THEN 'now there' END AS nothing, "
      "CASE WHEN i % 100 = 0 THEN NOT flag ELSE flag END AS flag, "
      "time + to_hours(1) AS time) FROM ({})",
      kRows);
  std::map<size_t, fs::path> patches;
  for (const auto& [group, from, to] : {std::tuple(0, 0, 2048), std::tuple(2, 4096, 5000)}) {
    patches[static_cast<size_t>(group)] =
        Write(fmt::format("patch{}", group),
              fmt::format("SELECT time, word, number, flag, nothing FROM ({}) WHERE i >= {} AND i "
                          "< {} ORDER BY i",
                          changed, from, to),
              ", COMPRESSION zstd");
  }
  const fs::path target = folder_ / "target";
  const auto size = SpliceParquet(base, patches, target);
  ASSERT_TRUE(size) << size.error().ToString();
  EXPECT_EQ(*size, static_cast<int64_t>(fs::file_size(target)));
  EXPECT_TRUE(CheckParquetFile(target, *size));
  EXPECT_THAT(*RowGroupSizes(target), ElementsAre(2048, 2048, 904));
  EXPECT_EQ(Differences(Read(target),
                        fmt::format("SELECT *, i AS file_row_number FROM ({}) WHERE i < 2048 OR i "
                                    ">= 4096 UNION ALL SELECT *, i FROM ({}) WHERE i >= 2048 AND i "
                                    "< 4096",
                                    changed, kRows)),
            0);
  // Statistics of the footer are those of the values that are there.
  EXPECT_EQ(*connection_->ScalarInt(fmt::format(
                "SELECT count(*) FROM read_parquet({}) WHERE number < 0", QuotePath(target))),
            29);  // i = 100, ..., 2000 and 4100, ..., 4900
  EXPECT_EQ(
      *connection_->ScalarInt(fmt::format(
          "SELECT count(*) FROM read_parquet({}) WHERE nothing = 'now there'", QuotePath(target))),
      30);
}

TEST_F(ParquetSpliceTest, ASplicedFileCanBeTheNextBase) {
  const fs::path base = Write("base", kRows, ", ROW_GROUP_SIZE 2048");
  const auto patch = [&](const std::string& name, const std::string& select) {
    return Write(name, select + fmt::format(" FROM ({}) WHERE i < 2048 ORDER BY abs(i)", kRows),
                 "");
  };
  ASSERT_TRUE(SpliceParquet(base, {{0, patch("p1", "SELECT 'a' AS word")}}, folder_ / "second"));
  ASSERT_TRUE(
      SpliceParquet(folder_ / "second", {{0, patch("p2", "SELECT -i AS i")}}, folder_ / "third"));
  EXPECT_EQ(Differences(Read(folder_ / "third"),
                        fmt::format("SELECT * REPLACE (CASE WHEN i < 2048 THEN 'a' ELSE word END "
                                    "AS word, CASE WHEN i < 2048 THEN -i ELSE i END AS i), i FROM "
                                    "({})",
                                    kRows)),
            0);
}

TEST_F(ParquetSpliceTest, WithoutPatchesItIsACopy) {
  const fs::path base = Write("base", kRows, ", ROW_GROUP_SIZE 2048");
  ASSERT_TRUE(SpliceParquet(base, {}, folder_ / "copy"));
  EXPECT_EQ(Differences(Read(base), Read(folder_ / "copy")), 0);
}

TEST_F(ParquetSpliceTest, RefusesWhatDoesNotGoTogether) {
  const fs::path base = Write("base", kRows, ", ROW_GROUP_SIZE 2048");
  const auto refused = [&](const std::string& select, size_t group = 0) {
    const auto done = SpliceParquet(base, {{group, Write("p", select, "")}}, folder_ / "out");
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    return done ? "accepted" : std::string(ToString(done.error().kind));
  };
  const std::string unsupported(ToString(ErrorKind::kUnsupported));
  EXPECT_EQ(refused("SELECT 'a' AS word FROM range(2047)"), unsupported);
  EXPECT_EQ(refused("SELECT 1 AS word FROM range(2048)"), unsupported);
  EXPECT_EQ(refused("SELECT 1::INTEGER AS i FROM range(2048)"), unsupported);
  EXPECT_EQ(refused("SELECT TIMESTAMP '2026-01-01' AS time FROM range(2048)"), unsupported);
  EXPECT_EQ(refused("SELECT 'a' AS other FROM range(2048)"), unsupported);
  EXPECT_EQ(refused("SELECT ['a'] AS word FROM range(2048)"), unsupported);
  EXPECT_EQ(refused("SELECT 'a' AS word FROM range(2048)", 3), unsupported);
}

TEST_F(ParquetSpliceTest, DamagedFilesAreErrors) {
  const fs::path base = Write("base", kRows, "");
  std::ifstream in(base, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  // Cut anywhere in the footer, or a byte of it changed: an answer, never a crash.
  uint32_t footer = 0;
  std::memcpy(&footer, bytes.data() + bytes.size() - 8, 4);
  for (size_t at = bytes.size() - 8 - footer; at < bytes.size() - 8; at += 7) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    std::ofstream(folder_ / "changed", std::ios::binary) << changed;
    (void)SpliceParquet(folder_ / "changed", {}, folder_ / "out");
  }
  std::ofstream(folder_ / "short", std::ios::binary) << bytes.substr(0, bytes.size() - 1);
  EXPECT_EQ(RowGroupSizes(folder_ / "short").error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(RowGroupSizes(folder_ / "none").error().kind, ErrorKind::kNotFound);
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
