#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

namespace vitalake::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto engine = Engine::Open({.threads = 2});
    ASSERT_TRUE(engine) << engine.error().ToString();
    engine_ = std::move(*engine);
    auto connection = engine_->Connect();
    ASSERT_TRUE(connection);
    connection_.emplace(std::move(*connection));
  }

  std::string Text(const std::string& expression) {
    auto text = connection_->Scalar("SELECT " + expression);
    return text ? *text : text.error().ToString();
  }

  std::string Json(const std::string& expression) {
    auto result = connection_->Query("SELECT " + expression);
    if (!result) return result.error().ToString();
    EXPECT_TRUE(result->Next().value_or(false));
    std::string out;
    result->AppendJson(0, out);
    return out;
  }

  ErrorKind KindOf(const std::string& sql) {
    auto result = connection_->Query(sql);
    EXPECT_FALSE(result) << sql;
    return result ? ErrorKind::kInternal : result.error().kind;
  }

  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
};

TEST_F(EngineTest, GivesTypedCellsRowByRow) {
  auto result = connection_->Query(
      "SELECT * FROM (VALUES (1, true, 2.5::DOUBLE, 'a', DATE '1970-01-03', 1.25::DECIMAL(9,2),"
      " TIMESTAMPTZ '1970-01-01 00:00:01+00'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL))"
      " t(i, b, d, s, day, dec, ts) ORDER BY i NULLS LAST");
  ASSERT_TRUE(result) << result.error().ToString();
  ASSERT_EQ(result->columns().size(), 7u);
  EXPECT_EQ(result->columns()[5].type, "DECIMAL(9,2)");
  EXPECT_EQ(result->Find("ts"), 6u);
  EXPECT_EQ(result->Find("none"), std::nullopt);
  ASSERT_TRUE(*result->Next());
  EXPECT_EQ(result->GetInt64(0), 1);
  EXPECT_TRUE(result->GetBool(1));
  EXPECT_EQ(result->GetDouble(2), 2.5);
  EXPECT_EQ(result->GetString(3), "a");
  EXPECT_EQ(result->GetInt64(4), 2);
  EXPECT_EQ(result->GetDouble(5), 1.25);
  EXPECT_EQ(result->GetInt64(6), 1'000'000);
  ASSERT_TRUE(*result->Next());
  for (size_t i = 0; i < 7; ++i) EXPECT_TRUE(result->IsNull(i)) << i;
  EXPECT_FALSE(*result->Next());
}

TEST_F(EngineTest, WritesTextAsDuckDbCastsIt) {
  for (const char* expression : {"true",
                                 "-7::TINYINT",
                                 "18446744073709551615::UBIGINT",
                                 "-170141183460469231731687303715884105727::HUGEINT",
                                 "1.0::DOUBLE",
                                 "0.1::FLOAT",
                                 "1e300::DOUBLE",
                                 "'-inf'::DOUBLE",
                                 "1e15::DOUBLE",
                                 "-0.05::DECIMAL(4,2)",
                                 "123456789012345678901234567890.12345678::DECIMAL(38,8)",
                                 "0.5::DECIMAL(4,3)",
                                 "DATE '2026-11-22'",
                                 "DATE '0044-03-15 (BC)'",
                                 "DATE 'infinity'",
                                 "TIMESTAMP '1969-12-31 23:59:59.5'",
                                 "TIMESTAMPTZ '2026-11-22 17:00:00+01'",
                                 "TIME '23:59:59.000001'",
                                 "'\\xAA\\x01ab'::BLOB",
                                 "INTERVAL '14 months 3 days 04:05:06.7'",
                                 "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID",
                                 "'x'::ENUM('y', 'x')",
                                 "'{\"a\":1}'::JSON"}) {
    EXPECT_EQ(Text(expression), Text(std::string("CAST((") + expression + ") AS VARCHAR)"))
        << expression;
  }
}

TEST_F(EngineTest, WritesJson) {
  EXPECT_EQ(Json("[1, NULL, 3]"), "[1,null,3]");
  EXPECT_EQ(Json("{'a': 'x\"y', 'b': {'c': 1.50::DECIMAL(5,2)}}"),
            R"({"a":"x\"y","b":{"c":1.50}})");
  EXPECT_EQ(Json("MAP {'k': 1, 'l': NULL}"), R"({"k":1,"l":null})");
  EXPECT_EQ(Json("TIMESTAMPTZ '2026-11-22 17:00:00.25+00'"), R"("2026-11-22T17:00:00.25Z")");
  // ISO 8601: the year before 0001 is 0000.
  EXPECT_EQ(Json("TIMESTAMPTZ '0001-01-01 00:00:00+14'"), R"("0000-12-31T10:00:00Z")");
  EXPECT_EQ(Json("TIMESTAMP '0002-01-01 (BC) 00:00:00'"), R"("-0001-01-01T00:00:00")");
  EXPECT_EQ(Json("'nan'::DOUBLE"), "null");
  EXPECT_EQ(Json("'{\"a\":[1]}'::JSON"), R"({"a":[1]})");
  EXPECT_EQ(Json("[[1,2],[3]]::INTEGER[][]"), "[[1,2],[3]]");
  EXPECT_EQ(Json("array_value(1, 2)"), "[1,2]");
  EXPECT_EQ(Json("NULL"), "null");
}

