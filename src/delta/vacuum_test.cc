#include "delta/vacuum.h"

#include "delta/restore.h"
#include "delta/table_fixture.h"
#include "storage/faulty_store.h"

namespace vitalake::delta {
namespace {

constexpr Micros kHour = 3600 * kSecond;

class VacuumTest : public TableTest {
 protected:
  void SetUp() override {
    table = OpenTable();
    Create(*table);
  }

  // Replaces `old` by `path`, with change rows in `changes`.
  void Replace(const std::string& old, std::string path, std::string changes = "") {
    clock.Advance(kSecond);
    Transaction tx(*table, table->Latest().value());
    tx.Remove(old);
    tx.Add(DataFile(std::move(path)));
    if (!changes.empty()) tx.AddCdc(ChangeFileOf(std::move(changes)));
    MustCommit(tx.Commit());
  }

  // What a vacuum that keeps `retain` would delete: "path kind" each.
  std::vector<std::string> Plan(Micros retain, std::optional<Version> feed_seen = std::nullopt) {
    auto plan = PlanVacuum(*table, {clock.NowMicros() - retain, feed_seen});
    EXPECT_TRUE(plan) << plan.error().ToString();
    std::vector<std::string> out;
    int64_t bytes = 0;
    for (const Garbage& file : plan->files) {
      out.push_back(fmt::format("{} {}", file.path, ToString(file.kind)));
      bytes += file.size_bytes;
    }
    EXPECT_EQ(bytes, plan->size_bytes);
    kept_for_feed = plan->kept_for_feed;
    return out;
  }

  // Every file of the newest version is there.
  void ExpectWhole() {
    const SnapshotPtr latest = OpenTable()->Latest().value();
    for (const AddFilePtr& file : latest->files()) {
      EXPECT_TRUE(memory.Head("silver/patient/" + file->path)) << file->path;
    }
  }

