#include "storage/faulty_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "storage/memory_store.h"
#include "storage/test_folder.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Keys(ObjectStore& store) {
  std::vector<std::string> keys;
  const std::vector<ObjectInfo> listed = store.List("").value();
  for (const ObjectInfo& info : listed) keys.push_back(info.key);
  return keys;
}

TEST(FaultyStoreTest, FailsTheNthCallOnce) {
  FaultyStore store;
  store.FailOnce(2, ErrorKind::kPermission);
  EXPECT_TRUE(store.Put("a", "1").has_value());
  EXPECT_EQ(store.Put("b", "1").error().kind, ErrorKind::kPermission);
  EXPECT_TRUE(store.Put("c", "1").has_value());
  EXPECT_THAT(Keys(store.inner()), ElementsAre("a", "c"));
}

TEST(FaultyStoreTest, FailsForEverFromTheNthCall) {
  FaultyStore store;
  store.FailFrom(2);
  EXPECT_TRUE(store.Put("a", "1").has_value());
  EXPECT_EQ(store.Put("b", "1").error().kind, ErrorKind::kIo);
  EXPECT_EQ(store.List("").error().kind, ErrorKind::kIo);
  EXPECT_EQ(store.StagingFolder().error().kind, ErrorKind::kIo);
  store.ClearFaults();
  EXPECT_THAT(Keys(store), ElementsAre("a"));
}

TEST(FaultyStoreTest, CountsEachKindAlone) {
  FaultyStore store;
  store.Add({.nth = 2, .call = StoreCall::kRead});
  ASSERT_TRUE(store.Put("a", "1").has_value());
  EXPECT_TRUE(store.Read("a").has_value());
  EXPECT_TRUE(store.Head("a").has_value());
  EXPECT_FALSE(store.Read("a").has_value());
  EXPECT_TRUE(store.Read("a").has_value());
  EXPECT_EQ(store.calls(), 5);
  EXPECT_EQ(store.calls(StoreCall::kRead), 3);
  EXPECT_EQ(store.calls(StoreCall::kDelete), 0);
  store.ResetCounts();
  EXPECT_EQ(store.calls(), 0);
}

TEST(FaultyStoreTest, UnknownWithAndWithoutTheWrite) {
  FaultyStore store;
  store.UnknownPutIfAbsent(1, FaultEffect::kNothing);
  store.UnknownPutIfAbsent(2, FaultEffect::kDone);
  EXPECT_EQ(store.PutIfAbsent("a", "1").value(), PutOutcome::kUnknown);
  EXPECT_EQ(store.PutIfAbsent("b", "1").value(), PutOutcome::kUnknown);
  EXPECT_THAT(Keys(store), ElementsAre("b"));
  ASSERT_TRUE(store.Crash().has_value());
  EXPECT_THAT(Keys(store), ElementsAre("b"));
}

TEST(FaultyStoreTest, AnErrorMayComeAfterTheDeed) {
  FaultyStore store;
  store.Add({.call = StoreCall::kPut, .effect = FaultEffect::kDone});
  store.Add({.call = StoreCall::kDelete, .effect = FaultEffect::kDone});
  EXPECT_EQ(store.Put("a", "1").error().kind, ErrorKind::kIo);
  EXPECT_EQ(store.Read("a").value(), "1");
  EXPECT_EQ(store.Delete("a").error().kind, ErrorKind::kIo);
  EXPECT_THAT(Keys(store), IsEmpty());
}

TEST(FaultyStoreTest, CrashTakesVolatileWritesBack) {
  FaultyStore store;
  ASSERT_TRUE(store.Put("t/hint", "old").has_value());
  store.Add({.nth = 2, .call = StoreCall::kPut, .effect = FaultEffect::kVolatile});
  store.UnknownPutIfAbsent(1, FaultEffect::kVolatile);
  EXPECT_FALSE(store.Put("t/hint", "new").has_value());
  EXPECT_EQ(store.PutIfAbsent("u/0.json", "x").value(), PutOutcome::kUnknown);
  EXPECT_EQ(store.Read("t/hint").value(), "new");
  EXPECT_EQ(store.Read("u/0.json").value(), "x");
  ASSERT_TRUE(store.Crash().has_value());
  EXPECT_EQ(store.Read("t/hint").value(), "old");
  EXPECT_THAT(Keys(store), ElementsAre("t/hint"));
}

TEST(FaultyStoreTest, ADurableWriteSavesItsFolder) {
  FaultyStore store;
  store.UnknownPutIfAbsent(1, FaultEffect::kVolatile);
  ASSERT_TRUE(store.PutIfAbsent("t/0", "x").has_value());
  ASSERT_EQ(store.PutIfAbsent("t/1", "x").value(), PutOutcome::kCreated);
  ASSERT_TRUE(store.Crash().has_value());
  EXPECT_THAT(Keys(store), ElementsAre("t/0", "t/1"));
}