TEST_F(EngineTest, RefusesTypesWithoutText) {
  auto result = connection_->Query("SELECT '101'::BIT AS bits");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(result.error().message, HasSubstr("bits"));
}

TEST_F(EngineTest, BindsParameters) {
  auto result = connection_->Query("SELECT ?, ?, ?, ?, ?",
                                   {int64_t{5}, std::string("a\0b", 3), true, 0.5, {}});
  ASSERT_TRUE(result) << result.error().ToString();
  ASSERT_TRUE(*result->Next());
  EXPECT_EQ(result->GetInt64(0), 5);
  EXPECT_EQ(result->GetString(1), std::string_view("a\0b", 3));
  EXPECT_TRUE(result->GetBool(2));
  EXPECT_EQ(result->GetDouble(3), 0.5);
  EXPECT_TRUE(result->IsNull(4));
  auto missing = connection_->Query("SELECT ?");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(EngineTest, RunsSeveralStatementsAndCountsChangedRows) {
  auto changed = connection_->Execute(
      "CREATE TEMP TABLE t (a INTEGER); INSERT INTO t SELECT * FROM range(5000)");
  ASSERT_TRUE(changed) << changed.error().ToString();
  EXPECT_EQ(*changed, 5000);
  EXPECT_EQ(*connection_->ScalarInt("SELECT sum(a) FROM t"), 4999 * 5000 / 2);
}

TEST_F(EngineTest, StreamsEveryRow) {
  auto result = connection_->Stream("SELECT i FROM range(100000) t(i)");
  ASSERT_TRUE(result);
  int64_t sum = 0;
  int64_t rows = 0;
  while (*result->Next()) {
    sum += result->GetInt64(0);
    ++rows;
  }
  EXPECT_EQ(rows, 100000);
  EXPECT_EQ(sum, 99999ll * 100000 / 2);
}

TEST_F(EngineTest, AStreamReportsAnErrorOnTheWay) {
  auto result = connection_->Stream(
      "SELECT CASE WHEN i = 90000 THEN CAST('x' || i AS INTEGER) ELSE i END FROM range(100000) "
      "t(i)");
  std::optional<Error> error;
  if (!result) {
    error = result.error();
  } else {
    while (true) {
      auto more = result->Next();
      if (!more) error = more.error();
      if (!more || !*more) break;
    }
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::kInvalidArgument);
}

TEST_F(EngineTest, NamesTheKindOfAnError) {
  EXPECT_EQ(KindOf("SELEC 1"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf("SELECT a"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf("SELECT * FROM nowhere"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf("SELECT CAST('x' AS INTEGER)"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf("SELECT * FROM read_parquet('/no/such/file.parquet')"), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(""), ErrorKind::kInvalidArgument);
}

TEST_F(EngineTest, MemoryPastTheLimitIsALimitNotADeath) {
  auto engine = Engine::Open({.threads = 1, .memory_bytes = 32 << 20});
  ASSERT_TRUE(engine);
  auto connection = (*engine)->Connect();
  auto result = connection->Query(
      "SELECT i, i::VARCHAR || repeat('x', 50) FROM range(5000000) t(i)"
      " ORDER BY hash(i)");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kLimit) << result.error().ToString();
}

TEST_F(EngineTest, SpillsWhenItMay) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "engine_spill";
  auto engine = Engine::Open({.threads = 1, .memory_bytes = 64 << 20, .spill_folder = folder});
  ASSERT_TRUE(engine);
  auto connection = (*engine)->Connect();
  auto count = connection->ScalarInt(
      "SELECT count(*) FROM (SELECT i, repeat('x', 100) AS s FROM range(1000000) t(i)"
      " ORDER BY hash(i) LIMIT 900000)");
  ASSERT_TRUE(count) << count.error().ToString();
  EXPECT_EQ(*count, 900000);
}

// Both with the same options, as two processes on one lake have.
TEST_F(EngineTest, SpillingEnginesDoNotDisturbEachOther) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "engine_spill_two";
  const EngineOptions options{.threads = 1, .memory_bytes = 96 << 20, .spill_folder = folder};
  const std::string sorted =
      "SELECT i, repeat('x', 100) || i AS s FROM range(1500000) t(i) ORDER BY hash(i)";
  auto staying = Engine::Open(options);
  auto connection = (*staying)->Connect();
  auto rows = connection->Stream(sorted);
  ASSERT_TRUE(rows) << rows.error().ToString();
  {
    auto leaving = Engine::Open(options);
    auto other = (*leaving)->Connect();
    auto first = other->Stream(sorted);
    ASSERT_TRUE(first) << first.error().ToString();
    ASSERT_TRUE(*first->Next());
  }
  int64_t sum = 0;
  int64_t count = 0;
  for (auto more = rows->Next(); more && *more; more = rows->Next(), ++count) {
    sum += rows->GetInt64(0);
  }
  EXPECT_EQ(count, 1'500'000);
  EXPECT_EQ(sum, 1'500'000LL * 1'499'999 / 2);
}

constexpr const char* kEndless =
    "SELECT count(*) FROM range(1000000000) a(i), range(1000) b(j) WHERE hash(i + j) = 7";

TEST_F(EngineTest, StopEndsAStatement) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  auto result = connection_->Query(kEndless, {}, {.stop = stop.get_token()});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(*connection_->ScalarInt("SELECT 1"), 1);
}

// None of them would end by itself while anybody waits.
constexpr const char* kLongStatements[] = {
    kEndless,
    "SELECT count(*) FROM generate_series(1, 100000000000000)",
    "SELECT i FROM range(100000000000000) t(i) WHERE i < 0",
    "SELECT sum(i * j) FROM range(3000000) a(i), range(3000000) b(j)",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "SELECT max(n) FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n % 10 FROM r, "
    "range(100000) "
    "WHERE n > 0) SELECT n FROM r), range(100000000000)",
    "SELECT i % 5000000, count(*), avg(i) FROM range(100000000000000) t(i) GROUP BY 1",
    "SELECT i FROM range(100000000000000) t(i) ORDER BY hash(i) LIMIT 5 OFFSET 100000",
    "SELECT DISTINCT i % 1000 FROM range(100000000000000) t(i)",
    "SELECT max(s) FROM (SELECT sum(i) OVER (PARTITION BY i % 3) AS s FROM range(2000000000) t(i))",
    "SELECT count(*) FROM (SELECT unnest(generate_series(1, 1000000)) FROM range(100000000))",
};

TEST_F(EngineTest, ADeadlineEndsEveryShapeOfStatement) {
  SystemClock clock;
  for (const char* const sql : kLongStatements) {
    const auto began = clock.Steady();
    auto result = connection_->Stream(sql, {}, Wait::For(clock, std::chrono::milliseconds(100)));
    Error error;
    if (result) {
      auto row = result->Next();
      while (row && *row) row = result->Next();
      ASSERT_FALSE(row) << sql;
      error = row.error();
    } else {
      error = result.error();
    }
    EXPECT_EQ(error.kind, ErrorKind::kDeadline) << sql << ": " << error.ToString();
    EXPECT_LT(clock.Steady() - began, std::chrono::seconds(20)) << sql;
    EXPECT_EQ(*connection_->ScalarInt("SELECT 1"), 1);
  }
}

TEST_F(EngineTest, AStopEndsTheReadingOfRows) {
  std::stop_source stop;
  auto result = connection_->Stream("SELECT i FROM range(100000000000000) t(i) WHERE i < 400000",
                                    {}, {.stop = stop.get_token()});
  ASSERT_TRUE(result) << result.error().ToString();
  std::jthread stopper;
  Result<bool> row = true;
  for (int64_t count = 0; row && *row; ++count) {
    row = result->Next();
    if (count == 1000) stopper = std::jthread([&] { stop.request_stop(); });
  }
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().kind, ErrorKind::kCancelled);
}

