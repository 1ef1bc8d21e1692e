#include "engine/sql_session.h"

#include "engine/lake_fixture.h"
#include "engine/value_limits.h"

namespace vitalake::engine {
namespace {

using ::testing::HasSubstr;

class SqlSessionTest : public LakeFixture {
 protected:
  void SetUp() override {
    LakeFixture::SetUp();
    SqlCatalog catalog;
    catalog.list = [] {
      return Result<std::vector<std::string>>{{"silver.reading", "gold.high", "plain"}};
    };
    catalog.finds = [this](std::string_view, std::string_view column) {
      return held_rows_ > 0 && column == "id";
    };
    catalog.find_rows = [this](std::string_view, const TableFiles&, const ColumnBound&,
                               RowBuffer& rows, const Wait&) -> Result<bool> {
      for (int64_t i = held_rows_; i > 0; --i) {
        view::Cell cells[3];
        cells[0].is_null = cells[1].is_null = false;
        cells[0].text = "r";
        cells[1].integer = i;
        rows.Append(cells);
      }
      return true;
    };
    catalog.open = [this](std::string_view name,
                          const TableAt& at) -> Result<std::optional<NamedRelation>> {
      ++opened_;
      if (name == "gold.high") {
        return NamedRelation{.view_sql = "SELECT * FROM silver.reading WHERE value >= 150"};
      }
      if (name == "plain") return NamedRelation{.view_sql = "SELECT 7 AS seven"};
      if (name != "silver.reading") return std::nullopt;
      auto snapshot = at.version     ? table_->At(*at.version)
                      : at.timestamp ? table_->AtTimestamp(*at.timestamp)
                                     : table_->Latest();
      if (!snapshot) return std::unexpected(snapshot.error());
      return NamedRelation{.table = Files(*snapshot)};
    };
    session_ = std::move(*SqlSession::Open(*engine_, catalog));
    Append(0, 100);    // version 1
    Append(100, 200);  // version 2
  }

  std::string Ask(const std::string& sql, const std::vector<Parameter>& parameters = {}) {
    auto result = session_->Query(sql, parameters);
    if (!result) return result.error().ToString();
    auto more = result->Next();
    if (!more) return more.error().ToString();
    return *more ? result->Text(0) : "no row";
  }

  // The integers of its first column, in order, while they are 1, 2, ...: their number; then how
  // many other rows there are.
  std::pair<int64_t, int64_t> Counted(const std::string& sql) {
    auto result = session_->Query(sql);
    EXPECT_TRUE(result) << result.error().ToString();
    int64_t counted = 0, other = 0;
    while (result && *result->Next()) {
      ++(other == 0 && result->Text(0) == std::to_string(counted + 1) ? counted : other);
    }
    return {counted, other};
  }

  Error ErrorOf(const std::string& sql) {
    auto result = session_->Query(sql);
    EXPECT_FALSE(result) << sql;
    return result ? Error{} : result.error();
  }

  int opened_ = 0;
  int64_t held_rows_ = 0;  // found by id without reading the table, values from high to low
  std::unique_ptr<SqlSession> session_;
};

TEST_F(SqlSessionTest, SyntaxErrorsNameTheirPlace) {
  const Error error = ErrorOf("SELECT 'h\xC3\xA9'\nFROM FROM x");
  EXPECT_EQ(error.kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("\n\nLINE 2: FROM FROM x\n             ^"));
}

TEST_F(SqlSessionTest, ANumberThatIsTooLargeIsTheClientsFault) {
  const Error error = ErrorOf("SELECT 1 WHERE 1e309 > 1");
  EXPECT_EQ(error.kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("out of range"));
}

TEST_F(SqlSessionTest, ViewsOfTheCatalogSayThatTheyAre) {
  EXPECT_EQ(
      Ask("SELECT list(view_name ORDER BY view_name) FROM duckdb_views() WHERE comment = 'view'"),
      R"(["high","plain"])");
}

TEST_F(SqlSessionTest, OpensNothingThatIsNotNamed) {
  EXPECT_EQ(Ask("SELECT 1"), "1");
  EXPECT_EQ(opened_, 0);
}

TEST_F(SqlSessionTest, ReadsTheLatestVersion) {
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading"), "200");
  EXPECT_EQ(Ask("FROM Silver.READING SELECT max(value)"), "199");
  EXPECT_EQ(Ask("SELECT count(*) FROM lake.silver.reading"), "200");
  Append(200, 300);
  EXPECT_EQ(Ask("WITH r AS (SELECT * FROM silver.reading) SELECT count(*) FROM r"), "300");
}

TEST_F(SqlSessionTest, ReadsAnOlderVersion) {
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading AT (VERSION => 1)"), "100");
  EXPECT_EQ(
      Ask("SELECT count(*) FROM silver.reading AS r AT (VERSION => 2 - 1) WHERE r.value >= 50"),
      "50");
  EXPECT_EQ(
      Ask("SELECT (SELECT count(*) FROM silver.reading) - (SELECT count(*) FROM silver.reading"
          " AT (VERSION => 1)) - (SELECT count(*) FROM silver.reading AT (VERSION => 0))"),
      "100");
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading AT (VERSION => 1) WHERE reading.value < ?",
                {int64_t{10}}),
            "10");
  EXPECT_EQ(ErrorOf("SELECT * FROM silver.reading AT (VERSION => 9)").kind, ErrorKind::kNotFound);
}

