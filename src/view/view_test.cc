#include "view/view.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace vitalake::view {
namespace {

// A cell as text; "null", and numbers, dates (days) and timestamps (micros) as numbers.
std::string Shown(const ColumnSpec& column, const Cell& cell) {
  if (cell.is_null) return "null";
  switch (column.type) {
    case ColumnType::kVarchar:
      return std::string(cell.text);
    case ColumnType::kBoolean:
      return cell.boolean ? "true" : "false";
    case ColumnType::kDouble:
      return fmt::format("{}", cell.number);
    default:
      return std::to_string(cell.integer);
  }
}

struct Table {
  std::vector<std::string> rows;  // cells joined by '|'
  std::string fault;              // "place: message"
};

Table RunView(std::string_view definition, std::string_view resource,
              std::vector<bool> needed = {}) {
  const auto view = View::Compile(definition);
  if (!view) return {{}, "compile: " + view.error().message};
  JsonParser parser;
  Table table;
  ViewRunner runner(*view, std::move(needed));
  const auto ran = runner.Run(*parser.Parse(resource), [&](std::span<const Cell> row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += (i > 0 ? "|" : "") + Shown((*view)->columns()[i], row[i]);
    }
    table.rows.push_back(line);
  });
  if (!ran) table.fault = ran.error().place + ": " + ran.error().message;
  return table;
}

// A view with one column, over the Patient below.
std::string OneColumn(std::string_view path, std::string_view more = "") {
  return fmt::format(R"j({{"resource":"Patient","select":[{{"column":[
      {{"name":"c","path":"{}"{}}}]}}]}})j",
                     path, more);
}
std::string Tagged(std::string_view path, std::string_view ansi) {
  return OneColumn(path, fmt::format(R"j(,"tag":[{{"name":"ansi/type","value":"{}"}}])j", ansi));
}

constexpr std::string_view kPatient = R"j({"resourceType":"Patient","id":"p","active":true,
  "birthDate":"1974-12-25","meta":{"lastUpdated":"2024-02-29T23:30:00.5-01:00"},
  "extension":[{"url":"a","valueDecimal":1.50},{"url":"b","valueInteger":7},{"url":"c","valueString":"217"},
               {"url":"d","valueDate":"1974"},{"url":"e","valueQuantity":{"value":2.0,"code":"kg"}}],
  "name":[{"family":"A","given":["x","y"]},{"family":"B"}]})j";

std::string ValueOf(std::string_view url, std::string_view type) {
  return fmt::format("extension('{}').value.ofType({})", url, type);
}

TEST(ViewColumns, OnePathMayFillSeveralColumns) {
  const std::string_view view = R"j({"resource":"Patient","select":[{"column":[
      {"name":"a","path":"birthDate","type":"date"},
      {"name":"b","path":"birthDate","type":"date","tag":[{"name":"ansi/type","value":"DATE"}]},
      {"name":"c","path":"name.given","collection":true},{"name":"d","path":"birthDate"},
      {"name":"e","path":"deceased","type":"string"},{"name":"f","path":"deceased","type":"string"}]},
      {"forEach":"name","column":[{"name":"g","path":"family"},{"name":"h","path":"family"}]}]})j";
  const Table whole = RunView(view, kPatient);
  EXPECT_EQ(whole.fault, "");
  // 1974-12-25 is day 1819 after 1970-01-01: 4 * 365 + 1 leap day + 358.
  EXPECT_EQ(whole.rows,
            (std::vector<std::string>{"1974-12-25|1819|[\"x\",\"y\"]|1974-12-25|null|null|A|A",
                                      "1974-12-25|1819|[\"x\",\"y\"]|1974-12-25|null|null|B|B"}));
  const Table some = RunView(view, kPatient, {false, true, true, false, false, true, false, true});
  EXPECT_EQ(some.rows, (std::vector<std::string>{"null|1819|[\"x\",\"y\"]|null|null|null|null|A",
                                                 "null|1819|[\"x\",\"y\"]|null|null|null|null|B"}));
}

