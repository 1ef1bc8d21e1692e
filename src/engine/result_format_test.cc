#include "engine/result_format.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "engine/text_width.h"

namespace vitalake::engine {
namespace {

class ResultFormatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    engine_ = std::move(*Engine::Open({.threads = 1}));
    connection_.emplace(std::move(*engine_->Connect()));
  }

  std::string Write(const std::string& sql, ResultFormat format,
                    const FormatOptions& options = {}) {
    auto result = connection_->Stream(sql);
    if (!result) return result.error().ToString();
    std::string out;
    auto rows = WriteResult(
        *result, format,
        [&](std::string_view piece) {
          out += piece;
          return Status{};
        },
        options);
    return rows ? out : rows.error().ToString();
  }

  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
};

constexpr const char* kRows =
    "SELECT * FROM (VALUES (1, 'plain', 1.5::DECIMAL(4,2)), (-20, 'a \"b\", c' || chr(10) || 'd', "
    "NULL),"
    " (NULL, '', 0.25), (4, NULL, 0)) t(n, \"the, text\", d)";

TEST_F(ResultFormatTest, Csv) {
  EXPECT_EQ(Write(kRows, ResultFormat::kCsv),
            "n,\"the, text\",d\n"
            "1,plain,1.50\n"
            "-20,\"a \"\"b\"\", c\nd\",\n"
            ",\"\",0.25\n"
            "4,,0.00\n");
}

TEST_F(ResultFormatTest, JsonAndNdjson) {
  EXPECT_EQ(Write(kRows, ResultFormat::kNdjson),
            "{\"n\":1,\"the, text\":\"plain\",\"d\":1.50}\n"
            "{\"n\":-20,\"the, text\":\"a \\\"b\\\", c\\nd\",\"d\":null}\n"
            "{\"n\":null,\"the, text\":\"\",\"d\":0.25}\n"
            "{\"n\":4,\"the, text\":null,\"d\":0.00}\n");
  EXPECT_EQ(Write("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a", ResultFormat::kJson),
            "[\n{\"a\":1},\n{\"a\":2}\n]\n");
  EXPECT_EQ(Write("SELECT 1 AS a WHERE false", ResultFormat::kJson), "[]\n");
}

TEST_F(ResultFormatTest, TableIsAligned) {
  EXPECT_EQ(
      Write("SELECT * FROM (VALUES (1, 'ä日', true), (100, 'abc', NULL)) t(n, s, b) ORDER BY n",
            ResultFormat::kTable),
      "  n  s    b\n"
      "---  ---  ----\n"
      "  1  ä日  true\n"
      "100  abc  \n"
      "(2 rows)\n");
}

TEST_F(ResultFormatTest, TableIsCut) {
  EXPECT_EQ(Write("SELECT repeat('x', 20) AS s FROM range(3)", ResultFormat::kTable,
                  {.table_max_width = 5, .table_max_rows = 1}),
            "s\n-----\nxxxx…\n(3 rows, the first 1 shown)\n");
  EXPECT_EQ(Write("SELECT 1 AS a WHERE false", ResultFormat::kTable), "a\n-\n(0 rows)\n");
}

TEST_F(ResultFormatTest, ASinksErrorEndsTheWriting) {
  auto result = connection_->Stream("SELECT i FROM range(1000000) t(i)");
  int calls = 0;
  auto rows = WriteResult(*result, ResultFormat::kCsv, [&](std::string_view) -> Status {
    ++calls;
    return Fail(ErrorKind::kIo, "the pipe is closed");
  });
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::kIo);
  EXPECT_EQ(calls, 1);
}

TEST_F(ResultFormatTest, ParquetGoesToAFile) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "engine_result.parquet";
  auto rows = WriteParquetResult(*connection_, "SELECT i FROM range(10) t(i)", path);
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(*rows, 10);
  EXPECT_EQ(*connection_->ScalarInt("SELECT sum(i) FROM " + QuoteLiteral(path.string())), 45);
  std::filesystem::remove(path);
}

TEST(ResultFormatNames, AreParsed) {
  EXPECT_EQ(*ParseResultFormat("ndjson"), ResultFormat::kNdjson);
  EXPECT_EQ(ParseResultFormat("xml").error().kind, ErrorKind::kInvalidArgument);
}

TEST(TextWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u);
  EXPECT_EQ(DisplayWidth("\xff"), 1u);
  EXPECT_EQ(DisplayWidth("😀"), 2u);
  EXPECT_EQ(CutToWidth("日本語", 4), "日…");
  EXPECT_EQ(CutToWidth("abcd", 4), "abcd");
  EXPECT_EQ(CutToWidth("abcd", 0), "abcd");
}

}  // namespace
}  // namespace vitalake::engine