TEST_F(SqlSessionTest, ReadsAMoment) {
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading AT (TIMESTAMP => now() + INTERVAL 1 HOUR)"),
            "200");
  EXPECT_EQ(ErrorOf("SELECT 1 FROM silver.reading AT (TIMESTAMP => '2001-01-01')").kind,
            ErrorKind::kNotFound);
}

TEST_F(SqlSessionTest, OpensEachTableOncePerStatement) {
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading a JOIN silver.reading b USING (id)"), "200");
  EXPECT_EQ(opened_, 1);
}

TEST_F(SqlSessionTest, ViewsReadTheSameSnapshotAsTheirTables) {
  EXPECT_EQ(Ask("SELECT count(*) FROM gold.high"), "50");
  EXPECT_EQ(Ask("SELECT seven FROM plain"), "7");
}

TEST_F(SqlSessionTest, BoundsNeverReachAnotherMention) {
  // The first mention alone would leave out the file that the others need.
  EXPECT_EQ(Ask("SELECT (SELECT count(*) FROM silver.reading WHERE value < 100) + (SELECT count(*)"
                " FROM gold.high)"),
            "150");
  EXPECT_EQ(Ask("SELECT (SELECT count(*) FROM silver.reading WHERE value < 100) + (SELECT count(*)"
                " FROM silver.reading)"),
            "300");
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading WHERE value < 100"), "100");
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading"), "200");
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading AS r(value, id, taken) WHERE id < 100"),
            "100");
}

TEST_F(SqlSessionTest, SkipsFilesByTheWhereClause) {
  const std::string path = Latest().snapshot->files()[0]->path;
  ASSERT_TRUE(store_->Delete(std::string(kRoot) + "/" + path));
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading r WHERE 150 <= r.value AND id IS NOT NULL"),
            "50");
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading WHERE value BETWEEN 120 AND 129"), "10");
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading WHERE taken >= TIMESTAMPTZ '2026-11-22"
                " 01:03:00+01:00'"),
            "20");
  EXPECT_EQ(ErrorOf("SELECT count(*) FROM silver.reading WHERE value >= 0").kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf("SELECT count(*) FROM silver.reading WHERE value > 150 OR value = 1").kind,
            ErrorKind::kNotFound);
}

