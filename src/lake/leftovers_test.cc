#include "lake/leftovers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "base/clock.h"
#include "base/random.h"
#include "lake/lake.h"
#include "storage/owned_folder.h"

namespace vitalake::lake {
namespace {

namespace fs = std::filesystem;

class LeftoversTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("leftovers-" + random_.Uuid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path Dead(const std::string& name) {
    fs::create_directories(folder_ / name);
    std::ofstream(folder_ / name / "part-0.parquet") << "half";
    return folder_ / name;
  }
  fs::path File(const std::string& name, std::chrono::hours age) {
    std::ofstream(folder_ / name) << "x";
    fs::last_write_time(folder_ / name, fs::file_time_type::clock::now() - age);
    return folder_ / name;
  }

  SystemRandom random_;
  fs::path folder_;
};

TEST_F(LeftoversTest, WorkFoldersOfTheDeadGo) {
  const fs::path dead = Dead("upsert-" + random_.Uuid());
  const fs::path other = Dead("somebodys");
  const auto alive = storage::OwnedFolder::Make(folder_ / ("upsert-" + random_.Uuid()));
  SweepStaging(folder_);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(other));
  EXPECT_TRUE(fs::exists(alive->path()));
}

TEST_F(LeftoversTest, SingleFilesGoAfterADay) {
  using std::chrono::hours;
  const fs::path young = File("put-" + random_.Uuid(), hours(23));
  const fs::path old = File("put-" + random_.Uuid(), hours(25));
  const fs::path checkpoint = File("checkpoint-" + random_.Uuid() + ".parquet", hours(25));
  const fs::path copy = File("copy-20261122T170000Z-3f9c0a7d~x", hours(25));
  SweepStaging(folder_);
  EXPECT_TRUE(fs::exists(young));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_FALSE(fs::exists(checkpoint));
  EXPECT_TRUE(fs::exists(copy));
}

TEST_F(LeftoversTest, SpillOfTheDeadGoesAndNothingAlike) {
  const fs::path dead = Dead("spill-" + random_.Uuid());
  const fs::path other = Dead("oil-spill-" + random_.Uuid());
  const fs::path name = Dead("spill-of-last-year");
  SweepSpill(folder_ / "spill");
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(other));
  EXPECT_TRUE(fs::exists(name));
}

// Of a lake that is made only after it was opened: each engine can spill then.
TEST_F(LeftoversTest, EveryEngineHasItsSpillFolder) {
  for (const bool apart : {false, true}) {
    LakeOptions options;
    options.location = (folder_ / (apart ? "apart" : "together")).string();
    options.upkeep_apart = apart;
    SystemClock clock;
    const auto lake = *Lake::Open(options, clock, random_);
    ASSERT_TRUE(lake->CreateMissingTables());
    lake->SweepLeftovers();
    const auto of_lake = fs::directory_iterator(fs::path(options.location) / "_vitalake");
    EXPECT_EQ(std::ranges::count_if(of_lake,
                                    [](const fs::directory_entry& entry) {
                                      return entry.path().filename().string().starts_with("spill-");
                                    }),
              apart ? 2 : 1);
  }
}

}  // namespace
}  // namespace vitalake::lake
