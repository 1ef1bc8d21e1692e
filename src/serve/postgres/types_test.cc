#include "serve/postgres/types.h"

#include <gtest/gtest.h>

#include "serve/postgres/copy.h"
#include "serve/postgres/message.h"

namespace vitalake::serve {
namespace {

using std::string_literals::operator""s;

class PostgresTypesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { engine_ = engine::Engine::Open({.threads = 1}).value(); }
  static void TearDownTestSuite() { engine_.reset(); }

  // The first column of the first row of `SELECT <expression>`.
  std::string Format(const std::string& expression, PgFormat format) {
    auto connection = engine_->Connect().value();
    auto result = connection.Query("SELECT " + expression);
    EXPECT_TRUE(result.has_value()) << expression << ": " << result.error().message;
    EXPECT_TRUE(result->Next().value());
    std::string out;
    if (format == PgFormat::kText) {
      AppendPgText(result->Cell(0), result->types()[0], out);
    } else {
      AppendPgBinary(result->Cell(0), result->types()[0], out);
    }
    return out;
  }
  std::string Text(const std::string& expression) { return Format(expression, PgFormat::kText); }
  std::string Binary(const std::string& expression) {
    return Format(expression, PgFormat::kBinary);
  }
  int32_t Oid(const std::string& expression) {
    auto connection = engine_->Connect().value();
    auto result = connection.Query("SELECT " + expression).value();
    return PgColumnOf("", result.types()[0]).oid;
  }

  static std::unique_ptr<engine::Engine> engine_;
};

std::unique_ptr<engine::Engine> PostgresTypesTest::engine_;

TEST_F(PostgresTypesTest, TextIsAsPostgresWritesIt) {
  EXPECT_EQ(Text("true"), "t");
  EXPECT_EQ(Text("1.50::DECIMAL(5,2)"), "1.50");
  EXPECT_EQ(Text("-0.05::DECIMAL(5,2)"), "-0.05");
  EXPECT_EQ(Text("'\\x01\\xAB'::BLOB"), "\\x01ab");
  EXPECT_EQ(Text("DATE '2026-11-22'"), "2026-11-22");
  EXPECT_EQ(Text("DATE '0044-03-15 (BC)'"), "0044-03-15 BC");
  EXPECT_EQ(Text("TIMESTAMP '2026-11-22 17:00:00.250'"), "2026-11-22 17:00:00.25");
  EXPECT_EQ(Text("TIMESTAMPTZ '2026-11-22 17:00:00+02'"), "2026-11-22 15:00:00+00");
  EXPECT_EQ(Text("'infinity'::TIMESTAMP"), "infinity");
  EXPECT_EQ(Text("uuid '00112233-4455-6677-8899-aabbccddeeff'"),
            "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(Text("170141183460469231731687303715884105727::HUGEINT"),
            "170141183460469231731687303715884105727");
}

// Expected values: PostgreSQL 15, extra_float_digits 1.
TEST_F(PostgresTypesTest, FloatsAreTheShortestThatReadBack) {
  EXPECT_EQ(Text("0.1::DOUBLE"), "0.1");
  EXPECT_EQ(Text("100::DOUBLE"), "100");
  EXPECT_EQ(Text("1e14::DOUBLE"), "100000000000000");
  EXPECT_EQ(Text("1e15::DOUBLE"), "1e+15");
  EXPECT_EQ(Text("123456789012345.6::DOUBLE"), "123456789012345.6");
  EXPECT_EQ(Text("0.0001::DOUBLE"), "0.0001");
  EXPECT_EQ(Text("0.00001::DOUBLE"), "1e-05");
  EXPECT_EQ(Text("-0.0::DOUBLE"), "-0");
  EXPECT_EQ(Text("1e300::DOUBLE"), "1e+300");
  EXPECT_EQ(Text("'nan'::DOUBLE"), "NaN");
  EXPECT_EQ(Text("'-inf'::DOUBLE"), "-Infinity");
  EXPECT_EQ(Text("0.1::FLOAT"), "0.1");
  EXPECT_EQ(Text("100000::FLOAT"), "100000");
  EXPECT_EQ(Text("1000000::FLOAT"), "1e+06");
}

TEST_F(PostgresTypesTest, IntervalsAreInPostgresStyle) {
  EXPECT_EQ(Text("INTERVAL 0 SECOND"), "00:00:00");
  EXPECT_EQ(Text("INTERVAL '1 year 2 months 3 days 04:05:06.5'"),
            "1 year 2 mons 3 days 04:05:06.5");
  EXPECT_EQ(Text("INTERVAL '-1 days' + INTERVAL '2 hours 3 minutes'"), "-1 days +02:03:00");
  EXPECT_EQ(Text("INTERVAL '-90 minutes'"), "-01:30:00");
}

TEST_F(PostgresTypesTest, ArraysQuoteWhatMustBe) {
  EXPECT_EQ(Text("[1, NULL, 3]"), "{1,NULL,3}");
  EXPECT_EQ(Text("['a', 'b c', '', 'null', 'x\"y', 'd\\e', '{}']"),
            R"({a,"b c","","null","x\"y","d\\e","{}"})");
  EXPECT_EQ(Text("[]::INTEGER[]"), "{}");
  EXPECT_EQ(Text("[true]"), "{t}");
  EXPECT_EQ(Oid("[1]"), 1007);
  EXPECT_EQ(Oid("['a']"), 1009);
  EXPECT_EQ(Oid("[{'a': 1}]"), 114);
}

