#include "lake/compaction.h"

#include "lake/upsert_fixture.h"

namespace vitalake::lake {
namespace {

using storage::StoreCall;

class CompactionTest : public UpsertFixture {
 protected:
  // A file for each id, of a patient of its own.
  void AppendOneByOne(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) Upsert(*rival_, {{id, 1, "p-" + id}});
  }
  CompactionResult Compact(Lake& lake) {
    const UpkeepTable table{**lake.OpenTable(view_.table), *lake.Spec(view_.table)};
    auto result = lake::Compact(lake, table);
    EXPECT_TRUE(result) << result.error().ToString();
    return result.value_or(CompactionResult{});
  }
  size_t FileCount() { return (*rival_->Latest(view_.table))->files().size(); }
  // Files in the table's folder that are no part of its log.
  size_t FilesOnDisk() {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(Folder("silver/observation"))) {
      count += entry.path().extension() == ".parquet" ? 1 : 0;
    }
    return count;
  }
  std::vector<std::string> History() {
    std::vector<std::string> operations;
    const auto entries = (*rival_->OpenTable(view_.table))->History(100);
    for (const auto& entry : *entries) operations.push_back(entry.operation);
    return operations;
  }
};

TEST_F(CompactionTest, SmallFilesBecomeOneInTheTablesOrder) {
  AppendOneByOne({"c", "a", "b", "d"});
  const std::string before = Table();
  const CompactionResult result = Compact(*ours_);
  EXPECT_EQ(result.files_before, 4);
  EXPECT_EQ(result.files_after, 1);
  EXPECT_EQ(result.files_replaced, 4);
  EXPECT_EQ(result.files_written, 1);
  EXPECT_EQ(result.rows_moved, 4);
  EXPECT_EQ(result.version.value, 5);
  EXPECT_EQ(Table(), before);
  const auto snapshot = rival_->Latest(view_.table);
  ASSERT_EQ((*snapshot)->files().size(), 1u);
  EXPECT_EQ((*snapshot)->files()[0]->NumRecords(), 4);
  EXPECT_THAT((*snapshot)->files()[0]->stats, testing::HasSubstr(R"("patient_id":"p-a")"));
  EXPECT_THAT((*snapshot)->files()[0]->stats, testing::Not(testing::HasSubstr("body_site")));
  // Sorted by patient first.
  auto connection = rival_->engine().Connect();
  EXPECT_EQ(*connection->Scalar(fmt::format(
                "SELECT string_agg(id, '' ORDER BY file_row_number) FROM read_parquet({})",
                engine::QuotePath(folder_ / "silver/observation" / (*snapshot)->files()[0]->path))),
            "abcd");
  // A second time there is nothing to do, and nothing is committed.
  EXPECT_EQ(Compact(*ours_).version.value, 5);
}

TEST_F(CompactionTest, TheChangeFeedSaysNothing) {
  AppendOneByOne({"a", "b"});
  const Version version = Compact(*ours_).version;
  const auto changes = (*rival_->OpenTable(view_.table))->Changes(version, version);
  ASSERT_TRUE(changes) << changes.error().ToString();
  EXPECT_TRUE(changes->empty());
}

// As delta-rs#3047 had it: files that a checkpoint names came back beside their successors.
TEST_F(CompactionTest, OptimizeAfterACheckpointMultipliesNoFiles) {
  AppendOneByOne({"a", "b", "c"});
  ASSERT_TRUE((*ours_->OpenTable(view_.table))->Checkpoint(Version{3}));
  const std::string rows = Table();
  const Version version = Compact(*ours_).version;
  for (const bool with_checkpoint : {false, true}) {
    if (with_checkpoint) {
      ASSERT_TRUE((*ours_->OpenTable(view_.table))->Checkpoint(version));
    }
    const auto fresh = OpenLake(*local_);
    EXPECT_EQ((*fresh->Latest(view_.table))->files().size(), 1u);
    EXPECT_EQ(Table(), rows);
  }
}

TEST_F(CompactionTest, OldVersionsStayReadable) {
  AppendOneByOne({"a", "b", "c"});
  Compact(*ours_);
  auto session = OpenSqlSession(*rival_);
  auto rows = (*session)->Query("SELECT count(*) FROM silver.observation AT (VERSION => 2)");
  ASSERT_TRUE(rows) << rows.error().ToString();
  ASSERT_TRUE(*rows->Next());
  EXPECT_EQ(rows->GetInt64(0), 2);
}

TEST_F(CompactionTest, UpsertsGoOnByTheKeyIndex) {
  AppendOneByOne({"a", "b", "c"});
  Upsert(*rival_, {{"b", 2, "p-b", "leg"}});
  Compact(*ours_);
  Upsert(*rival_, {{"b", 3, "p-b", "wrist"}, {"d", 1, "p-d"}, {"a", 1, "p-a"}});
  EXPECT_EQ(Table(), "a 1 arm;b 3 wrist;c 1 arm;d 1 arm;");
  Compact(*ours_);
  // Of the files that were replaced no index stays.
  const auto snapshot = rival_->Latest(view_.table);
  for (const auto& entry :
       std::filesystem::directory_iterator(Folder("_vitalake/index/silver.observation"))) {
    EXPECT_TRUE((*snapshot)->FindFile(entry.path().stem().string())) << entry.path();
  }
}

