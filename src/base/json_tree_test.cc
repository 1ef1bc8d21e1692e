#include "base/json_tree.h"

#include <gtest/gtest.h>

namespace vitalake {
namespace {

JsonFault FaultOf(std::string_view text, JsonLimits limits = {}) {
  JsonParser parser;
  auto tree = parser.Parse(text, limits);
  EXPECT_FALSE(tree.has_value()) << text;
  return tree ? JsonFault{} : tree.error();
}

TEST(JsonTree, KeepsNumbersAsWritten) {
  JsonParser parser;
  auto tree = parser.Parse(R"({"a":1.0,"b":-0.10e+5,"c":123456789012345678901234567890})");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->Find("a").text(), "1.0");
  EXPECT_EQ(tree->Find("b").text(), "-0.10e+5");
  EXPECT_EQ(tree->Find("c").text(), "123456789012345678901234567890");
  EXPECT_EQ(tree->Find("c").AsInt(), std::nullopt);
  EXPECT_EQ(tree->Find("b").AsDouble(), -10000.0);
}

TEST(JsonTree, WalksChildrenInOrder) {
  JsonParser parser;
  auto tree = parser.Parse("  {\"x\":[1,{\"y\":null},[]],\"z\":true,\"w\":\"\\u00e9\\n\"} \n");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->size(), 3u);
  std::vector<std::string> keys;
  for (JsonValue child : tree->children()) keys.emplace_back(child.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"x", "z", "w"}));
  EXPECT_EQ(tree->Find("x").size(), 3u);
  EXPECT_EQ(tree->Find("w").text(), "\u00e9\n");
  EXPECT_TRUE(tree->Find("z").is_bool());
  EXPECT_FALSE(tree->Find("missing"));
}

TEST(JsonTree, NoticesDuplicateKeysPerObject) {
  InternSymbol("resourceType");
  JsonParser parser;
  ASSERT_TRUE(parser.Parse(R"({"a":{"q":1},"b":{"q":1},"resourceType":1})").has_value());
  EXPECT_FALSE(parser.has_duplicate_key());
  ASSERT_TRUE(parser.Parse(R"({"a":{"qq":1,"x":2,"qq":1}})").has_value());
  EXPECT_TRUE(parser.has_duplicate_key());
  ASSERT_TRUE(
      parser.Parse(R"({"resourceType":1,"x":{"resourceType":1},"resourceType":2})").has_value());
  EXPECT_TRUE(parser.has_duplicate_key());
}

TEST(JsonTree, FindsInternedMembersBySymbol) {
  const Symbol name = InternSymbol("some-unlikely-name");
  JsonParser parser;
  auto tree = parser.Parse(R"({"x":1,"some-unlikely-name":2})");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->Find(name).text(), "2");
}

// Sanitizers see a node that is written behind the room for them.
TEST(JsonTree, HasRoomForTheValueThatIsMissing) {
  for (const char* const open : {"[", "{\"a\":", "[1,"}) {
    JsonParser reused;
    std::string text;
    for (int n = 1; n <= 40; ++n) {
      text += open;
      JsonParser fresh;
      EXPECT_FALSE(fresh.Parse(text).has_value());
      EXPECT_FALSE(reused.Parse(text).has_value());
    }
  }
}

TEST(JsonTree, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           "   ",
                           "{",
                           "[1,2",
                           "{\"a\":1,}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "[1 2]",
                           "nul",
                           "tru",
                           "01",
                           "1.",
                           "\"abc",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":1} x",
                           "{} {}",
                           "[\"a\xff\"]",
                           "// c\n{}",
                           "+1",
                           "nulla",
                           "{\"a\":nulx}",
                           "{\"a\":1.e5}",
                           "{\"a\":-}",
                           "\"\x01\""}) {
    EXPECT_EQ(FaultOf(text).kind, ErrorKind::kCorrupt) << text;
  }
}

TEST(JsonTree, LimitsDepthAndSize) {
  const std::string deep = std::string(1000000, '[');
  EXPECT_EQ(FaultOf(deep).kind, ErrorKind::kLimit);
  JsonParser parser;
  EXPECT_TRUE(parser.Parse(std::string(64, '[') + std::string(64, ']')).has_value());
  EXPECT_EQ(FaultOf(std::string(65, '[') + std::string(65, ']')).kind, ErrorKind::kLimit);
  EXPECT_EQ(FaultOf("[1,2,3]", {.max_bytes = 6}).kind, ErrorKind::kLimit);
}

TEST(JsonTree, LeavesDeepPartsRaw) {
  JsonParser parser;
  auto tree =
      parser.Parse(R"({"entry":[{"resource":{"a":[1,{"b":2}]} ,"n":1}]})", {.expand_depth = 3});
  ASSERT_TRUE(tree.has_value());
  JsonValue entry = *tree->Find("entry").children().begin();
  EXPECT_EQ(entry.Find("resource").type(), JsonType::kRaw);
  EXPECT_EQ(entry.Find("resource").text(), R"({"a":[1,{"b":2}]})");
  EXPECT_EQ(entry.Find("n").text(), "1");
}

TEST(JsonTree, FaultNamesThePlace) {
  const JsonFault fault = FaultOf("{\"a\":1,\n\"b\":01}");
  EXPECT_GE(fault.offset, 12u);
  EXPECT_LE(fault.offset, 14u);
}

}  // namespace
}  // namespace vitalake
