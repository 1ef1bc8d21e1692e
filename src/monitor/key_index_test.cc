#include "monitor/key_index.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"

namespace vitalake::monitor {
namespace {

std::multiset<uint32_t> Found(const KeyIndex& index, uint64_t key) {
  std::multiset<uint32_t> found;
  index.ForEach(key, [&](uint32_t series) { found.insert(series); });
  return found;
}

// Against a map, with keys so few and alike that runs of slots form and wrap around.
TEST(KeyIndexTest, FindsWhatWasAddedAndNotRemoved) {
  SeededRandom random(7);
  KeyIndex index;
  std::map<uint64_t, std::set<uint32_t>> expected;
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t key = 1000 + random.Below(3000) / 2;
    const auto series = static_cast<uint32_t>(1 + random.Below(3));
    if (random.Unit() < (i < 100'000 ? 0.6 : 0.3)) {
      index.Add(key, series);
      expected[key].insert(series);
    } else {
      index.Remove(key, series);
      expected[key].erase(series);
    }
  }
  for (uint64_t key = 1000; key < 2500; ++key) {
    const auto& those = expected[key];
    EXPECT_EQ(Found(index, key), std::multiset<uint32_t>(those.begin(), those.end()));
  }
  EXPECT_EQ(Found(index, 99), std::multiset<uint32_t>());
}

}  // namespace
}  // namespace vitalake::monitor
