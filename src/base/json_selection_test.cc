#include "base/json_selection.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json_tree.h"
#include "base/json_writer.h"

namespace vitalake {
namespace {

void Append(JsonValue value, std::string& out) {
  if (!value.is_object() && !value.is_array()) {
    if (value.is_string()) return AppendJsonString(out, value.text());
    out += value.text();
    return;
  }
  out += value.is_object() ? '{' : '[';
  size_t count = 0;
  for (JsonValue child : value.children()) {
    if (count++ > 0) out += ',';
    if (value.is_object()) {
      AppendJsonString(out, child.key());
      out += ':';
    }
    Append(child, out);
  }
  EXPECT_EQ(count, value.size());
  out += value.is_object() ? '}' : ']';
}

class Selected : public ::testing::Test {
 protected:
  // What is left of `text`, as JSON; "! " and the message after a fault.
  std::string Left(std::string_view text, JsonLimits limits = {}) {
    limits.kept = &kept_;
    const auto tree = parser_.Parse(text, limits);
    if (!tree) return "! " + tree.error().message;
    std::string out;
    Append(*tree, out);
    return out;
  }

  JsonSelection kept_;
  JsonParser parser_;
};

TEST_F(Selected, LeavesOutWhatIsNotKept) {
  const auto name = kept_.Add(JsonSelection::kRoot, "name");
  kept_.Add(name, "family");
  kept_.Add(JsonSelection::kRoot, "id");
  EXPECT_EQ(
      Left(R"({"a":1,"id":"x","b":{"id":[{}]},"name":[{"family":"f","given":["g"]},{}],"z":[]})"),
      R"({"id":"x","name":[{"family":"f"},{}]})");
  EXPECT_EQ(Left(R"({"a":{"b":[1,{"c":"]}"}]}})"), "{}");
  EXPECT_EQ(Left(R"([{"id":1},{"name":2}, 3])"), R"([{"id":1},{"name":2},3])");
  EXPECT_EQ(Left(R"({"name":{"id":1,"family":{"id":2}}})"), R"({"name":{"family":{}}})");
}

TEST_F(Selected, KeepsWholeWhatIsAskedFor) {
  kept_.KeepWhole(kept_.Add(JsonSelection::kRoot, "code"));
  EXPECT_EQ(Left(R"({"code":{"x":[{"y":1}]},"codes":1})"), R"({"code":{"x":[{"y":1}]}})");
  EXPECT_EQ(kept_.Add(kept_.Add(JsonSelection::kRoot, "code"), "x"), JsonSelection::kWhole);
  kept_.KeepWhole(JsonSelection::kRoot);
  EXPECT_TRUE(kept_.keeps_all());
}

TEST_F(Selected, TakesChoiceElementsForTheirName) {
  kept_.Add(kept_.Add(JsonSelection::kRoot, "value"), "unit");
  EXPECT_EQ(Left(R"({"valueQuantity":{"unit":"g","code":"g"},"values":1,"valu":2})"),
            R"({"valueQuantity":{"unit":"g"}})");
  // Two names apply: nothing of it is left out.
  kept_.Add(kept_.Add(JsonSelection::kRoot, "valueQuantity"), "code");
  JsonParser other;
  const auto tree =
      other.Parse(R"({"valueQuantity":{"unit":"g","code":"g","x":1}})", {.kept = &kept_});
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->Find("valueQuantity").size(), 3u);
}

TEST_F(Selected, FollowsAnyOrderOfMembers) {
  for (const char* name : {"a", "bb", "a-name-of-22-characters", "a-name-of-22-characterz"}) {
    kept_.Add(JsonSelection::kRoot, name);
  }
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(
        Left(R"({"a":1,"x":0,"bb":2,"a-name-of-22-characters":3,"a-name-of-22-characterz":4})"),
        R"({"a":1,"bb":2,"a-name-of-22-characters":3,"a-name-of-22-characterz":4})");
    EXPECT_EQ(Left(R"({"a-name-of-22-charactery":4,"bb":2,"x":0,"y":0,"a":1})"),
              R"({"bb":2,"a":1})");
  }
}

TEST_F(Selected, ReadsNamesWithEscapesAndManyNames) {
  kept_.Add(JsonSelection::kRoot, "id");
  kept_.Add(JsonSelection::kRoot, "last");
  EXPECT_EQ(Left(R"({"\u0069d":"a\n","x\"":{"\"}":1}})"), R"({"id":"a\n"})");
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += fmt::format("\"k{}\":{{\"last\":{}}},", i, i);
  EXPECT_EQ(Left(many + "\"last\":1}"), R"({"last":1})");
  EXPECT_EQ(Left(many + "\"last\":1}"), R"({"last":1})");
}

TEST_F(Selected, SeesNamesInternedLater) {
  kept_.Add(JsonSelection::kRoot, "interned-after-all");
  EXPECT_EQ(Left(R"({"interned-after-all":1})"), R"({"interned-after-all":1})");
  InternSymbol("interned-after-all");
  EXPECT_EQ(Left(R"({"interned-after-all":1})"), R"({"interned-after-all":1})");
}

TEST_F(Selected, ChangesWithTheSelection) {
  kept_.Add(JsonSelection::kRoot, "a");
  EXPECT_EQ(Left(R"({"a":1,"b":2})"), R"({"a":1})");
  JsonSelection other;
  other.Add(JsonSelection::kRoot, "b");
  const auto tree = parser_.Parse(R"({"a":1,"b":2})", {.kept = &other});
  EXPECT_EQ(tree->Find("b").text(), "2");
  EXPECT_FALSE(tree->Find("a"));
  EXPECT_EQ(parser_.Parse(R"({"a":1,"b":2})")->size(), 2u);
}

TEST_F(Selected, StillChecksWhatItLeavesOut) {
  kept_.Add(JsonSelection::kRoot, "id");
  EXPECT_EQ(Left(R"({"x":[1,{"y":2]}})"), "! expected a closing bracket");
  EXPECT_EQ(Left(R"({"x":{"y":[}],"id":1})"), "! expected a closing bracket");
  EXPECT_EQ(Left(R"({"x":[1,2)"), "! the text ends where a closing bracket should be");
  EXPECT_EQ(Left(R"({"x":[1]]})").substr(0, 2), "! ");
  EXPECT_EQ(Left(R"({"x"})"), "! expected ':'");
  EXPECT_EQ(Left(R"({"x":,"id":1})"), "! expected a JSON value");
  EXPECT_EQ(Left(R"({"x":})"), "! expected a JSON value");
  EXPECT_EQ(Left("{\"x\":\"\xff\"}").substr(0, 2), "! ");
  EXPECT_EQ(Left(R"({"x":"open})").substr(0, 2), "! ");
  EXPECT_EQ(Left(R"({"x":1 "id":2})"), "! expected ',' or '}'");
}

TEST_F(Selected, BoundsTheDepthOfWhatItLeavesOut) {
  kept_.Add(JsonSelection::kRoot, "id");
  const auto nested = [](size_t levels) {
    return "{\"x\":" + std::string(levels, '[') + std::string(levels, ']') + ",\"id\":1}";
  };
  EXPECT_EQ(Left(nested(63)), R"({"id":1})");
  EXPECT_EQ(Left(nested(64)), "! nested deeper than 64 levels");
  EXPECT_EQ(Left(nested(1'000'000)), "! nested deeper than 64 levels");
  EXPECT_EQ(Left(nested(300), {.max_depth = 400}), R"({"id":1})");
}

}  // namespace
}  // namespace vitalake