TEST(ViewColumns, TypesComeFromTagThenFhirType) {
  const auto view = View::Compile(R"j({"resource":"Patient","name":"v","select":[{"column":[
      {"name":"a","path":"active","type":"boolean","description":"d"},
      {"name":"b","path":"id","type":"positiveInt"},{"name":"c","path":"id","type":"integer64"},
      {"name":"d","path":"id","type":"decimal"},{"name":"e","path":"id","type":"dateTime"},
      {"name":"f","path":"id","type":"dateTime","tag":[{"name":"ansi/type","value":"TIMESTAMP"}]},
      {"name":"g","path":"id","tag":[{"name":"ansi/type","value":"double precision"}]},
      {"name":"h","path":"id","type":"integer","collection":true}]}]})j");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ((*view)->name(), "v");
  EXPECT_EQ((*view)->resource(), "Patient");
  std::vector<ColumnType> types;
  for (const ColumnSpec& column : (*view)->columns()) types.push_back(column.type);
  EXPECT_EQ(types, (std::vector{ColumnType::kBoolean, ColumnType::kInteger, ColumnType::kBigint,
                                ColumnType::kVarchar, ColumnType::kVarchar, ColumnType::kTimestamp,
                                ColumnType::kDouble, ColumnType::kVarchar}));
  EXPECT_EQ((*view)->columns()[0].description, "d");
  EXPECT_EQ((*view)->columns()[0].fhir_type, "boolean");
}

TEST(ViewColumns, ValuesAreConvertedToTheColumnType) {
  EXPECT_EQ(RunView(OneColumn(ValueOf("a", "decimal")), kPatient).rows,
            std::vector<std::string>{"1.50"});
  EXPECT_EQ(RunView(Tagged(ValueOf("a", "decimal"), "DOUBLE"), kPatient).rows,
            std::vector<std::string>{"1.5"});
  EXPECT_EQ(RunView(Tagged(ValueOf("c", "string"), "DOUBLE"), kPatient).rows,
            std::vector<std::string>{"217"});
  EXPECT_EQ(RunView(Tagged(ValueOf("b", "integer"), "BIGINT"), kPatient).rows,
            std::vector<std::string>{"7"});
  // 1974-12-25 is day 1819: 4 * 365 + 1 leap day (1972) + 358 days into 1974.
  EXPECT_EQ(RunView(Tagged("birthDate", "DATE"), kPatient).rows, std::vector<std::string>{"1819"});
  EXPECT_EQ(RunView(Tagged(ValueOf("d", "date"), "DATE"), kPatient).rows,
            std::vector<std::string>{"null"});
  // 2024-03-01T00:30:00.5Z; the local date is 2024-02-29 = day 19782.
  EXPECT_EQ(RunView(Tagged("meta.lastUpdated", "TIMESTAMP"), kPatient).rows,
            std::vector<std::string>{"1709253000500000"});
  EXPECT_EQ(RunView(Tagged("meta.lastUpdated", "DATE"), kPatient).rows,
            std::vector<std::string>{"19782"});
  EXPECT_EQ(RunView(Tagged("birthDate", "TIMESTAMP"), kPatient).rows,
            std::vector<std::string>{"null"});
}

TEST(ViewColumns, ComplexValuesAreJsonText) {
  EXPECT_EQ(RunView(OneColumn("name[0]"), kPatient).rows,
            std::vector<std::string>{R"({"family":"A","given":["x","y"]})"});
  EXPECT_EQ(RunView(OneColumn("name.given", R"(,"collection":true)"), kPatient).rows,
            std::vector<std::string>{R"(["x","y"])"});
  EXPECT_EQ(RunView(OneColumn("contact", R"(,"collection":true)"), kPatient).rows,
            std::vector<std::string>{"[]"});
}