TEST_F(PostgresTypesTest, TypesHaveTheirOids) {
  EXPECT_EQ(Oid("true"), 16);
  EXPECT_EQ(Oid("1::SMALLINT"), 21);
  EXPECT_EQ(Oid("1"), 23);
  EXPECT_EQ(Oid("1::BIGINT"), 20);
  EXPECT_EQ(Oid("1::HUGEINT"), 1700);
  EXPECT_EQ(Oid("1::FLOAT"), 700);
  EXPECT_EQ(Oid("1::DOUBLE"), 701);
  EXPECT_EQ(Oid("'x'"), 25);
  EXPECT_EQ(Oid("DATE '2026-01-01'"), 1082);
  EXPECT_EQ(Oid("TIMESTAMP '2026-01-01'"), 1114);
  EXPECT_EQ(Oid("TIMESTAMPTZ '2026-01-01'"), 1184);
  EXPECT_EQ(Oid("INTERVAL 1 DAY"), 1186);
  EXPECT_EQ(Oid("{'a': 1}"), 114);
  engine::ResultType decimal{.id = engine::TypeId::kDecimal, .width = 10, .scale = 2};
  EXPECT_EQ(PgColumnOf("", decimal).modifier, (10 << 16 | 2) + 4);
}

TEST_F(PostgresTypesTest, BinaryIsBigEndian) {
  EXPECT_EQ(Binary("true"), "\1"s);
  EXPECT_EQ(Binary("258::SMALLINT"), "\1\2"s);
  EXPECT_EQ(Binary("16909060"), "\1\2\3\4"s);
  EXPECT_EQ(Binary("-2::BIGINT"), "\xff\xff\xff\xff\xff\xff\xff\xfe"s);
  EXPECT_EQ(Binary("1.5::DOUBLE"), "\x3f\xf8\0\0\0\0\0\0"s);
  EXPECT_EQ(Binary("1.5::FLOAT"), "\x3f\xc0\0\0"s);
  EXPECT_EQ(Binary("'ab'"), "ab");
  EXPECT_EQ(Binary("'\\x00\\xFF'::BLOB"), "\0\xff"s);
}

