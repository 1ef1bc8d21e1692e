// Rows by a plan are those of an evaluation: resources of one shape with other values, through one
// runner, against a runner of their own each.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "view/row_plan_internal.h"
#include "view/view.h"

namespace vitalake::view {
namespace {

namespace fs = std::filesystem;

std::string TextOfFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::shared_ptr<const View> Compiled(std::string_view definition) {
  auto view = View::Compile(definition);
  EXPECT_TRUE(view) << view.error().ToString();
  return *view;
}

// The rows of one resource, or its fault, as one text.
std::string RowsShown(ViewRunner& runner, const View& view, std::string_view resource,
                      OnFault on_fault) {
  JsonParser parser;
  const auto tree = parser.Parse(resource);
  EXPECT_TRUE(tree) << resource;
  std::string out;
  const auto show = [&](std::span<const Cell> row) {
    for (size_t i = 0; i < row.size(); ++i) {
      const Cell& cell = row[i];
      const bool text = view.columns()[i].type == ColumnType::kVarchar;
      out += cell.is_null ? "null"
             : text       ? fmt::format("'{}'", cell.text)
                          : fmt::format("{}", cell.integer);
      out += '|';
    }
    out += '\n';
  };
  const auto ran = runner.Run(*tree, show, on_fault);
  return ran ? out : ran.error().place + ": " + ran.error().message;
}

void ExpectSameByOneRunner(const std::shared_ptr<const View>& view,
                           const std::vector<std::string>& resources) {
  ViewRunner shared(view);
  for (int turn = 0; turn < 4; ++turn) {
    for (const std::string& resource : resources) {
      for (const OnFault on_fault : {OnFault::kNull, OnFault::kNoRows}) {
        ViewRunner own(view);
        EXPECT_EQ(RowsShown(shared, *view, resource, on_fault),
                  RowsShown(own, *view, resource, on_fault))
            << resource;
      }
    }
  }
}

constexpr char kPressure[] = R"({"resourceType":"Observation","id":"%","status":"final",
  "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},
  "subject":{"reference":"Patient/%"},"effectiveDateTime":"2026-0%-01T10:00:00Z",
  "component":[
    {"code":{"coding":[{"system":"http://loinc.org","code":"848%-6"}]},
     "valueQuantity":{"value":12%,"unit":"mmHg"}},
    {"code":{"coding":[{"system":"http://loinc.org","code":"846%-4"}]},
     "valueQuantity":{"value":8%,"unit":"mmHg"}}]})";

std::string Pressure(char id, char patient, char month, char high, char low) {
  std::string out = kPressure;
  for (const char c : {id, patient, month, high, '1', low, '2'}) out[out.find('%')] = c;
  return out;
}

TEST(RowPlan, OtherValuesOfOneShape) {
  const fs::path views = fs::path(VITALAKE_SOURCE_DIR) / "views";
  // '0' and '2' make 8480-6 and 8462-4; with others a filter finds nothing.
  const std::vector<std::string> resources = {
      Pressure('a', 'x', '1', '0', '2'), Pressure('b', 'y', '2', '0', '2'),
      Pressure('c', 'x', '3', '9', '2'), Pressure('d', 'x', '4', '0', '9'),
      Pressure('e', 'z', 'X', '0', '2'), Pressure('f', 'x', '5', '9', '9'),
      Pressure('a', 'x', '1', '0', '2')};
  for (const char* name : {"observation", "vital_sign"}) {
    ExpectSameByOneRunner(Compiled(TextOfFile(views / fmt::format("{}.json", name))), resources);
  }
}

TEST(RowPlan, EveryExampleThroughTheSilverViews) {
  const fs::path source = VITALAKE_SOURCE_DIR;
  std::vector<std::string> resources;
  for (const auto& entry : fs::directory_iterator(source / "../shared/data/hl7-r4-examples")) {
    if (entry.path().extension() == ".json") resources.push_back(TextOfFile(entry.path()));
  }
  ASSERT_GT(resources.size(), 80u);
  for (const char* name : {"patient", "observation", "vital_sign"}) {
    ExpectSameByOneRunner(Compiled(TextOfFile(source / "views" / fmt::format("{}.json", name))),
                          resources);
  }
}

TEST(RowPlan, WhatDependsOnMoreThanTheShapeIsEvaluated) {
  const auto view = Compiled(R"j({"resource":"Patient","select":[
    {"column":[{"name":"upper","path":"name.given.first().upper()"},
               {"name":"both","path":"name.given | name.family","collection":true},
               {"name":"old","path":"birthDate < @2000-01-01","type":"boolean"},
               {"name":"same","path":"name.given.first() = name.family.first()","type":"boolean"},
               {"name":"day","path":"birthDate = '2001-01-01'","type":"boolean"}]},
    {"forEachOrNull":"contact.where(name.text != 'none')",
     "column":[{"name":"contact","path":"name.text"},
               {"name":"nth","path":"%rowIndex","type":"integer"}]}]})j");
  const auto patient = [](std::string_view given, std::string_view family, std::string_view born,
                          std::string_view one, std::string_view other) {
    return fmt::format(R"({{"resourceType":"Patient","name":[{{"given":["{}"],"family":"{}"}}],)"
                       R"("birthDate":"{}","contact":[{{"name":{{"text":"{}"}}}},)"
                       R"({{"name":{{"text":"{}"}}}}]}})",
                       given, family, born, one, other);
  };
  ExpectSameByOneRunner(
      view,
      {patient("a", "b", "1999-01-01", "x", "y"), patient("b", "b", "2001-01-01", "none", "y"),
       patient("c", "d", "2001", "none", "none"), patient("a", "a", "nonsense", "x", "none")});
}

