#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace vitalake {
namespace {

TEST(ForEachIndexTest, CallsEachIndexOnceOnAnyNumberOfThreads) {
  for (const size_t threads : {0, 1, 3, 64}) {
    std::vector<std::atomic<int>> calls(20);
    ForEachIndex(calls.size(), threads, [&](size_t i) { return ++calls[i] > 0; });
    for (const auto& count : calls) EXPECT_EQ(count, 1) << threads;
  }
  ForEachIndex(0, 2, [](size_t) { return ADD_FAILURE(), true; });
}

TEST(ForEachIndexTest, BeginsNothingAfterAFailure) {
  std::vector<size_t> begun;
  ForEachIndex(10, 1, [&](size_t i) {
    begun.push_back(i);
    return i < 3;
  });
  EXPECT_EQ(begun, (std::vector<size_t>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace vitalake
