#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace vitalake {
namespace {

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("lake", "laek"), 1u);  // two letters swapped
  EXPECT_EQ(EditDistance("ca", "abc"), 3u);     // a swapped pair is not edited again
}

TEST(Nearest, PicksTheClosestWithinReason) {
  std::vector<std::string> keys = {"lake", "memory", "landing", "streams"};
  EXPECT_EQ(Nearest("memroy", keys), "memory");
  EXPECT_EQ(Nearest("stream", keys), "streams");
  EXPECT_EQ(Nearest("lale", keys), "lake");
  EXPECT_EQ(Nearest("completely_else", keys), "");
  EXPECT_EQ(Nearest("x", {}), "");
}

}  // namespace
}  // namespace vitalake