TEST(FaultyStoreTest, DeletionsComeBack) {
  FaultyStore store;
  ASSERT_TRUE(store.Put("t/0", "x").has_value());
  ASSERT_TRUE(store.Delete("t/0").has_value());
  EXPECT_THAT(Keys(store), IsEmpty());
  ASSERT_TRUE(store.Crash().has_value());
  EXPECT_EQ(store.Read("t/0").value(), "x");
}

TEST(FaultyStoreTest, ALyingDiskLosesEverythingSince) {
  FaultyStore store;
  ASSERT_TRUE(store.Put("t/0", "x").has_value());
  store.LoseSyncs();
  ASSERT_TRUE(store.Put("t/1", "x").has_value());
  ASSERT_TRUE(store.PutIfAbsent("t/2", "x").has_value());
  ASSERT_TRUE(store.Put("t/0", "y").has_value());
  ASSERT_TRUE(store.Crash().has_value());
  EXPECT_THAT(Keys(store), ElementsAre("t/0"));
  EXPECT_EQ(store.Read("t/0").value(), "x");
}

std::vector<std::string> SurvivorsOf(uint64_t seed) {
  FaultyStore store(seed);
  store.LoseSyncs();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(store.Put("k" + std::to_string(i), "x").has_value());
  EXPECT_TRUE(store.Crash(CrashLoss::kSomeVolatile).has_value());
  return Keys(store);
}

TEST(FaultyStoreTest, ReorderingKeepsSomeBySeed) {
  EXPECT_EQ(SurvivorsOf(1), SurvivorsOf(1));
  EXPECT_NE(SurvivorsOf(1), SurvivorsOf(2));
  EXPECT_GT(SurvivorsOf(1).size(), 0u);
  EXPECT_LT(SurvivorsOf(1).size(), 20u);
}

TEST(FaultyStoreTest, CrashTearsStagedFiles) {
  FaultyStore store(3);
  const fs::path folder = store.StagingFolder().value();
  for (int i = 0; i < 30; ++i) {
    WriteTestFile(folder / ("f" + std::to_string(i)), std::string(1000, 'x'));
  }
  ASSERT_TRUE(store.Crash().has_value());
  int whole = 0;
  int torn = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    ++(entry.file_size() == 1000 ? whole : torn);
  }
  EXPECT_GT(whole, 0);
  EXPECT_GT(torn, 0);
  EXPECT_LT(whole + torn, 30);
}

TEST(FaultyStoreTest, RunsAnActionBeforeACall) {
  FaultyStore store;
  store.Before(
      1, [&] { ASSERT_TRUE(store.inner().PutIfAbsent("t/0", "rival").has_value()); },
      StoreCall::kPutIfAbsent);
  EXPECT_EQ(store.PutIfAbsent("t/0", "ours").value(), PutOutcome::kExists);
  EXPECT_EQ(store.PutIfAbsent("t/1", "ours").value(), PutOutcome::kCreated);
  EXPECT_EQ(store.Read("t/0").value(), "rival");
}

TEST(FaultyStoreTest, ActionsMayUseTheStoreItself) {
  FaultyStore store;
  store.Before(1, [&] { EXPECT_TRUE(store.Put("inside", "x").has_value()); });
  EXPECT_TRUE(store.Put("outside", "x").has_value());
  EXPECT_EQ(store.calls(), 2);
  EXPECT_THAT(Keys(store), ElementsAre("inside", "outside"));
}

TEST(FaultyStoreTest, TellsOfEachPutIfAbsentBeforeIt) {
  FaultyStore store;
  std::vector<std::string> told;
  store.BeforePuts([&](std::string_view key) {
    told.emplace_back(key);
    if (key == "b") store.FailFrom(store.calls() + 1);  // this very call, and all after it
  });
  EXPECT_TRUE(store.PutIfAbsent("a", "1").has_value());
  EXPECT_TRUE(store.Put("other", "1").has_value());
  EXPECT_FALSE(store.PutIfAbsent("b", "1").has_value());
  store.ClearFaults();
  EXPECT_TRUE(store.PutIfAbsent("c", "1").has_value());
  EXPECT_THAT(told, ElementsAre("a", "b"));
  EXPECT_THAT(Keys(store), ElementsAre("a", "c", "other"));
}

TEST(FaultyStoreTest, FailsAShareOfTheCalls) {
  FaultyStore store(5);
  store.FailShare(0.25, ErrorKind::kIo);
  int failed = 0;
  for (int i = 0; i < 1000; ++i) failed += store.Head("a").error().kind == ErrorKind::kIo;
  // Five standard deviations (13.7) around 250.
  EXPECT_GT(failed, 180);
  EXPECT_LT(failed, 320);
}

TEST(FaultyStoreTest, EveryCallHasAName) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kStoreCalls; ++i) names.insert(ToString(static_cast<StoreCall>(i)));
  EXPECT_EQ(names.size(), kStoreCalls);
  EXPECT_EQ(ToString(StoreCall::kStagingFolder), "StagingFolder");
}

}  // namespace
}  // namespace vitalake::storage
