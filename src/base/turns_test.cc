#include "base/turns.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/turns_internal.h"

namespace vitalake {
namespace {

// Before Linux 6.12 turns have no length that could be asked for.
TEST(Turns, AreInheritedAndTakenBack) {
  if (!ReadScheduling()) GTEST_SKIP() << "the system does not tell";
  std::thread([] {
    const auto usual = ReadScheduling()->runtime;
    if (usual == 0) GTEST_SKIP() << "this kernel has turns of one length";
    TakeShortTurns();
    const auto shortened = ReadScheduling()->runtime;
    EXPECT_LT(shortened, usual);
    std::thread([&] {
      EXPECT_EQ(ReadScheduling()->runtime, shortened);
      TakeUsualTurns();
      EXPECT_EQ(ReadScheduling()->runtime, usual);
    }).join();
    EXPECT_EQ(ReadScheduling()->runtime, shortened);
  }).join();
}

TEST(Turns, WhoGivesWayDoesSoAloneAndWithThoseItStarts) {
  if (!ReadScheduling()) GTEST_SKIP() << "the system does not tell";
  const int before = ReadScheduling()->nice;
  std::thread([&] {
    GiveWay();
    EXPECT_EQ(ReadScheduling()->nice, 3);
    std::thread([] { EXPECT_EQ(ReadScheduling()->nice, 3); }).join();
  }).join();
  EXPECT_EQ(ReadScheduling()->nice, before);
}

}  // namespace
}  // namespace vitalake