// One half of it has rows at once and waits for its reader; the other half looks for some for ever.
TEST_F(EngineTest, AStreamThatIsLeftWorksNoMore) {
  const char* const kHalves =
      "SELECT i FROM range(10000000) t(i) UNION ALL "
      "SELECT i FROM range(100000000000000) t(i) WHERE i < 0";
  for (int i = 0; i < 3; ++i) {
    auto left = connection_->Stream(kHalves);
    ASSERT_TRUE(left) << left.error().ToString();
    ASSERT_TRUE(*left->Next());
  }
  EXPECT_EQ(*connection_->ScalarInt("SELECT 1"), 1);
}

TEST_F(EngineTest, AResultThatGoesLateDisturbsNobody) {
  std::optional<QueryResult> old =
      std::move(*connection_->Stream("SELECT i FROM range(9000000) t(i)"));
  ASSERT_TRUE(*old->Next());
  auto rows = connection_->Stream("SELECT i FROM range(3000000) t(i)");
  ASSERT_TRUE(rows) << rows.error().ToString();
  old.reset();
  int64_t count = 0;
  for (auto more = rows->Next(); more && *more; more = rows->Next()) ++count;
  EXPECT_EQ(count, 3'000'000);
}

TEST_F(EngineTest, ResultsOfQueryOutliveTheNextStatement) {
  auto first = connection_->Query("SELECT i FROM range(5000) t(i)");
  ASSERT_TRUE(connection_->Execute("CREATE TEMP TABLE other AS SELECT 1"));
  int64_t rows = 0;
  while (*first->Next()) ++rows;
  EXPECT_EQ(rows, 5000);
}

TEST_F(EngineTest, RefusesSenselessOptions) {
  EXPECT_EQ(Engine::Open({.threads = -1}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Engine::Open({.memory_bytes = 1}).error().kind, ErrorKind::kInvalidArgument);
}

TEST(Quoting, DoublesQuotes) {
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteName("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace vitalake::engine
