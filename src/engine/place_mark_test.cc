#include "engine/place_mark.h"

#include <gtest/gtest.h>

namespace vitalake::engine {
namespace {

TEST(PlaceMarkTest, PointsAtACharacterOfALine) {
  EXPECT_EQ(PlaceMark("selec 1", 0), "\n\nLINE 1: selec 1\n        ^");
  EXPECT_EQ(PlaceMark("a\nbc d", 5), "\n\nLINE 2: bc d\n           ^");
  EXPECT_EQ(PlaceMark("h\xC3\xA9 x", 4), "\n\nLINE 1: h\xC3\xA9 x\n           ^");
  EXPECT_EQ(PlaceMark("a", 9), "\n\nLINE 1: a\n         ^");
}

TEST(PlaceMarkTest, ShowsALongLineInPart) {
  const std::string line = std::string(100, 'a') + "X" + std::string(100, 'b');
  EXPECT_EQ(PlaceMark(line, 100), "\n\nLINE 1: ..." + std::string(60, 'a') + "X" +
                                      std::string(59, 'b') + "...\n" + std::string(71, ' ') + "^");
}

}  // namespace
}  // namespace vitalake::engine