TEST_F(CompactionTest, GivesWayToAMergeThatReplacedItsFiles) {
  AppendOneByOne({"a", "b", "c"});
  store_->Before(
      store_->calls(StoreCall::kPutIfAbsent) + 1,
      [&] { Upsert(*rival_, {{"b", 2, "p-b", "theirs"}}); }, StoreCall::kPutIfAbsent);
  const CompactionResult result = Compact(*ours_);
  EXPECT_EQ(Table(), "a 1 arm;b 2 theirs;c 1 arm;");
  EXPECT_GE(result.groups_given_way, 1);
  // Three files that go together are left, and the next round takes them.
  store_->ClearFaults();
  Compact(*ours_);
  EXPECT_EQ(Table(), "a 1 arm;b 2 theirs;c 1 arm;");
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(CompactionTest, NothingIsLeftOfWhatGaveWay) {
  AppendOneByOne({"a", "b"});
  store_->Before(
      store_->calls(StoreCall::kPutIfAbsent) + 1,
      [&] { Upsert(*rival_, {{"a", 2, "p-a", "x"}, {"b", 2, "p-b", "x"}}); },
      StoreCall::kPutIfAbsent);
  EXPECT_EQ(Compact(*ours_).groups_given_way, 1);
  EXPECT_EQ(FilesOnDisk(), 4u);  // two old ones, and the rival's
  EXPECT_EQ(Table(), "a 2 x;b 2 x;");
}

TEST_F(CompactionTest, AnAppendMeanwhileIsNotDisturbedAndDoesNotDisturb) {
  AppendOneByOne({"a", "b"});
  store_->Before(
      store_->calls(StoreCall::kPutIfAbsent) + 1, [&] { Upsert(*rival_, {{"x", 1, "p"}}); },
      StoreCall::kPutIfAbsent);
  const CompactionResult result = Compact(*ours_);
  EXPECT_EQ(result.groups_given_way, 0);
  EXPECT_EQ(Table(), "a 1 arm;b 1 arm;x 1 arm;");
}

TEST_F(CompactionTest, AMergeThatLosesToACompactionIsDoneAgain) {
  AppendOneByOne({"a", "b", "c"});
  store_->Before(
      store_->calls(StoreCall::kPutIfAbsent) + 1, [&] { Compact(*rival_); },
      StoreCall::kPutIfAbsent);
  const UpsertResult result = Upsert(*ours_, {{"b", 2, "p-b", "ours"}, {"d", 1, "p-d"}});
  EXPECT_EQ(result.rows_updated, 1);
  EXPECT_EQ(result.rows_inserted, 1);
  EXPECT_EQ(Table(), "a 1 arm;b 2 ours;c 1 arm;d 1 arm;");
  EXPECT_THAT(History(), testing::IsSupersetOf({"MERGE", "OPTIMIZE"}));
}

TEST_F(CompactionTest, AnAppendThatLosesToACompactionGoesOnTop) {
  AppendOneByOne({"a", "b"});
  store_->ResetCounts();
  store_->Before(1, [&] { Compact(*rival_); }, StoreCall::kPutIfAbsent);
  EXPECT_EQ(Upsert(*ours_, {{"c", 1, "p-c"}}).version.value, 4);
  EXPECT_EQ(store_->calls(StoreCall::kPutFile), 1);  // not staged twice
  EXPECT_EQ(Table(), "a 1 arm;b 1 arm;c 1 arm;");
}

// Whatever call to the store fails, the rows stay, and a later run ends the work.
TEST_F(CompactionTest, AFaultAtAnyCallLosesNoRow) {
  AppendOneByOne({"a", "b"});
  const UpkeepTable table{**ours_->OpenTable(view_.table), *ours_->Spec(view_.table)};
  for (int64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 100);
    if (FileCount() == 1) AppendOneByOne({fmt::format("c{:02}", nth)});
    const std::string rows = Table();
    store_->ResetCounts();
    store_->FailOnce(nth);
    const auto result = lake::Compact(*ours_, table);
    const bool met = store_->calls() >= nth;
    store_->ClearFaults();
    EXPECT_EQ(Table(), rows) << nth;
    if (!met) {
      ASSERT_TRUE(result) << result.error().ToString();
      break;
    }
  }
  EXPECT_EQ(FileCount(), 1u);
  EXPECT_EQ(Compact(*ours_).groups_given_way, 0);
}

