#include "serve/page_cursor.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

TEST(PageCursorTest, GivesBackWhatWasPutIn) {
  for (const CursorParts& parts : {CursorParts{"1764165600000000", "run", "a/b.json"},
                                   CursorParts{"", "é\"\\", std::string("\x01\n", 2)}}) {
    const std::string text = EncodeCursor(parts);
    EXPECT_EQ(
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "-_"),
        std::string::npos);
    EXPECT_EQ(*DecodeCursor(text, 3), parts);
    EXPECT_EQ(*DecodeCursor(text, 0), parts);
    EXPECT_FALSE(DecodeCursor(text, 2));
  }
}

TEST(PageCursorTest, RefusesWhatIsNone) {
  for (const char* text : {"", "x", "nonsense", "W10", "a b", "%%%"}) {
    EXPECT_FALSE(DecodeCursor(text, 0)) << text;
  }
}

}  // namespace
}  // namespace vitalake::serve
