#include "fhir/content_hash.h"

#include <gtest/gtest.h>

#include <set>

namespace vitalake::fhir {
namespace {

Hash128 HashOf(std::string_view text) {
  static JsonParser parser;
  const auto tree = parser.Parse(text);
  EXPECT_TRUE(tree.has_value()) << text;
  return tree ? ContentHash(*tree) : Hash128{};
}

TEST(ContentHash, IgnoresHowAResourceIsWritten) {
  const Hash128 hash =
      HashOf(R"({"resourceType":"Patient","id":"1","name":[{"family":"Ünal/x"}],"n":1.0})");
  EXPECT_EQ(hash, HashOf("{ \"n\" : 1.0,\n\"name\":[ {\"family\":\"\\u00dcnal\\/x\"} ],"
                         "\"id\":\"1\", \"resourceType\":\"Patient\"}"));
  EXPECT_EQ(hash, HashOf(R"({"resourceType":"Patient","id":"1","meta":{"versionId":"7"},)"
                         R"("text":{"div":"x"},"name":[{"family":"Ünal/x"}],"n":1.0})"));
}

TEST(ContentHash, TellsContentsApart) {
  const char* texts[] = {"{}",
                         "[]",
                         "null",
                         "\"\"",
                         "0",
                         "false",
                         "true",
                         "[[]]",
                         "[{}]",
                         "{\"a\":{}}",
                         "{\"a\":[]}",
                         "{\"a\":null}",
                         "{\"a\":\"\"}",
                         "{\"a\":1}",
                         "{\"a\":1.0}",
                         "{\"a\":\"1\"}",
                         "{\"a\":true}",
                         "{\"a\":\"true\"}",
                         "{\"a\":\"null\"}",
                         "{\"b\":1}",
                         "{\"a\":1,\"b\":1}",
                         "{\"a\":1,\"b\":2}",
                         "{\"a\":2,\"b\":1}",
                         "{\"a\":[1,2]}",
                         "{\"a\":[2,1]}",
                         "{\"a\":[[1],2]}",
                         "{\"a\":[1,[2]]}",
                         "{\"a\":[12]}",
                         "{\"a\":{\"b\":1}}",
                         "{\"a\":{\"b\":1},\"c\":2}",
                         "{\"a\":{\"b\":1,\"c\":2}}",
                         "{\"a\":{\"meta\":1}}",
                         "{\"a\":{\"text\":1}}",
                         "{\"a\":[1,1]}",
                         "{\"a\":[1,1,1]}",
                         "{\"a\":[{\"x\":1},{\"y\":2}]}",
                         "{\"a\":[{\"x\":1,\"y\":2}]}",
                         "{\"a\":1,\"a\":1}",
                         "{\"a\":{\"x\":1},\"b\":{\"y\":1}}",
                         "{\"a\":{\"y\":1},\"b\":{\"x\":1}}"};
  std::set<Hash128> seen;
  for (const char* text : texts) EXPECT_TRUE(seen.insert(HashOf(text)).second) << text;
}

TEST(ContentHash, SpreadsOverBothHalves) {
  std::set<uint64_t> high, low;
  for (int i = 0; i < 20'000; ++i) {
    const Hash128 hash = HashOf("{\"a\":{\"v\":" + std::to_string(i % 200) +
                                ",\"w\":" + std::to_string(i / 200) + "}}");
    high.insert(hash.high);
    low.insert(hash.low);
  }
  EXPECT_EQ(high.size(), 20'000u);
  EXPECT_EQ(low.size(), 20'000u);
}

// Hashes are stored in tables: they may never change.
TEST(ContentHash, IsPinned) {
  EXPECT_EQ(
      HashOf(R"({"resourceType":"Patient","active":true,"name":[{"given":["a","b"]}],"id":"1"})")
          .ToHex(),
      "78c59b90c2ba7d6db1766ee049bb5a4f");
}

// Whether a name was known to the process before must not matter.
TEST(ContentHash, DoesNotDependOnInterning) {
  const Hash128 before = HashOf("{\"never-seen-name\":1}");
  InternSymbol("never-seen-name");
  EXPECT_EQ(HashOf("{\"never-seen-name\":1}"), before);
}

}  // namespace
}  // namespace vitalake::fhir