// Days and microseconds count from 2000-01-01.
TEST_F(PostgresTypesTest, BinaryTimesCountFromTheYear2000) {
  EXPECT_EQ(Binary("DATE '2000-01-02'"), "\0\0\0\1"s);
  EXPECT_EQ(Binary("DATE '1999-12-31'"), "\xff\xff\xff\xff"s);
  EXPECT_EQ(Binary("TIMESTAMP '2000-01-01 00:00:01'"), "\0\0\0\0\0\x0f\x42\x40"s);
  EXPECT_EQ(Binary("TIMESTAMPTZ '2000-01-01 00:00:00+00'"), "\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(Binary("'infinity'::TIMESTAMP"), "\x7f\xff\xff\xff\xff\xff\xff\xff"s);
  EXPECT_EQ(Binary("'-infinity'::TIMESTAMP"), "\x80\0\0\0\0\0\0\0"s);
  EXPECT_EQ(Binary("TIME '00:00:01'"), "\0\0\0\0\0\x0f\x42\x40"s);
  EXPECT_EQ(Binary("INTERVAL '1 month 2 days 1 second'"),
            "\0\0\0\0\0\x0f\x42\x40\0\0\0\2\0\0\0\1"s);
}

// ndigits, weight, sign, dscale, then groups of four decimal digits.
TEST_F(PostgresTypesTest, BinaryNumericHasGroupsOfFourDigits) {
  EXPECT_EQ(Binary("12345.678::DECIMAL(10,3)"), "\0\3\0\1\0\0\0\3\0\1\x09\x29\x1a\x7c"s);
  EXPECT_EQ(Binary("-1.5::DECIMAL(5,1)"), "\0\2\0\0\x40\0\0\1\0\1\x13\x88"s);
  EXPECT_EQ(Binary("0::DECIMAL(5,2)"), "\0\0\0\0\0\0\0\2"s);
  EXPECT_EQ(Binary("10000::HUGEINT"), "\0\1\0\1\0\0\0\0\0\1"s);
  EXPECT_EQ(Binary("0.0001::DECIMAL(9,4)"), "\0\1\xff\xff\0\0\0\4\0\1"s);
  EXPECT_EQ(Binary("0.00001::DECIMAL(9,5)"), "\0\1\xff\xfe\0\0\0\5\x03\xe8"s);
}

TEST_F(PostgresTypesTest, BinaryArraysTellTheirDimension) {
  EXPECT_EQ(Binary("[1, NULL]"),
            "\0\0\0\1\0\0\0\1\0\0\0\x17\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0\1\xff\xff\xff\xff"s);
  EXPECT_EQ(Binary("[]::INTEGER[]"), "\0\0\0\0\0\0\0\0\0\0\0\x17"s);
}

// What the engine makes of a parameter's binary form is the value that went in.
TEST_F(PostgresTypesTest, ParametersReadBack) {
  const auto read = [&](const std::string& expression) {
    auto value = ReadPgParameter(Binary(expression), PgFormat::kBinary, Oid(expression)).value();
    auto connection = engine_->Connect().value();
    return connection
        .Scalar("SELECT (CAST(? AS VARCHAR)::" + std::string(SqlTypeOf(Oid(expression))) + ") = (" +
                    expression + ")",
                {std::holds_alternative<std::string>(value)
                     ? value
                     : engine::Parameter(
                           connection.Scalar("SELECT CAST(? AS VARCHAR)", {value}).value())})
        .value();
  };
  for (const std::string expression :
       {"true", "-7::SMALLINT", "123456", "-9::BIGINT", "1.25::DOUBLE", "'text'",
        "DATE '1969-07-20'", "TIMESTAMP '1969-07-20 20:17:40.5'",
        "TIMESTAMPTZ '2026-01-02 03:04:05.000006+00'", "TIME '23:59:59.999999'",
        "INTERVAL '1 month 2 days 3 seconds'", "uuid '00112233-4455-6677-8899-aabbccddeeff'",
        "-12345.678::DECIMAL(10,3)", "0.0001::DECIMAL(9,4)", "10000::HUGEINT", "'\\x00\\xFF'::BLOB",
        "[1, 2, NULL]", "['a b', 'c\"d', 'e,f', '']"}) {
    EXPECT_EQ(read(expression), "true") << expression;
  }
}

TEST_F(PostgresTypesTest, BadParametersAreRefused) {
  EXPECT_FALSE(ReadPgParameter("\0\1"s, PgFormat::kBinary, 23));
  EXPECT_FALSE(ReadPgParameter("abc", PgFormat::kBinary, 1700));
  EXPECT_FALSE(ReadPgParameter("{1,2", PgFormat::kText, 1007));
  EXPECT_FALSE(ReadPgParameter("{{1},{2}}", PgFormat::kText, 1007));
  EXPECT_FALSE(ReadPgParameter("\0\0\0\1"s, PgFormat::kBinary, 1007));
  EXPECT_FALSE(ReadPgParameter("zz", PgFormat::kText, 17));
}

// Source: "COPY", "Text Format", "CSV Format", "Binary Format".
TEST_F(PostgresTypesTest, CopyFormats) {
  const auto copy = [&](const std::string& select, const PgCopyOptions& options) {
    auto connection = engine_->Connect().value();
    auto result = connection.Query(select).value();
    std::vector<PgColumn> columns;
    for (size_t i = 0; i < result.columns().size(); ++i) {
      columns.push_back(PgColumnOf(result.columns()[i].name, result.types()[i]));
    }
    std::string out;
    AppendCopyBegin(options, columns, out);
    const auto forced = ForcedQuotes(options, columns).value();
    while (result.Next().value()) AppendCopyRow(options, forced, result, out);
    AppendCopyEnd(options, out);
    return out;
  };
  EXPECT_EQ(copy("SELECT 1 AS a, e'x\\ty\\nz\\\\' AS b, NULL AS c", {}), "1\tx\\ty\\nz\\\\\t\\N\n");
  PgCopyOptions csv{
      .format = PgCopyOptions::Format::kCsv, .delimiter = ",", .null_text = "", .header = true};
  EXPECT_EQ(copy("SELECT 1 AS a, 'x,\"y\"' AS b, NULL AS c, '' AS d", csv),
            "a,b,c,d\n1,\"x,\"\"y\"\"\",,\"\"\n");
  csv.quote = csv.escape = '\'';
  csv.force_quote = {"b"};
  EXPECT_EQ(copy("SELECT 1 AS a, 2 AS b, 'it''s' AS c, NULL AS b2", csv),
            "a,b,c,b2\n1,'2','it''s',\n");
  csv.force_quote = {"nope"};
  EXPECT_EQ(ForcedQuotes(csv, {}).error().kind, ErrorKind::kNotFound);
  PgCopyOptions binary{.format = PgCopyOptions::Format::kBinary};
  EXPECT_EQ(copy("SELECT 1 AS a, NULL AS b", binary),
            "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\2\0\0\0\4\0\0\0\1\xff\xff\xff\xff\xff\xff"s);
}

}  // namespace
}  // namespace vitalake::serve