TEST(ViewColumns, ValuesOfAnotherTypeAreFaults) {
  EXPECT_EQ(RunView(OneColumn("id", R"(,"type":"boolean")"), kPatient).fault,
            "select[0].column[0] (c): found string, but the column is boolean");
  EXPECT_EQ(RunView(OneColumn("name[0]", R"(,"type":"string")"), kPatient).fault,
            "select[0].column[0] (c): found object, but the column is text");
  EXPECT_EQ(RunView(Tagged("id", "DOUBLE"), kPatient).fault,
            "select[0].column[0] (c): found string, but the column is number");
  EXPECT_EQ(RunView(OneColumn("3000000000", R"(,"type":"integer")"), kPatient).fault,
            "select[0].column[0] (c): an integer out of the column's range");
}

TEST(ViewRows, SeveralValuesAreAFaultAndGiveNoRow) {
  const Table table = RunView(R"j({"resource":"Patient","select":[{"forEach":"name","column":[
      {"name":"f","path":"family"},{"name":"g","path":"given"}]}]})j",
                              kPatient);
  EXPECT_TRUE(table.rows.empty());
  EXPECT_EQ(table.fault,
            "select[0].column[1] (g): several values, and the column is no collection");
}

TEST(ViewRows, OtherResourcesGiveNone) {
  const Table table = RunView(OneColumn("id"), R"({"resourceType":"Group","id":"g"})");
  EXPECT_TRUE(table.rows.empty());
  EXPECT_TRUE(table.fault.empty());
}

TEST(ViewRows, AWhereThatIsNoBooleanIsAFault) {
  constexpr std::string_view kView = R"j({"resource":"Patient","select":[{"column":[
      {"name":"c","path":"id"}]}],"where":[{"path":"birthDate"}]})j";
  EXPECT_EQ(RunView(kView, kPatient).fault, "where: string instead of a boolean");
}

// forEachOrNull: one row of nulls, also for literals and nested parts.
TEST(ViewRows, NothingForForEachOrNullGivesOneRowOfNulls) {
  constexpr std::string_view kView = R"j({"resource":"Patient","select":[
      {"column":[{"name":"id","path":"id"}]},
      {"forEachOrNull":"contact","column":[{"name":"a","path":"'x'"},{"name":"i","path":"%rowIndex"}],
       "select":[{"forEach":"telecom","column":[{"name":"b","path":"value"}]}]}]})j";
  EXPECT_EQ(RunView(kView, kPatient).rows, std::vector<std::string>{"p|null|0|null"});
}

TEST(ViewRows, ColumnsThatAreNotNeededAreNotEvaluated) {
  constexpr std::string_view kView = R"j({"resource":"Patient","select":[
      {"column":[{"name":"id","path":"id"},{"name":"many","path":"name.family"}]},
      {"forEach":"name","column":[{"name":"f","path":"family"}]},
      {"forEachOrNull":"name.first()","column":[{"name":"g","path":"given"}]}]})j";
  EXPECT_EQ(RunView(kView, kPatient, {true, false, false, false}).rows,
            (std::vector<std::string>{"p|null|null|null", "p|null|null|null"}));
  EXPECT_EQ(RunView(kView, kPatient, {false, false, true, false}).rows,
            (std::vector<std::string>{"null|null|A|null", "null|null|B|null"}));
  EXPECT_FALSE(RunView(kView, kPatient).fault.empty());
}

TEST(ViewRows, RepeatMustDescend) {
  EXPECT_EQ(RunView(R"j({"resource":"Patient","select":[{"repeat":["%resource"],"column":[
      {"name":"c","path":"id"}]}]})j",
                    kPatient)
                .fault,
            "select[0].repeat: repeat leaves the element it is in");
}

// A tree parsed before the view was compiled carries no symbols for its names.
TEST(ViewRows, NamesUnknownWhenParsedAreFoundByText) {
  JsonParser parser;
  const auto tree = parser.Parse(
      R"({"resourceType":"Basic","neverSeenBefore1":{"neverSeenBefore2Quantity":{"value":3}}})");
  const auto view = View::Compile(R"j({"resource":"Basic","select":[{"column":[
      {"name":"a","path":"neverSeenBefore1.neverSeenBefore2.ofType(Quantity).value"},
      {"name":"b","path":"neverSeenBefore1.neverSeenBefore2.value"}]}]})j");
  ASSERT_TRUE(view.has_value());
  std::string text;
  ASSERT_TRUE(ViewRunner(*view).Run(*tree, [&](std::span<const Cell> row) {
    text = std::string(row[0].text) + " " + std::string(row[1].text);
  }));
  EXPECT_EQ(text, "3 3");
}