TEST_F(CompactionTest, TablesWithMoreSmallFilesThanAllowedAreTaken) {
  AppendOneByOne({"a", "b", "c", "d"});
  LakeOptions options;
  options.location = folder_.string();
  options.threads = 1;
  options.maintain.small_files = 4;
  auto lake = *Lake::Over(*local_, options, clock_, random_);
  EXPECT_TRUE(CompactionRounds(*lake).Run()->empty());
  AppendOneByOne({"e"});
  std::vector<std::string> told;
  const auto done =
      CompactionRounds(*lake).Run({}, [&](const std::string& table) { told.push_back(table); });
  ASSERT_TRUE(done) << done.error().ToString();
  ASSERT_EQ(done->size(), 1u);
  EXPECT_EQ((*done)[0].table, "silver.observation");
  EXPECT_EQ((*done)[0].result.files_replaced, 5);
  EXPECT_THAT(told, testing::ElementsAre("silver.observation"));
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(CompactionTest, WhatNeverWinsIsLeftAloneForAWhile) {
  AppendOneByOne({"a", "b", "c"});
  LakeOptions options;
  options.location = folder_.string();
  options.threads = 1;
  options.maintain.small_files = 2;
  ManualClock clock(1);
  const auto lake = *Lake::Over(*store_, options, clock, random_);
  CompactionRounds rounds(*lake);
  int tries = 0;
  const auto run = [&](bool disturbed) {
    const auto done = rounds.Run({}, [&](const std::string&) {
      ++tries;
      if (!disturbed) return;
      store_->Before(
          store_->calls(StoreCall::kPutIfAbsent) + 1,
          [&] { Upsert(*rival_, {{"b", 1 + tries, "p-b", fmt::format("try {}", tries)}}); },
          StoreCall::kPutIfAbsent);
    });
    EXPECT_TRUE(done) << done.error().ToString();
    store_->ClearFaults();
  };
  constexpr Micros kMinute = 60'000'000;
  run(true);
  EXPECT_EQ(tries, 1);
  clock.Advance(kMinute - 1);
  run(true);
  EXPECT_EQ(tries, 1);
  clock.Advance(1);
  run(true);
  EXPECT_EQ(tries, 2);
  clock.Advance(2 * kMinute - 1);
  run(true);
  EXPECT_EQ(tries, 2);
  clock.Advance(1);
  run(false);
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(FileCount(), 1u);
  EXPECT_EQ(Table(), "a 1 arm;b 3 try 2;c 1 arm;");
}

TEST_F(CompactionTest, BetweenTwoCommitsOneGroupIsTaken) {
  AppendOneByOne({"a", "b", "c", "d", "e", "f"});
  const TableSpec& spec = **ours_->Spec(view_.table);
  ASSERT_TRUE(CompactGroupIfMore(*ours_, spec, 6, 3));
  EXPECT_EQ(FileCount(), 6u);
  ASSERT_TRUE(CompactGroupIfMore(*ours_, spec, 5, 3));
  EXPECT_EQ(FileCount(), 4u);  // of three rows, and three of one
  EXPECT_EQ(Table(), "a 1 arm;b 1 arm;c 1 arm;d 1 arm;e 1 arm;f 1 arm;");
}

// A stream would never let it end, and the growing file would be written anew each time.
TEST_F(CompactionTest, FilesThatComeMeanwhileAreLeftToTheNextOne) {
  AppendOneByOne({"a", "b", "c"});
  const UpkeepTable table{**ours_->OpenTable(view_.table), *ours_->Spec(view_.table)};
  int64_t groups = 0;
  const auto done = lake::Compact(*ours_, table, {}, [&](int64_t, int64_t) {
    if (++groups <= 5) AppendOneByOne({"n" + std::to_string(groups)});
  });
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(groups, 1);
  EXPECT_EQ(done->files_replaced, 3);
  EXPECT_EQ(FileCount(), 2u);
}

TEST_F(CompactionTest, TheTargetsOfTheSettingsHold) {
  AppendOneByOne({"a", "b", "c", "d", "e"});
  LakeOptions options;
  options.location = folder_.string();
  options.threads = 1;
  options.maintain.target_rows = 3;
  auto lake = *Lake::Over(*local_, options, clock_, random_);
  EXPECT_EQ(Compact(*lake).files_after, 2);
  EXPECT_EQ(FileCount(), 2u);
}

TEST_F(CompactionTest, WithLittleMemoryFilesStaySmaller) {
  LakeOptions options;
  options.location = folder_.string();
  options.threads = 1;
  for (const auto& [memory, as_set] :
       {std::pair(1'000'000'000, true), std::pair(128'000'000, false)}) {
    options.memory_bytes = memory;
    auto lake = *Lake::Over(*local_, options, clock_, random_);
    const UpkeepTable table{**lake->OpenTable(view_.table), *lake->Spec(view_.table)};
    const auto limits = LimitsOf(*lake, table, **lake->Latest(view_.table));
    EXPECT_EQ(limits.target_rows == 400'000, as_set) << limits.target_rows;
    EXPECT_GT(limits.target_rows, 50'000);
  }
}

}  // namespace
}  // namespace vitalake::lake
