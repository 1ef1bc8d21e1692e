#include "fhir/element_path.h"

#include <gtest/gtest.h>

namespace vitalake::fhir {
namespace {

TEST(ElementPath, NamesMembersAndArrayPlaces) {
  JsonParser parser;
  const auto tree = parser.Parse(R"({"id":"x","resourceType":"Observation","component":[
      {"code":{}},{"valueQuantity":{"unit":"u","value":"1"}}],"code":[[1,2]]})");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(ElementPath(*tree, *tree), "Observation");
  EXPECT_EQ(ElementPath(*tree, tree->Find("id")), "Observation.id");
  const JsonValue components = tree->Find("component");
  EXPECT_EQ(ElementPath(*tree, components), "Observation.component");
  const JsonValue second = *++components.children().begin();
  EXPECT_EQ(ElementPath(*tree, second), "Observation.component[1]");
  EXPECT_EQ(ElementPath(*tree, second.Find("valueQuantity").Find("value")),
            "Observation.component[1].valueQuantity.value");
  const JsonValue inner = *tree->Find("code").children().begin();
  EXPECT_EQ(ElementPath(*tree, *++inner.children().begin()), "Observation.code[0][1]");
}

TEST(ElementPath, BeginsWithResourceWhenTheTypeIsUnknown) {
  JsonParser parser;
  const auto tree = parser.Parse(R"({"a":1,"resourceType":7})");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(ElementPath(*tree, tree->Find("a")), "Resource.a");
  EXPECT_EQ(ElementPath(*tree, JsonValue()), "Resource");
}

}  // namespace
}  // namespace vitalake::fhir
