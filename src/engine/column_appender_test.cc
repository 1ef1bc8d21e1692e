#include "engine/column_appender.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace vitalake::engine {
namespace {

using view::Cell;
using view::ColumnType;

Cell Integer(int64_t value) {
  Cell cell;
  cell.is_null = false;
  cell.integer = value;
  return cell;
}

Cell Text(std::string_view value) {
  Cell cell;
  cell.is_null = false;
  cell.text = value;
  return cell;
}

Cell Boolean(bool value) {
  Cell cell;
  cell.is_null = false;
  cell.boolean = value;
  return cell;
}

Cell Number(double value) {
  Cell cell;
  cell.is_null = false;
  cell.number = value;
  return cell;
}

class ColumnAppenderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto engine = Engine::Open({.threads = 2});
    ASSERT_TRUE(engine) << engine.error().ToString();
    engine_ = std::move(*engine);
    connection_.emplace(std::move(*engine_->Connect()));
  }

  std::string Scalar(const std::string& sql) {
    auto text = connection_->Scalar(sql);
    return text ? *text : text.error().ToString();
  }

  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
};

TEST_F(ColumnAppenderTest, WritesEveryTypeAndNull) {
  const std::vector<view::ColumnSpec> columns = {
      {"b", ColumnType::kBoolean, {}, {}},  {"i", ColumnType::kInteger, {}, {}},
      {"l", ColumnType::kBigint, {}, {}},   {"n", ColumnType::kDouble, {}, {}},
      {"s", ColumnType::kVarchar, {}, {}},  {"d", ColumnType::kDate, {}, {}},
      {"t", ColumnType::kTimestamp, {}, {}}};
  ASSERT_TRUE(connection_->Execute(CreateTableSql("all_types", columns)));
  std::vector<ColumnType> types;
  for (const auto& column : columns) types.push_back(column.type);
  auto appender = ColumnAppender::Make(*connection_, "all_types", types);
  ASSERT_TRUE(appender) << appender.error().ToString();
  const std::vector<Cell> row = {Boolean(true), Integer(-5), Integer(1ll << 40), Number(0.25)};
  const std::vector<Cell> rest = {Text("more than twelve bytes"), Integer(1), Integer(1'500'000)};
  ASSERT_TRUE(appender->Append(row, rest));
  ASSERT_TRUE(appender->Append(std::vector<Cell>(7)));
  ASSERT_TRUE(appender->Close());
  EXPECT_EQ(
      Scalar("SELECT b || '|' || i || '|' || l || '|' || n || '|' || s || '|' || d || '|' || t"
             " FROM all_types WHERE b"),
      "true|-5|1099511627776|0.25|more than twelve bytes|1970-01-02|1970-01-01 00:00:01.5+00");
  EXPECT_EQ(
      Scalar("SELECT count(*) FROM all_types WHERE COALESCE(b::VARCHAR, i::VARCHAR, l::VARCHAR,"
             " n::VARCHAR, s, d::VARCHAR, t::VARCHAR) IS NULL"),
      "1");
}

TEST_F(ColumnAppenderTest, FillsManyChunksWithStringsOfEveryLength) {
  ASSERT_TRUE(connection_->Execute("CREATE TEMP TABLE t (i BIGINT, s VARCHAR)"));
  const ColumnType types[] = {ColumnType::kBigint, ColumnType::kVarchar};
  auto appender = ColumnAppender::Make(*connection_, "t", types);
  ASSERT_TRUE(appender) << appender.error().ToString();
  const std::string text(40, 'x');
  for (int64_t i = 0; i < 10'000; ++i) {
    const Cell row[] = {Integer(i), Text(std::string_view(text).substr(0, i % 41))};
    ASSERT_TRUE(appender->Append(row));
  }
  EXPECT_EQ(appender->rows(), 10'000);
  ASSERT_TRUE(appender->Close());
  EXPECT_EQ(Scalar("SELECT count(*) FROM t WHERE s = repeat('x', (i % 41)::INTEGER)"), "10000");
}

TEST_F(ColumnAppenderTest, ReplacesBadBytes) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t (s VARCHAR)"));
  const ColumnType types[] = {ColumnType::kVarchar};
  auto appender = ColumnAppender::Make(*connection_, "main.t", types);
  ASSERT_TRUE(appender) << appender.error().ToString();
  const Cell bad[] = {Text("a\xff\xc3(\xc3\xa9\xe2\x82")};
  ASSERT_TRUE(appender->Append(bad));
  ASSERT_TRUE(appender->Close());
  EXPECT_EQ(Scalar("SELECT s FROM t"),
            "a\xef\xbf\xbd\xef\xbf\xbd(\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(ColumnAppenderTest, WithoutCloseTheLastRowsAreNotThere) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t (i BIGINT)"));
  const ColumnType types[] = {ColumnType::kBigint};
  {
    auto appender = ColumnAppender::Make(*connection_, "t", types);
    const Cell row[] = {Integer(1)};
    ASSERT_TRUE(appender->Append(row));
  }
  EXPECT_EQ(Scalar("SELECT count(*) FROM t"), "0");
}

TEST_F(ColumnAppenderTest, SeveralThreadsFillOneTable) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t (i BIGINT)"));
  std::vector<std::jthread> threads;
  for (int64_t n = 0; n < 3; ++n) {
    threads.emplace_back([this, n] {
      auto connection = engine_->Connect();
      const ColumnType types[] = {ColumnType::kBigint};
      auto appender = ColumnAppender::Make(*connection, "t", types);
      ASSERT_TRUE(appender);
      for (int64_t i = 0; i < 5'000; ++i) {
        const Cell row[] = {Integer(n * 5'000 + i)};
        ASSERT_TRUE(appender->Append(row));
      }
      ASSERT_TRUE(appender->Close());
    });
  }
  threads.clear();
  EXPECT_EQ(Scalar("SELECT count(DISTINCT i) || ' ' || max(i) FROM t"), "15000 14999");
}

TEST_F(ColumnAppenderTest, RefusesAnotherShape) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t (i BIGINT)"));
  const ColumnType text[] = {ColumnType::kVarchar};
  const ColumnType two[] = {ColumnType::kBigint, ColumnType::kBigint};
  EXPECT_EQ(ColumnAppender::Make(*connection_, "t", text).error().kind,
            ErrorKind::kInvalidArgument);
  EXPECT_EQ(ColumnAppender::Make(*connection_, "t", two).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(ColumnAppender::Make(*connection_, "none", text).error().kind,
            ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace vitalake::engine
