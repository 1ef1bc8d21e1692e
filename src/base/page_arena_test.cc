#include "base/page_arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace vitalake {
namespace {

struct Given {
  char* at;
  size_t bytes;
  unsigned char mark;
};

// Takes `count` pieces of random sizes and writes over all of each.
std::vector<Given> Fill(PageArena& arena, int count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Given> given;
  for (int i = 0; i < count; ++i) {
    // Mostly small, sometimes larger than a piece.
    const size_t bytes = i % 50 == 49 ? 1 + random() % (6 << 20) : random() % 20'000;
    const size_t alignment = size_t{1} << random() % 7;
    char* const at = arena.Allocate(bytes, alignment);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % alignment, 0u);
    given.push_back({at, bytes, static_cast<unsigned char>(random())});
    std::memset(at, given.back().mark, bytes);
  }
  return given;
}

void ExpectUntouched(const std::vector<Given>& given) {
  for (const Given& one : given) {
    for (size_t i = 0; i < one.bytes; ++i) {
      ASSERT_EQ(static_cast<unsigned char>(one.at[i]), one.mark);
    }
  }
}

TEST(PageArena, WhatItGivesIsAlignedAndNeverOverlaps) {
  PageArena arena;
  ExpectUntouched(Fill(arena, 400, 1));
}

TEST(PageArena, GivesTheSameMemoryAgainAfterClear) {
  PageArena arena;
  char* const first = arena.Allocate(1000);
  Fill(arena, 100, 2);
  arena.Clear();
  EXPECT_EQ(arena.Allocate(1000), first);
  ExpectUntouched(Fill(arena, 400, 3));
}

TEST(PageArena, TakesTheNextPieceWhenTheFirstIsTooSmall) {
  PageArena arena;
  arena.Allocate(10);
  arena.Allocate(1 << 20);
  arena.Clear();
  char* const large = arena.Allocate(1 << 20);
  std::memset(large, 1, 1 << 20);
  char* const next = arena.Allocate(1 << 20);
  std::memset(next, 2, 1 << 20);
  EXPECT_EQ(large[(1 << 20) - 1], 1);
}

}  // namespace
}  // namespace vitalake
