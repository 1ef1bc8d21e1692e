#include "base/utf8.h"

#include <gtest/gtest.h>

namespace vitalake {
namespace {

TEST(ValidUtf8, KeepsWellFormedText) {
  EXPECT_EQ(ValidUtf8("a\u00e9\u20ac\U0001F600"), "a\u00e9\u20ac\U0001F600");
}

TEST(ValidUtf8, ReplacesWhatIsNot) {
  EXPECT_EQ(ValidUtf8("a\xff"
                      "b"),
            "a\uFFFDb");
  EXPECT_EQ(ValidUtf8("\xE2\x82"), "\uFFFD\uFFFD");            // cut off
  EXPECT_EQ(ValidUtf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(ValidUtf8(std::string_view("\0", 1)), "\uFFFD");
}

TEST(CharactersIn, CountsWhereTheyBegin) {
  EXPECT_EQ(CharactersIn(""), 0);
  EXPECT_EQ(CharactersIn("a\u00E9\u20AC\U0001F600"), 4);
  EXPECT_FALSE(IsInsideCharacter('a'));
  EXPECT_FALSE(IsInsideCharacter('\xE2'));
  EXPECT_TRUE(IsInsideCharacter('\x82'));
}

}  // namespace
}  // namespace vitalake