TEST_F(SqlSessionTest, OnlyReads) {
  for (const char* sql :
       {"CREATE TABLE x (a INTEGER)", "INSERT INTO silver.reading VALUES (1)", "DROP VIEW plain",
        "SET memory_limit = '1GB'", "ATTACH ':memory:' AS z", "COPY (SELECT 1) TO '/tmp/x'",
        "EXPLAIN ANALYZE CREATE TABLE x (a INTEGER)", "PRAGMA database_list", "CHECKPOINT"}) {
    EXPECT_THAT(ErrorOf(sql).message, HasSubstr("only statements that read")) << sql;
  }
  EXPECT_THAT(ErrorOf("SELECT 1; SELECT 2").message, HasSubstr("one statement"));
  EXPECT_EQ(ErrorOf("SELEC 1").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(ErrorOf("").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(ErrorOf("SELECT * FROM silver.nothing").kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(ErrorOf("SELECT * FROM silver.nothing AT (VERSION => 1)").message,
              HasSubstr("silver.nothing"));
}

TEST_F(SqlSessionTest, DescribesAndLists) {
  EXPECT_EQ(Ask("DESCRIBE silver.reading"), "id");
  EXPECT_THAT(Ask("EXPLAIN SELECT count(*) FROM silver.reading"), HasSubstr("plan"));
  EXPECT_EQ(Ask("SELECT string_agg(table_schema || '.' || table_name, ' ' ORDER BY ALL) FROM"
                " information_schema.tables WHERE table_catalog = current_database()"),
            "gold.high main.plain silver.reading");
}

TEST_F(SqlSessionTest, SessionsDoNotSeeEachOther) {
  SqlCatalog catalog;
  catalog.list = [] { return Result<std::vector<std::string>>{}; };
  catalog.open = [](std::string_view, const TableAt&) -> Result<std::optional<NamedRelation>> {
    return NamedRelation{.view_sql = "SELECT 'other' AS id"};
  };
  auto other = SqlSession::Open(*engine_, catalog);
  ASSERT_TRUE(other);
  EXPECT_EQ(Ask("SELECT count(*) FROM silver.reading"), "200");
  auto result = (*other)->Query("SELECT id FROM silver.reading");
  ASSERT_TRUE(result) << result.error().ToString();
  ASSERT_TRUE(*result->Next());
  EXPECT_EQ(result->Text(0), "other");
}

TEST_F(SqlSessionTest, AValueHasALimitWhereTheyAreInstalled) {
  auto limits = InstallValueLimits(*engine_);
  ASSERT_TRUE(limits) << limits.error().ToString();
  SqlCatalog none{
      .list = [] { return Result<std::vector<std::string>>{}; },
      .open = [](std::string_view,
                 const TableAt&) { return Result<std::optional<NamedRelation>>{std::nullopt}; }};
  session_ = std::move(*SqlSession::Open(*engine_, none, {.built_ins = *limits}));
  EXPECT_EQ(Ask("SELECT range(3)"), "[0,1,2]");
  EXPECT_EQ(Ask("SELECT range(3, 0, -2)"), "[3,1]");
  EXPECT_EQ(Ask("SELECT len(generate_series(1, 1000000))"), "1000000");
  EXPECT_EQ(
      Ask("SELECT len(generate_series(DATE '2026-01-01', DATE '2026-01-03', INTERVAL 1 DAY))"),
      "3");
  EXPECT_EQ(Ask("SELECT repeat('ab', 2)"), "abab");
  EXPECT_EQ(Ask("SELECT count(*) FROM range(2000000)"), "2000000");
  for (const char* const sql :
       {"SELECT range(4000000000)",
        "SELECT range(0, -4000000000, -1)",
        "SELECT generate_series(0, 2000000000, 2)",
        "SELECT repeat('ab', 2000000000)",
        "SELECT generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2030-01-01', INTERVAL 1 SECOND)",
        "SELECT len(range(i)) FROM range(4000000000, 4000000001) t(i)",
        "SELECT lpad('x', 2000000000, 'y')",
        "SELECT rpad('x', 2000000000)",
        "SELECT list_resize([1], 2000000000)",
        "SELECT array_resize([1], 2000000000, 7)",
        "SELECT ('x').lpad(2000000000, 'y')",
        "SELECT s.lpad(2000000000, 'y') FROM (SELECT 'x' AS s)",
        "SELECT printf('%999999999d', 1)",
        "SELECT printf('%.999999999f|%d', 1.5, 7)",
        "SELECT printf('%*d', 999999999, 1)",
        "SELECT format('{:999999999}', 1)",
        "SELECT format('{:{}}', 1, 999999999)",
        "SELECT format('{0:1}{0:99999999}{0:1}', 1)",
        "SELECT printf('%99999999s%2s', 'x', 'y')",
        "SELECT format(repeat('{0}', 1000), repeat('x', 200000))",
        "SELECT bitstring('1', 999999999)"}) {
    EXPECT_THAT(Ask(sql), HasSubstr("too many")) << sql;
  }
  EXPECT_EQ(Ask("SELECT lpad('7', 3, '0') || rpad('7', 3) || '|'"), "0077  |");
  EXPECT_EQ(Ask("SELECT list_resize([1], 2)"), "[1,null]");
  EXPECT_EQ(Ask("SELECT array_resize([1], 3, 7)"), "[1,7,7]");
  EXPECT_EQ(Ask("SELECT printf('%5d%%1000000000|%-*s|%.2f', 7, 3, 'x', 1.5)"),
            "    7%1000000000|x  |1.50");
  EXPECT_EQ(Ask("SELECT format('{:>{}}|{:*^5}|{{1000000000}} {:,}', 'x', 3, 'y', 1234567)"),
            "  x|**y**|{1000000000} 1,234,567");
  EXPECT_EQ(Ask("SELECT format('1000000000 {:1}', NULL::INTEGER) IS NULL"), "true");
  EXPECT_EQ(Ask("SELECT printf('plain') || format('plain') || bitstring('1', 3)"), "plainplain001");
  EXPECT_EQ(Ask("SELECT s.lpad(3, '0') FROM (SELECT '7' AS s)"), "007");
  for (const char* const sql :
       {"SELECT system.main.repeat('ab', 2000000000)", "SELECT main.lpad('x', 2000000000, 'y')",
        "SELECT len(system.main.range(4000000000))",
        "SELECT Pg_Catalog.RPAD('x', 2000000000, 'y')"}) {
    EXPECT_THAT(Ask(sql), HasSubstr("without a schema")) << sql;
  }
  EXPECT_EQ(Ask("SELECT main.upper('x')"), "X");
}

TEST_F(SqlSessionTest, FoundRowsAreSortedHoweverManyThereAre) {
  const std::string sql = "SELECT value FROM silver.reading WHERE id = 'r' ORDER BY value";
  using Counts = std::pair<int64_t, int64_t>;
  for (const int64_t rows : {20, 5000, 5001, 9000}) {
    held_rows_ = rows;
    EXPECT_EQ(Counted(sql), Counts(rows, 0));
    EXPECT_EQ(Counted(sql + " LIMIT 7"), Counts(std::min<int64_t>(rows, 7), 0));
  }
}

TEST_F(SqlSessionTest, FoundRowsThatBecomeMoreAreAllGiven) {
  held_rows_ = 20;
  const auto [counted, other] =
      Counted("SELECT unnest(range(400)) FROM silver.reading WHERE id = 'r' ORDER BY value");
  EXPECT_EQ(counted + other, 8000);
  held_rows_ = 4000;
  EXPECT_EQ(Counted("SELECT value FROM silver.reading WHERE id = 'r' GROUP BY GROUPING SETS"
                    " ((value), (value, taken)) ORDER BY value")
                .second,
            7999);
}

TEST_F(SqlSessionTest, FewFoundRowsAreSortedByAHeap) {
  held_rows_ = 5000;
  const auto point =
      session_->FindPoint("SELECT value FROM silver.reading WHERE id = 'r' ORDER BY 1");
  ASSERT_TRUE(point);
  auto filled = session_->FillPoint(*point, {});
  ASSERT_TRUE(filled);
  ASSERT_TRUE(*filled);
  EXPECT_THAT(Ask("SELECT 1"), "1");
  auto plan = session_->connection().Query("EXPLAIN " + **filled);
  ASSERT_TRUE(plan) << plan.error().ToString();
  ASSERT_TRUE(*plan->Next());
  EXPECT_THAT(plan->Text(1), HasSubstr("TOP_N"));
}

TEST_F(SqlSessionTest, WritesParquet) {
  const auto path = folder_ / "out.parquet";
  auto rows = session_->QueryToParquet("SELECT * FROM silver.reading WHERE value < 30", path);
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(*rows, 30);
  EXPECT_EQ(Scalar("SELECT sum(value) FROM " + QuoteLiteral(path.string())), "435");
}

}  // namespace
}  // namespace vitalake::engine