TEST(RowPlan, CellsThatCannotBeFilled) {
  const auto view = Compiled(R"j({"resource":"Patient","select":[
    {"column":[{"name":"id","path":"id","type":"id"},
               {"name":"number","path":"multipleBirth.ofType(integer)","type":"integer"},
               {"name":"text","path":"multipleBirth.ofType(integer)","type":"string"},
               {"name":"upper","path":"name.family.upper()","type":"string"},
               {"name":"upper_again","path":"name.family.upper()","type":"string"},
               {"name":"all_upper","path":"name.family.upper()","collection":true},
               {"name":"family","path":"name.family","type":"string"},
               {"name":"gender","path":"gender","type":"code"}]}]})j");
  const auto patient = [](std::string_view id, std::string_view birth, std::string_view names,
                          std::string_view gender = R"("male")") {
    return fmt::format(R"({{"resourceType":"Patient","id":"{}","multipleBirthInteger":{},)"
                       R"("name":[{}],"gender":{}}})",
                       id, birth, names, gender);
  };
  const std::string one = R"({"family":"x"})";
  const std::vector<std::string> resources = {patient("whole", "1", one),
                                              patient("range", "99999999999", one),
                                              patient("type", "{}", one),
                                              patient("inner", "1", R"({"family":{}})"),
                                              patient("names", "1", one + "," + one),
                                              patient("many", "1", one, R"(["male","female"])")};
  ExpectSameByOneRunner(view, resources);
  const std::vector<std::string> shown = {
      "'whole'|1|'1'|'X'|'X'|'[\"X\"]'|'x'|'male'|\n",
      "'range'|null|'99999999999'|'X'|'X'|'[\"X\"]'|'x'|'male'|\n",
      "'type'|null|null|'X'|'X'|'[\"X\"]'|'x'|'male'|\n",
      "'inner'|1|'1'|null|null|null|null|'male'|\n",
      "'names'|1|'1'|null|null|null|null|'male'|\n",
      "'many'|1|'1'|'X'|'X'|'[\"X\"]'|'x'|null|\n"};
  ViewRunner runner(view);
  for (size_t i = 0; i < resources.size(); ++i) {
    EXPECT_EQ(RowsShown(runner, *view, resources[i], OnFault::kNull), shown[i]);
    const std::string strict = RowsShown(runner, *view, resources[i], OnFault::kNoRows);
    EXPECT_EQ(strict == shown[i], i == 0) << strict;
  }
}

TEST(RowPlan, MembersWithoutASymbolAreToldApartByName) {
  const auto view = Compiled(R"j({"resource":"Patient","select":[
    {"column":[{"name":"x","path":"nameNobodyInternedA"}]}]})j");
  ExpectSameByOneRunner(view, {R"({"resourceType":"Patient","nameNobodyInternedA":"1"})",
                               R"({"resourceType":"Patient","nameNobodyInternedB":"2"})",
                               R"({"resourceType":"Patient","nameNobodyInternedC":"3"})"});
}

TEST(RowPlan, MoreShapesThanPlans) {
  const auto view = Compiled(R"j({"resource":"Patient","select":[
    {"column":[{"name":"id","path":"id"},{"name":"n","path":"name.count()","type":"integer"}]}]})j");
  std::vector<std::string> resources;
  for (int names = 0; names < 100; ++names) {
    std::string list;
    for (int i = 0; i < names; ++i) list += i == 0 ? "{}" : ",{}";
    resources.push_back(
        fmt::format(R"({{"resourceType":"Patient","id":"p{}","name":[{}]}})", names, list));
  }
  ExpectSameByOneRunner(view, resources);
}

TEST(RowPlan, IsMadeOfAShapeMetBeforeAndFitsNoOther) {
  JsonParser a, b, c;
  const auto first = a.Parse(R"({"id":"1","name":[{}]})");
  const auto alike = b.Parse(R"({"id":"2","name":[{}]})");
  const auto other = c.Parse(R"({"id":1,"name":[{}]})");
  RowPlans plans;
  EXPECT_FALSE(plans.IsWorthOne(*first));
  EXPECT_TRUE(plans.IsWorthOne(*alike));
  EXPECT_FALSE(plans.IsWorthOne(*other));
  auto plan = std::make_unique<RowPlan>(*first);
  plan->tests.push_back({1, "1", true});
  EXPECT_TRUE(plan->Fits(*first));
  EXPECT_FALSE(plan->Fits(*alike));
  plan->tests[0].same = false;
  EXPECT_TRUE(plan->Fits(*alike));
  EXPECT_FALSE(plan->Fits(*other));
}

}  // namespace
}  // namespace vitalake::view
