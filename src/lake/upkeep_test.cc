#include "lake/upkeep.h"

#include "lake/gold.h"
#include "lake/upsert_fixture.h"

namespace vitalake::lake {
namespace {

class UpkeepTest : public UpsertFixture {
 protected:
  UpkeepTable Target(Lake& lake) {
    return {**lake.OpenTable(view_.table), *lake.Spec(view_.table)};
  }
  std::vector<std::string> Findings() {
    std::vector<std::string> texts;
    auto fresh = OpenLake(*local_);
    const auto sound = Verify(*fresh, Target(*fresh));
    EXPECT_TRUE(sound) << sound.error().ToString();
    for (const delta::Finding& finding : sound->findings) {
      texts.push_back(finding.check + " " + finding.place + ": " + finding.message);
    }
    return texts;
  }
  // Commits a copy of the table's file under another name: every key is there twice then.
  void AppendTwice() {
    delta::Table& table = **ours_->OpenTable(view_.table);
    const auto snapshot = table.Latest();
    delta::AddFile add = *(*snapshot)->files()[0];
    const auto bytes = local_->Read("silver/observation/" + add.path);
    add.path = "twice.parquet";
    ASSERT_TRUE(local_->Put("silver/observation/twice.parquet", *bytes));
    delta::Transaction tx(table, *snapshot);
    tx.Add(add);
    tx.ReadNothing();
    ASSERT_TRUE(tx.Commit());
  }
};

TEST_F(UpkeepTest, ATableOfUpsertsIsSound) {
  Upsert(*ours_, {{"a"}, {"b"}, {"c"}});
  Upsert(*ours_, {{"a", 2, "p", "leg"}, {"d"}});
  Upsert(*ours_, {{"b", 2, "q"}});
  EXPECT_THAT(Findings(), testing::IsEmpty());
  const auto sound = Verify(*ours_, Target(*ours_));
  EXPECT_TRUE(sound->key_checked);
  EXPECT_EQ(sound->log.changes.size(), 2u);
}

TEST_F(UpkeepTest, AKeyThatIsThereTwiceIsFound) {
  Upsert(*ours_, {{"a"}});
  AppendTwice();
  const auto findings = Findings();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0], testing::StartsWith("key ('', 'a'): 2 rows have it"));
}

TEST_F(UpkeepTest, VacuumWaitsForGold) {
  Upsert(*ours_, {{"a"}, {"b"}});
  ASSERT_TRUE(RefreshGold(*ours_));
  Upsert(*ours_, {{"a", 2, "p", "leg"}});
  const auto held = PlanVacuum(*ours_, Target(*ours_), 0);
  ASSERT_TRUE(held) << held.error().ToString();
  EXPECT_EQ(held->plan.kept_for_feed, 1);  // the change rows; the old file is no part of the feed
  ASSERT_FALSE(held->consumers.empty());
  EXPECT_EQ(held->consumers[0].seen.value, 1);
  ASSERT_EQ(held->plan.files.size(), 1u);
  EXPECT_EQ(held->plan.files[0].kind, delta::GarbageKind::kRemoved);

  ASSERT_TRUE(RefreshGold(*ours_));
  const auto free = PlanVacuum(*ours_, Target(*ours_), 0);
  EXPECT_EQ(free->plan.kept_for_feed, 0);
  EXPECT_EQ(free->plan.files.size(), 2u);
  const auto gone = Vacuum(*ours_, Target(*ours_), free->plan);
  ASSERT_TRUE(gone) << gone.error().ToString();
  EXPECT_EQ(gone->files.size(), 2u);
  EXPECT_EQ(Table(), "a 2 leg;b 1 arm;");
  EXPECT_THAT(Findings(), testing::IsEmpty());
  // Gold goes on as before.
  Upsert(*ours_, {{"b", 2, "p", "leg"}});
  EXPECT_TRUE(RefreshGold(*ours_));
}

TEST_F(UpkeepTest, WithoutGoldNothingIsHeldBack) {
  Upsert(*ours_, {{"a"}});
  Upsert(*ours_, {{"a", 2, "p", "leg"}});
  const auto view = PlanVacuum(*ours_, Target(*ours_), 0);
  EXPECT_TRUE(view->consumers.empty());
  EXPECT_EQ(view->plan.files.size(), 2u);
}

TEST_F(UpkeepTest, RestoredRowsAndPositions) {
  Upsert(*ours_, {{"a"}});                 // batch-1
  Upsert(*ours_, {{"a", 2, "p", "leg"}});  // batch-2
  const auto plan = delta::PlanRestore(**ours_->OpenTable(view_.table), Version{1});
  ASSERT_TRUE(plan) << plan.error().ToString();
  ASSERT_EQ(plan->moved.size(), 1u);
  EXPECT_EQ(plan->moved[0].app_id, "batch-2");
  const auto version = Restore(*ours_, Target(*ours_), *plan, delta::Positions::kRewind);
  ASSERT_TRUE(version) << version.error().ToString();
  EXPECT_EQ(version->value, 3);
  EXPECT_EQ(Table(), "a 1 arm;");
  EXPECT_THAT(Findings(), testing::IsEmpty());
  // The key index knows the file again.
  Upsert(*ours_, {{"a", 3, "p", "wrist"}});
  EXPECT_EQ(Table(), "a 3 wrist;");
}

TEST_F(UpkeepTest, GoldFollowsARestore) {
  Upsert(*ours_, {{"a"}});
  Upsert(*ours_, {{"b"}});
  ASSERT_TRUE(RefreshGold(*ours_));
  const auto plan = delta::PlanRestore(**ours_->OpenTable(view_.table), Version{1});
  ASSERT_TRUE(Restore(*ours_, Target(*ours_), *plan, delta::Positions::kRewind));
  const auto incremental = RefreshGold(*ours_);
  ASSERT_TRUE(incremental) << incremental.error().ToString();
  const auto full = RefreshGold(*ours_, /*full=*/true);
  ASSERT_TRUE(full) << full.error().ToString();
  for (const GoldResult& result : *full) {
    EXPECT_EQ(result.rows_inserted + result.rows_updated + result.rows_deleted, 0) << result.table;
  }
}

TEST_F(UpkeepTest, ACheckpointComesWhenTheSettingsSay) {
  LakeOptions options;
  options.location = folder_.string();
  options.threads = 1;
  options.maintain.checkpoint_every = 2;
  auto lake = *Lake::Over(*local_, options, clock_, random_);
  Upsert(*lake, {{"a"}});
  EXPECT_FALSE(std::filesystem::exists(
      Folder("silver/observation/_delta_log/00000000000000000001.checkpoint.parquet")));
  Upsert(*lake, {{"b"}});
  EXPECT_TRUE(std::filesystem::exists(
      Folder("silver/observation/_delta_log/00000000000000000002.checkpoint.parquet")));
}

}  // namespace
}  // namespace vitalake::lake