  std::unique_ptr<Table> table;
  int64_t kept_for_feed = 0;
};

TEST_F(VacuumTest, WhatLeftLongAgoGoesWithItsChangeRows) {
  Append(*table, "a.parquet");
  Append(*table, "b.parquet");
  Replace("a.parquet", "c.parquet", "changed.parquet");
  clock.Advance(10 * kHour);
  Replace("b.parquet", "d.parquet", "later.parquet");
  clock.Advance(kHour);
  EXPECT_THAT(Plan(2 * kHour),
              testing::ElementsAre("_change_data/changed.parquet changes", "a.parquet removed"));
  EXPECT_THAT(Plan(0), testing::ElementsAre("_change_data/changed.parquet changes",
                                            "_change_data/later.parquet changes",
                                            "a.parquet removed", "b.parquet removed"));
  EXPECT_THAT(Plan(20 * kHour), testing::IsEmpty());
}

TEST_F(VacuumTest, FilesNobodyNamesGoOnceTheyAreOldAndAnHourAtLeast) {
  Append(*table, "a.parquet");
  DataFile("lost.parquet");
  ChangeFileOf("lost.parquet");
  EXPECT_THAT(Plan(0), testing::IsEmpty());
  clock.Advance(2 * kHour);
  EXPECT_THAT(Plan(3 * kHour), testing::IsEmpty());
  EXPECT_THAT(Plan(0),
              testing::ElementsAre("_change_data/lost.parquet changes", "lost.parquet orphan"));
}

TEST_F(VacuumTest, OnlyParquetFilesOutsideHiddenFolders) {
  Append(*table, "a.parquet");
  for (const char* path : {"_delta_log/00000000000000000009.checkpoint.parquet", "_x/y.parquet",
                           ".hidden.parquet", "_metadata.parquet", "notes.txt", "p/_q/r.parquet",
                           "_day=1/in_partition.parquet", "day=2/in_partition.parquet"}) {
    DataFile(path);
  }
  clock.Advance(2 * kHour);
  EXPECT_THAT(Plan(0), testing::ElementsAre("_day=1/in_partition.parquet orphan",
                                            "day=2/in_partition.parquet orphan"));
}

TEST_F(VacuumTest, TombstonesInACheckpointCount) {
  Append(*table, "a.parquet");
  Replace("a.parquet", "b.parquet");
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  for (int64_t version = 0; version < 2; ++version) DeleteLog(CommitName(version));
  clock.Advance(5 * kHour);
  EXPECT_THAT(Plan(6 * kHour), testing::IsEmpty());
  EXPECT_THAT(Plan(kHour), testing::ElementsAre("a.parquet removed"));
}

// A checkpoint forgets tombstones after the table's own retention; the commits still tell.
TEST_F(VacuumTest, ALongerRetentionThanTheTablesIsKept) {
  Append(*table, "a.parquet");
  clock.Advance(40 * 24 * kHour);
  Replace("a.parquet", "b.parquet");
  clock.Advance(10 * 24 * kHour);
  Append(*table, "c.parquet");
  ASSERT_TRUE(table->Checkpoint(Version{3}));
  EXPECT_THAT(Plan(30 * 24 * kHour), testing::IsEmpty());
  EXPECT_THAT(Plan(7 * 24 * kHour), testing::ElementsAre("a.parquet removed"));
}

TEST_F(VacuumTest, StopsAtTheSlowestConsumerOfTheChangeFeed) {
  Append(*table, "a.parquet");                         // 1
  Replace("a.parquet", "b.parquet", "first.parquet");  // 2
  Replace("b.parquet", "c.parquet");                   // 3: whole files are its feed
  Replace("c.parquet", "d.parquet", "third.parquet");  // 4
  clock.Advance(2 * kHour);
  EXPECT_THAT(Plan(kHour, Version{4}),
              testing::ElementsAre("_change_data/first.parquet changes",
                                   "_change_data/third.parquet changes", "a.parquet removed",
                                   "b.parquet removed", "c.parquet removed"));
  EXPECT_EQ(kept_for_feed, 0);
  EXPECT_THAT(Plan(kHour, Version{2}),
              testing::ElementsAre("_change_data/first.parquet changes", "a.parquet removed"));
  EXPECT_EQ(kept_for_feed, 3);  // b, c and the change file of version 4
  // One that has to read everything anew holds nothing back.
  ASSERT_TRUE(table->Checkpoint(Version{4}));
  for (const int64_t version : {0, 1}) DeleteLog(CommitName(version));
  EXPECT_EQ(Plan(kHour, Version{0}).size(), 5u);
}

TEST_F(VacuumTest, DeletesWhatWasPlannedAndNothingThatIsNamedAgain) {
  Append(*table, "a.parquet");
  Append(*table, "b.parquet");
  Replace("a.parquet", "c.parquet", "changed.parquet");
  Replace("b.parquet", "d.parquet");
  clock.Advance(2 * kHour);
  const auto plan = PlanVacuum(*table, {clock.NowMicros() - kHour, std::nullopt});
  ASSERT_EQ(plan->files.size(), 3u);
  // Somebody restores version 3 before the files go: b is in it.
  const auto rival = OpenTable();
  const auto restore = PlanRestore(*rival, Version{3});
  ASSERT_TRUE(restore) << restore.error().ToString();
  MustCommit(CommitRestore(*rival, *restore, Positions::kKeep));
  size_t calls = 0;
  const auto gone = DeleteGarbage(*table, *plan, {}, [&](size_t) { ++calls; });
  ASSERT_TRUE(gone) << gone.error().ToString();
  EXPECT_EQ(gone->files.size(), 2u);
  EXPECT_EQ(calls, 1u);
  EXPECT_FALSE(memory.Head("silver/patient/a.parquet"));
  EXPECT_FALSE(memory.Head("silver/patient/_change_data/changed.parquet"));
  EXPECT_TRUE(memory.Head("silver/patient/b.parquet"));
  ExpectWhole();
}

TEST_F(VacuumTest, RefusesATableThatHasAnotherInside) {
  Append(*table, "a.parquet");
  ASSERT_TRUE(memory.Put("silver/patient/x/_delta_log/00000000000000000000.json", "{}"));
  const auto plan = PlanVacuum(*table, {clock.NowMicros(), std::nullopt});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(plan.error().message, testing::HasSubstr("x/_delta_log"));
}

TEST_F(VacuumTest, RefusesAbsolutePaths) {
  PutLog(CommitName(1),
         R"({"add":{"path":"file:///elsewhere/a.parquet","partitionValues":{},"size":1,)"
         R"("modificationTime":1,"dataChange":true}})");
  const auto plan = PlanVacuum(*table, {clock.NowMicros(), std::nullopt});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(plan.error().message, testing::HasSubstr("/elsewhere/a.parquet"));
}

// Whatever call fails, no file of the newest version goes, and the next vacuum ends the work.
TEST_F(VacuumTest, AFaultAtAnyCallDeletesNothingNeeded) {
  Append(*table, "a.parquet");
  Append(*table, "b.parquet");
  Replace("a.parquet", "c.parquet", "changed.parquet");
  Replace("b.parquet", "d.parquet");
  clock.Advance(2 * kHour);
  for (int64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 100);
    storage::FaultyStore store(memory);
    store.FailFrom(nth);
    const auto shaky = Table::Open(MakeEnvironment(store), std::string(kRoot));
    const auto plan = PlanVacuum(*shaky, {clock.NowMicros() - kHour, std::nullopt});
    const auto gone = plan ? DeleteGarbage(*shaky, *plan) : plan;
    ExpectWhole();
    if (gone) break;
  }
  EXPECT_THAT(Plan(kHour), testing::IsEmpty());
}

}  // namespace
}  // namespace vitalake::delta
