// The official SQL on FHIR v2 suite, every file and case found in the data folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "base/json_writer.h"
#include "view/view.h"

namespace vitalake::view {
namespace {

// Cases that fail, as "file / title". The test fails when this list is wrong either way.
const std::set<std::string> kKnownFailures = {};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// JSON text of a tree, members sorted by name.
std::string Canonical(JsonValue value) {
  if (value.is_object()) {
    std::vector<std::string> members;
    for (JsonValue child : value.children()) {
      std::string member;
      AppendJsonString(member, child.key());
      members.push_back(member + ":" + Canonical(child));
    }
    std::sort(members.begin(), members.end());
    std::string out = "{";
    for (const std::string& member : members) out += (out.size() > 1 ? "," : "") + member;
    return out + "}";
  }
  if (value.is_array()) {
    std::string out = "[";
    for (JsonValue child : value.children()) out += (out.size() > 1 ? "," : "") + Canonical(child);
    return out + "]";
  }
  if (value.is_string()) {
    std::string out;
    AppendJsonString(out, value.text());
    return out;
  }
  return std::string(value.text());
}

// A row as the suite writes it: numbers for number types, arrays for collections.
std::string RowJson(const std::vector<ColumnSpec>& columns, std::span<const Cell> row) {
  std::vector<std::string> members;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string member;
    AppendJsonString(member, columns[i].name);
    member += ':';
    const Cell& cell = row[i];
    const bool is_json = columns[i].fhir_type == "decimal" || cell.text.starts_with('[');
    if (cell.is_null) {
      member += "null";
    } else if (columns[i].type == ColumnType::kBoolean) {
      member += cell.boolean ? "true" : "false";
    } else if (columns[i].type == ColumnType::kInteger) {
      member += std::to_string(cell.integer);
    } else if (is_json) {
      member += cell.text;
    } else {
      AppendJsonString(member, cell.text);
    }
    members.push_back(std::move(member));
  }
  std::sort(members.begin(), members.end());
  std::string out = "{";
  for (const std::string& member : members) out += (out.size() > 1 ? "," : "") + member;
  return out + "}";
}

struct Outcome {
  std::string error;  // of compiling, or the first fault
  std::vector<std::string> columns;
  std::vector<std::string> rows;
};

Outcome RunCase(JsonValue view_json, JsonValue resources) {
  Outcome out;
  const auto view = View::Compile(Canonical(view_json));
  if (!view) {
    EXPECT_EQ(view.error().kind, ErrorKind::kInvalidArgument);
    out.error = view.error().ToString();
    return out;
  }
  for (const ColumnSpec& column : (*view)->columns()) out.columns.push_back(column.name);
  ViewRunner runner(*view);
  JsonParser parser;
  for (JsonValue resource : resources.children()) {
    const std::string text = Canonical(resource);
    const auto run = [&](const JsonLimits& limits) {
      Outcome of_one;
      const auto ran = runner.Run(*parser.Parse(text, limits), [&](std::span<const Cell> row) {
        of_one.rows.push_back(RowJson((*view)->columns(), row));
      });
      if (!ran) of_one.error = ran.error().place + ": " + ran.error().message;
      return of_one;
    };
    const Outcome whole = run({}), selected = run({.kept = &runner.selection()});
    EXPECT_EQ(whole.rows, selected.rows) << Canonical(view_json) << text;
    EXPECT_EQ(whole.error, selected.error) << Canonical(view_json) << text;
    // The shape is known by now: the rows come by a plan.
    for (int i = 0; i < 2; ++i) {
      const Outcome again = run({});
      EXPECT_EQ(whole.rows, again.rows) << Canonical(view_json) << text;
      EXPECT_EQ(whole.error, again.error) << Canonical(view_json) << text;
    }
    out.rows.insert(out.rows.end(), whole.rows.begin(), whole.rows.end());
    if (out.error.empty()) out.error = whole.error;
  }
  std::sort(out.rows.begin(), out.rows.end());
  return out;
}

// Empty when the case passes, else what differs.
std::string Difference(JsonValue test, JsonValue resources) {
  const Outcome got = RunCase(test.Find("view"), resources);
  if (test.Find("expectError")) return got.error.empty() ? "an error was expected" : "";
  if (!got.error.empty()) return got.error;
  if (const JsonValue names = test.Find("expectColumns")) {
    std::vector<std::string> expected;
    for (JsonValue name : names.children()) expected.emplace_back(name.text());
    if (expected != got.columns) return "columns differ";
  }
  std::vector<std::string> expected;
  for (JsonValue row : test.Find("expect").children()) expected.push_back(Canonical(row));
  std::sort(expected.begin(), expected.end());
  if (expected == got.rows) return "";
  std::string out = "expected";
  for (const std::string& row : expected) out += "\n    " + row;
  out += "\n  got";
  for (const std::string& row : got.rows) out += "\n    " + row;
  return out;
}

TEST(ViewSuite, PassesTheOfficialCases) {
  const std::filesystem::path folder =
      std::filesystem::path(VITALAKE_SOURCE_DIR) / "../shared/data/sql-on-fhir/tests";
  ASSERT_TRUE(std::filesystem::is_directory(folder)) << folder;
  std::set<std::string> failures;
  std::map<std::string, std::pair<int, int>> counts;  // by tag: passed, all
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    JsonParser parser;
    const std::string text = ReadFile(entry.path());
    const auto suite = parser.Parse(text);
    ASSERT_TRUE(suite.has_value()) << entry.path();
    for (JsonValue test : suite->Find("tests").children()) {
      const std::string name =
          entry.path().stem().string() + " / " + std::string(test.String("title"));
      const std::string difference = Difference(test, suite->Find("resources"));
      auto& [passed, all] = counts[std::string((*test.Find("tags").children().begin()).text())];
      ++all;
      passed += difference.empty();
      if (difference.empty()) continue;
      failures.insert(name);
      if (!kKnownFailures.contains(name)) ADD_FAILURE() << name << "\n  " << difference;
    }
  }
  for (const auto& [tag, count] : counts) {
    std::cout << tag << ": " << count.first << " of " << count.second << " cases pass\n";
  }
  EXPECT_EQ(failures, kKnownFailures);
  EXPECT_EQ(files, 22u);
  EXPECT_EQ(counts["shareable"].second, 123);
  EXPECT_EQ(counts["experimental"].second, 11);
}

// The suite's errors must be seen for the right reason.
TEST(ViewSuite, NamesThePlaceOfAnError) {
  const auto message = [](std::string_view definition) {
    const auto view = View::Compile(definition);
    return view ? std::string() : view.error().message;
  };
  EXPECT_EQ(message("{}"), "resource: must name the resource type");
  EXPECT_EQ(message(R"j({"resource":"Patient","select":[{"forEach":"@@"}]})j"),
            "select[0].forEach: no valid date or time at character 1, in '@@'");
  EXPECT_EQ(message(R"j({"resource":"Patient","select":[{"forEach":1}]})j"),
            "select[0].forEach: must be a FHIRPath expression (a string)");
  EXPECT_EQ(
      message(R"j({"resource":"Patient","select":[{"column":[{"name":"a","path":"b.c(1)"}]}]})j"),
      "select[0].column[0].path: unknown function c() at character 3, in 'b.c(1)'");
  EXPECT_EQ(message(R"j({"resource":"Patient","select":[{"column":[{"name":"a","path":"id"}]}],
                        "where":[{"path":"name.count()"}]})j"),
            "where[0].path: is not a boolean");
}

}  // namespace
}  // namespace vitalake::view