TEST(ViewRows, ARunnerIsGoodAfterAFault) {
  const auto view = View::Compile(OneColumn("name.family"));
  ViewRunner runner(*view);
  JsonParser parser;
  size_t rows = 0;
  const auto count = [&](std::span<const Cell>) { ++rows; };
  EXPECT_FALSE(runner.Run(*parser.Parse(kPatient), count));
  EXPECT_TRUE(runner.Run(*parser.Parse(R"({"resourceType":"Patient"})"), count));
  EXPECT_EQ(rows, 1u);
}

TEST(ViewThreads, ShareOneView) {
  const auto view = View::Compile(OneColumn("name.given.join(',')"));
  ASSERT_TRUE(view.has_value());
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      ViewRunner runner(*view);
      JsonParser parser;
      for (int i = 0; i < 200; ++i) {
        (void)runner.Run(*parser.Parse(kPatient),
                         [&](std::span<const Cell> row) { right[t] += row[0].text == "x,y"; });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, (std::vector<int>(4, 200)));
}

TEST(ViewCompile, NamesWhatIsWrong) {
  const auto message = [](std::string_view definition) {
    const auto view = View::Compile(definition);
    if (view) return std::string();
    EXPECT_EQ(view.error().kind, ErrorKind::kInvalidArgument);
    return view.error().message;
  };
  EXPECT_EQ(message("{"),
            "the ViewDefinition is not JSON: the text ends where a member name in "
            "quotes should be at byte 1");
  EXPECT_EQ(message(R"({"resource":"P"})"), "select: must be a non-empty array");
  EXPECT_EQ(message(R"({"resource":"P","select":[{}]})"),
            "select[0]: needs column, select or unionAll");
  EXPECT_EQ(message(R"({"resource":"P","select":[{"column":[{"name":"1a","path":"id"}]}]})"),
            "select[0].column[0]: needs a name of letters, digits and '_'");
  EXPECT_EQ(message(OneColumn("id", R"(},{"name":"c","path":"id")")),
            "select[0].column[1]: 'c' is there twice");
  EXPECT_EQ(message(OneColumn("%x")),
            "select[0].column[0].path: undefined constant %x at character 1, in '%x'");
  EXPECT_EQ(message(OneColumn("a.matches('[')")).substr(0, 60),
            "select[0].column[0].path: bad regular expression '[': Unexpe");
  EXPECT_EQ(message(OneColumn("a.skip()")),
            "select[0].column[0].path: skip() takes 1 argument(s), not 0 at character 3, in "
            "'a.skip()'");
  EXPECT_EQ(message(OneColumn("a.ofType(quantity)")),
            "select[0].column[0].path: unknown type quantity at character 10, in "
            "'a.ofType(quantity)'");
  EXPECT_EQ(message(Tagged("id", "BLOB")), "select[0].column[0]: unknown ansi/type 'BLOB'");
  EXPECT_EQ(message(R"({"resource":"P","constant":[{"name":"c","valueDate":"x"}]})"),
            "constant[0]: 'x' is no valid date");
  EXPECT_EQ(message(R"({"resource":"P","select":[{"forEach":"a","forEachOrNull":"b"}]})"),
            "select[0]: only one of forEach, forEachOrNull and repeat may be given");
  std::string deep(1000, '(');
  EXPECT_NE(message(OneColumn(deep)).find("nested too deeply"), std::string::npos);
  std::string wide = "1";
  for (int i = 0; i < 3000; ++i) wide += "+1";
  EXPECT_NE(message(OneColumn(wide)).find("more than 2000 tokens"), std::string::npos);
}

}  // namespace
}  // namespace vitalake::view
