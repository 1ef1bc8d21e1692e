#include "serve/postgres/command.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "serve/postgres/error.h"
#include "serve/postgres/lexer.h"
#include "serve/postgres/rewrite.h"
#include "serve/postgres/settings.h"

namespace vitalake::serve {
namespace {

using Kind = PgCommand::Kind;

TEST(PostgresLexerTest, SplitsAtSemicolonsOutsideOfQuotes) {
  const auto split = SplitStatements(
      "select ';' ; select \"a;b\"; -- c;\n select $$;$$, $t$ ; $t$; /* ; /* ; */ ; */ ;select "
      "e'\\';'");
  ASSERT_EQ(split.size(), 4u);
  EXPECT_EQ(split[0], "select ';' ");
  EXPECT_EQ(split[1], " select \"a;b\"");
  EXPECT_EQ(split[3], "select e'\\';'");
  EXPECT_TRUE(SplitStatements(" ; -- nothing\n ;").empty());
}

TEST(PostgresLexerTest, KnowsWhatTokensMean) {
  const auto tokens = TokensOf("Foo \"Ba\"\"r\" 'it''s' $1 1.5e3 $a$x$a$ <> a$1");
  ASSERT_EQ(tokens.size(), 8u);
  EXPECT_EQ(MeaningOf(tokens[0]), "foo");
  EXPECT_EQ(MeaningOf(tokens[1]), "Ba\"r");
  EXPECT_EQ(MeaningOf(tokens[2]), "it's");
  EXPECT_EQ(tokens[3].kind, SqlToken::Kind::kParameter);
  EXPECT_EQ(tokens[4].text, "1.5e3");
  EXPECT_EQ(MeaningOf(tokens[5]), "x");
  EXPECT_EQ(tokens[6].text, "<>");
  EXPECT_EQ(tokens[7].text, "a$1");
  EXPECT_EQ(TokensOf("'open").size(), 1u);
}

TEST(PostgresRewriteTest, LeavesOutWhatTheEngineDoesNotKnow) {
  EXPECT_EQ(EngineSql("select pg_catalog.version()"), "select            version()");
  EXPECT_EQ(EngineSql("a OPERATOR(pg_catalog.~) 'x'"), "a ~                      'x'");
  EXPECT_EQ(EngineSql("a COLLATE pg_catalog.default"), "a                           ");
  EXPECT_EQ(EngineSql("a COLLATE nocase"), "a collate nocase");
  EXPECT_EQ(EngineSql("from information_schema.tables"), "from postgres.info     .tables");
  EXPECT_EQ(EngineSql("select 'pg_catalog.x'"), "select 'pg_catalog.x'");
}

TEST(PostgresCommandTest, KnowsTheSessionsOwn) {
  const auto kind = [](std::string_view text) { return ParsePgCommand(text).value().kind; };
  EXPECT_EQ(kind("select 1"), Kind::kQuery);
  EXPECT_EQ(kind("BEGIN ISOLATION LEVEL SERIALIZABLE"), Kind::kBegin);
  EXPECT_EQ(kind("start transaction read only"), Kind::kBegin);
  EXPECT_EQ(kind("END"), Kind::kCommit);
  EXPECT_EQ(kind("ROLLBACK TO SAVEPOINT a"), Kind::kRollbackTo);
  EXPECT_EQ(kind("SHOW TABLES"), Kind::kQuery);
  EXPECT_EQ(kind("show transaction isolation level"), Kind::kShow);
  EXPECT_EQ(kind("UNLISTEN *"), Kind::kNothing);
  EXPECT_EQ(kind("/* nothing */"), Kind::kNothing);
  EXPECT_EQ(ParsePgCommand("insert into t values (1)").error().kind, ErrorKind::kPermission);
  EXPECT_EQ(ParsePgCommand("copy t from stdin").error().kind, ErrorKind::kPermission);
  EXPECT_EQ(ParsePgCommand("copy t to '/tmp/x'").error().kind, ErrorKind::kPermission);
}

TEST(PostgresCommandTest, ReadsItsParts) {
  const PgCommand set = ParsePgCommand("SET DateStyle = ISO, MDY").value();
  EXPECT_EQ(set.name, "datestyle");
  EXPECT_EQ(set.value, "iso, mdy");
  EXPECT_EQ(ParsePgCommand("SET x.y TO 'A'").value().name, "x.y");
  const PgCommand fetch = ParsePgCommand("FETCH FORWARD 100 FROM c1").value();
  EXPECT_EQ(fetch.count, 100);
  EXPECT_EQ(fetch.name, "c1");
  const PgCommand declare = ParsePgCommand("DECLARE c1 NO SCROLL CURSOR FOR select 1").value();
  EXPECT_EQ(declare.name, "c1");
  EXPECT_EQ(declare.query, "select 1");
  const PgCommand copy =
      ParsePgCommand("COPY (select (1)) TO STDOUT WITH (FORMAT csv, HEADER true, NULL 'x')")
          .value();
  EXPECT_EQ(copy.query, "select (1)");
  EXPECT_EQ(copy.copy.format, PgCopyOptions::Format::kCsv);
  EXPECT_TRUE(copy.copy.header);
  EXPECT_EQ(copy.copy.null_text, "x");
  EXPECT_EQ(copy.copy.delimiter, ",");
  EXPECT_EQ(ParsePgCommand("COPY silver.patient (id) TO STDOUT").value().query,
            "SELECT id FROM \"silver\".\"patient\"");
}

TEST(PostgresCommandTest, ReadsOptionsOfCopy) {
  const auto options = [](std::string_view text) {
    return ParsePgCommand(std::string("COPY t TO STDOUT ") + std::string(text)).value().copy;
  };
  EXPECT_EQ(options("(FORMAT csv, QUOTE '''')").escape, '\'');
  EXPECT_EQ(options("(FORMAT csv, ESCAPE '~', QUOTE '''')").escape, '~');
  using Names = std::vector<std::string>;
  EXPECT_EQ(options("(FORMAT csv, FORCE_QUOTE (A, \"B\"), HEADER)").force_quote, (Names{"a", "B"}));
  EXPECT_EQ(options("CSV FORCE QUOTE a, b").force_quote, (Names{"a", "b"}));
  EXPECT_TRUE(options("(FORMAT csv, FORCE_QUOTE *)").force_quote_all);
  EXPECT_FALSE(ParsePgCommand("COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE ())"));
}

TEST(PostgresCommandTest, ReadsTheTypesOfPrepare) {
  const auto types = [](std::string_view list) {
    return ParsePgCommand(fmt::format("PREPARE p({}) AS select 1", list)).value().types;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(types("int, DATE"), (Names{"int", "date"}));
  EXPECT_EQ(types("numeric(10,2), pg_catalog.int4[], double precision"),
            (Names{"numeric", "int4[]", "float8"}));
  EXPECT_EQ(types("timestamp(3) with time zone, character varying(5)[]"),
            (Names{"timestamptz", "varchar[]"}));
}

TEST(PostgresCommandTest, NamesThePlaceOfASyntaxError) {
  const std::string statement = "fetch 1 from";
  EXPECT_EQ(PgErrorOf(ParsePgCommand(statement).error(), statement).position, 13);
  EXPECT_EQ(PgErrorOf(ParsePgCommand("SET a b").error(), "SET a b").position, 7);
}

TEST(PostgresSettingsTest, TransactionsKeepOrUndo) {
  PostgresSettings settings;
  const auto name = [&] { return settings.Get("application_name").value(); };
  const auto set = [&](std::string_view value, bool local = false) {
    ASSERT_TRUE(settings.Set(
        "application_name", value,
        local ? PostgresSettings::For::kTransaction : PostgresSettings::For::kSession));
  };
  set("a");
  settings.Begin();
  set("b");
  set("c", true);
  EXPECT_EQ(name(), "c");
  settings.Commit();
  EXPECT_EQ(name(), "b");
  settings.Begin();
  set("d");
  settings.Rollback();
  EXPECT_EQ(name(), "b");
  settings.Begin();
  set("e");
  settings.Savepoint("s");
  set("f");
  settings.Savepoint("s");
  set("g", true);
  EXPECT_TRUE(settings.RollbackTo("s"));
  EXPECT_EQ(name(), "f");
  EXPECT_TRUE(settings.Release("s"));
  EXPECT_TRUE(settings.RollbackTo("s"));
  EXPECT_EQ(name(), "e");
  EXPECT_FALSE(settings.RollbackTo("t"));
  EXPECT_FALSE(settings.Release(""));
  settings.Commit();
  EXPECT_EQ(name(), "e");
}

TEST(PostgresSettingsTest, TakesAndRefuses) {
  PostgresSettings settings;
  EXPECT_EQ(settings.Get("TIMEZONE").value(), "UTC");
  EXPECT_TRUE(settings.Set("application_name", "x"));
  EXPECT_EQ(settings.Get("application_name").value(), "x");
  EXPECT_EQ(settings.Set("server_version", "16").error().kind, ErrorKind::kPermission);
  EXPECT_EQ(settings.Set("no_such", "1").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(settings.Set("timezone", "Europe/Vienna").error().kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(settings.Set("statement_timeout", "2s"));
  EXPECT_EQ(settings.statement_timeout(), std::chrono::seconds(2));
  EXPECT_TRUE(settings.Reset("all"));
  EXPECT_EQ(settings.statement_timeout().count(), 0);
  const auto options = StartupOptions("-c a=1 --b=x\\ y");
  ASSERT_EQ(options.size(), 2u);
  EXPECT_EQ(options[1], std::pair(std::string("b"), std::string("x y")));
}

TEST(PostgresErrorTest, PlacesErrorsInTheStatement) {
  const std::string statement = "select id,\n  nam\nfrom silver.patient";
  const Error error{.kind = ErrorKind::kInvalidArgument,
                    .message =
                        "Binder Error: Referenced column \"nam\" not found in FROM clause!\n"
                        "Candidate bindings: \"name\"\n\nLINE 2:   nam\n          ^",
                    .context = {}};
  const PgError told = PgErrorOf(error, statement);
  EXPECT_EQ(told.state, "42703");
  EXPECT_EQ(told.message, "Referenced column \"nam\" not found in FROM clause!");
  EXPECT_EQ(told.hint, "Candidate bindings: \"name\"");
  EXPECT_EQ(told.position, 14);
}

Error Said(std::string message) {
  return {.kind = ErrorKind::kInvalidArgument, .message = std::move(message), .context = {}};
}

TEST(PostgresErrorTest, FindsPlacesInTheClientsWords) {
  const auto place = [](std::string_view statement, std::string_view shown, size_t column) {
    return PgErrorOf(Said(fmt::format("Binder Error: x\n\nLINE 1: {}\n{}^", shown,
                                      std::string(column + 8, ' '))),
                     statement)
        .position;
  };
  EXPECT_EQ(place("SELECT Nope FROM T", "select nope from t", 7), 8);
  EXPECT_EQ(place("select $1, nope", "select cast($1 as decimal(38,10)), nope", 35), 12);
  EXPECT_EQ(place("select $1::nope", "select cast($1 as integer)::nope", 26), 10);
  // Of a cast, that of the constant.
  EXPECT_EQ(place("select 'x'::int", "select 'x'::int", 10), 8);
  EXPECT_EQ(place("select cast('x' as int)", "select cast('x' as int)", 7), 13);
  EXPECT_EQ(place("select x::int", "select x::int", 8), 9);
}

TEST(PostgresErrorTest, TellsWhatIsWrongWithAValue) {
  const auto state = [](std::string message) {
    return PgErrorOf(Said(std::move(message)), "").state;
  };
  EXPECT_EQ(state("Conversion Error: time field value out of range: \"25:00\", expected"), "22008");
  EXPECT_EQ(state("Conversion Error: time field value out of range: \"xx\", expected"), "22007");
  EXPECT_EQ(state("Conversion Error: Could not convert string \"123456\" to DECIMAL(5,2)"),
            "22003");
  EXPECT_EQ(state("Conversion Error: Could not convert string \"a\" to DECIMAL(5,2)"), "22P02");
  EXPECT_EQ(state("Out of Range Error: cannot take square root of a negative number"), "2201F");
}

}  // namespace
}  // namespace vitalake::serve
