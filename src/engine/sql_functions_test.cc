#include "engine/sql_functions.h"

#include <gtest/gtest.h>

#include <optional>

namespace vitalake::engine {
namespace {

class SqlFunctionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    engine_ = std::move(*Engine::Open({.threads = 2}));
    connection_.emplace(std::move(*engine_->Connect()));
    const auto registered = RegisterSqlFunctions(*connection_);
    ASSERT_TRUE(registered) << registered.error().ToString();
  }

  std::string Eval(const std::string& expression) {
    auto text = connection_->Scalar("SELECT coalesce(CAST(" + expression + " AS VARCHAR), 'NULL')");
    return text ? *text : text.error().ToString();
  }

  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
};

TEST_F(SqlFunctionsTest, CallsWithEveryKindOfArgument) {
  EXPECT_EQ(Eval("fhir_time('2026-11-22T17:00:00.5+01:00')"), "2026-11-22 16:00:00.5+00");
  EXPECT_EQ(Eval("fhir_time('2026-11')"), "NULL");
  EXPECT_EQ(Eval("fhir_date('2026-11-22T23:00:00-08:00')"), "2026-11-22");
  EXPECT_EQ(Eval("fhir_precision('2026')"), "year");
  EXPECT_EQ(Eval("fhir_offset_minutes('2026-11-22T17:00:00+01:30')"), "90");
  EXPECT_EQ(Eval("time_quality('2026')"), "time_imprecise");
  EXPECT_EQ(Eval("bp_value('8480-6', '16', 'kPa')").substr(0, 4), "120.");
  EXPECT_EQ(Eval("vital_listed('http://loinc.org', '8480-6')"), "true");
  EXPECT_EQ(Eval("typeof(fhir_time('2026')) || typeof(fhir_date('2026'))"),
            "TIMESTAMP WITH TIME ZONEDATE");
}

TEST_F(SqlFunctionsTest, NullArgumentsArePassedOn) {
  EXPECT_EQ(Eval("fhir_time(NULL)"), "NULL");
  EXPECT_EQ(Eval("merge_tokens(NULL, NULL)"), "");
  EXPECT_EQ(Eval("vital_value('8480-6', NULL, 'mm[Hg]')"), "NULL");
  // readings and local_dates cannot be missing.
  EXPECT_EQ(Eval("bp_category(120, 70, NULL, 3, 50, NULL, 'cuff')"), "NULL");
}

TEST_F(SqlFunctionsTest, TrailingArgumentsMayBeLeftOut) {
  EXPECT_EQ(Eval("bp_interpretation(125, 75)"), Eval("bp_interpretation(125, 75, bp_rule_set())"));
  EXPECT_EQ(Eval("bp_rule_version()"), Eval("bp_rule_version(bp_rule_set())"));
  EXPECT_EQ(Eval("bp_rule_version(bp_rule_set(), now())"), Eval("bp_rule_version(bp_rule_set())"));
  EXPECT_NE(Eval("bp_rule_version()"), "NULL");
}

TEST_F(SqlFunctionsTest, WorksOverManyRows) {
  auto count = connection_->ScalarInt(
      "SELECT count(*) FROM (SELECT i, fhir_time(CASE WHEN i % 3 = 0 THEN NULL ELSE"
      " '2026-11-22T00:00:' || lpad((i % 60)::VARCHAR, 2, '0') || 'Z' END) AS t FROM range(10000) "
      "r(i))"
      " WHERE (i % 3 = 0 AND t IS NULL) OR second(t) = i % 60");
  ASSERT_TRUE(count) << count.error().ToString();
  EXPECT_EQ(*count, 10'000);
}

}  // namespace
}  // namespace vitalake::engine
