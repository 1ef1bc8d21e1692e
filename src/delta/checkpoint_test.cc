// Checkpoints, and what reading does with good, bad and missing ones.
#include "delta/table_fixture.h"
#include "storage/faulty_store.h"

namespace vitalake::delta {
namespace {

using storage::StoreCall;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class CheckpointTest : public TableTest {
 protected:
  CheckpointTest() : table(OpenTable()) { Create(*table); }

  void AppendUpTo(int64_t last) {
    for (int64_t v = table->Latest().value()->version().value + 1; v <= last; ++v) {
      Append(*table, fmt::format("f{}", v));
    }
  }
  void DeleteCommits(int64_t first, int64_t last) {
    for (int64_t v = first; v <= last; ++v) DeleteLog(CommitName(v));
  }
  void ExpectFiles(size_t count) {
    const auto fresh = OpenTable()->Latest();
    ASSERT_TRUE(fresh) << fresh.error().ToString();
    EXPECT_THAT((*fresh)->files(), SizeIs(count));
  }
  std::string Hint() { return LogText("_last_checkpoint"); }

  std::unique_ptr<Table> table;
};

TEST_F(CheckpointTest, StandsForAllCommitsUpToIt) {
  AppendUpTo(3);
  Transaction tx(*table, table->Latest().value());
  tx.SetTxn("app", 5);
  tx.Remove("f1");
  MustCommit(tx.Commit());
  const SnapshotPtr before = OpenTable()->Latest().value();
  ASSERT_TRUE(table->Checkpoint(Version{4}));
  EXPECT_THAT(Hint(), testing::StartsWith(R"({"version":4,"size":6,"sizeInBytes":)"));
  EXPECT_THAT(Hint(), HasSubstr(R"("numOfAddFiles":2)"));
  DeleteCommits(0, 4);
  const SnapshotPtr after = OpenTable()->Latest().value();
  EXPECT_EQ(after->version(), Version{4});
  EXPECT_THAT(PathsOf(*after), ElementsAre("f2", "f3"));
  EXPECT_EQ(after->FindTxn("app"), 5);
  EXPECT_EQ(after->metadata(), before->metadata());
  EXPECT_EQ(after->protocol(), before->protocol());
  EXPECT_EQ(after->files()[0]->stats, before->files()[0]->stats);
}

TEST_F(CheckpointTest, HoldsStateAndUnexpiredTombstonesOnly) {
  AppendUpTo(2);
  Transaction old_one(*table, table->Latest().value());
  old_one.Remove("f1");
  MustCommit(old_one.Commit());  // 3
  clock.Advance(8 * 24 * 3600 * kSecond);
  Transaction young(*table, table->Latest().value());
  young.Remove("f2");
  young.Add(DataFile("g"));
  young.AddCdc(ChangeFileOf("c"));
  MustCommit(young.Commit());  // 4
  ASSERT_TRUE(table->Checkpoint(Version{4}));
  const std::string text = LogText(CheckpointName(4));
  EXPECT_THAT(text, HasSubstr(R"({"remove":{"path":"f2",)"));
  EXPECT_THAT(text, Not(HasSubstr("f1")));  // removed more than a week ago
  EXPECT_THAT(text, HasSubstr(R"({"add":{"path":"g",)"));
  EXPECT_THAT(text, Not(HasSubstr(R"("dataChange":true)")));
  EXPECT_THAT(text, Not(HasSubstr("commitInfo")));
  EXPECT_THAT(text, Not(HasSubstr("cdc")));
  // protocol, metaData, one tombstone, one file
  EXPECT_THAT(text, testing::EndsWith("PAR1 4\n"));
}

TEST_F(CheckpointTest, TombstonesSurviveTheNextCheckpoint) {
  AppendUpTo(1);
  Transaction tx(*table, table->Latest().value());
  tx.Remove("f1");
  MustCommit(tx.Commit());
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  DeleteCommits(0, 2);
  AppendUpTo(3);
  ASSERT_TRUE(table->Checkpoint(Version{3}));
  EXPECT_THAT(LogText(CheckpointName(3)), HasSubstr(R"({"remove":{"path":"f1",)"));
}

TEST_F(CheckpointTest, RetentionIsTheTablesOwn) {
  Metadata metadata = table->Latest().value()->metadata();
  metadata.configuration["delta.deletedFileRetentionDuration"] = "interval 2 hours";
  Transaction set(*table, table->Latest().value());
  set.SetMetadata(metadata);
  set.Add(DataFile("f1"));
  MustCommit(set.Commit());
  Transaction tx(*table, table->Latest().value());
  tx.Remove("f1");
  MustCommit(tx.Commit());
  clock.Advance(3 * 3600 * kSecond);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  EXPECT_THAT(LogText(CheckpointName(2)), Not(HasSubstr("f1")));
}

TEST_F(CheckpointTest, OfAnOlderVersionLeavesTheHintAlone) {
  AppendUpTo(3);
  ASSERT_TRUE(table->Checkpoint(Version{3}));
  const std::string hint = Hint();
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  EXPECT_EQ(Hint(), hint);
  EXPECT_NE(LogText(CheckpointName(2)), "");
  EXPECT_EQ(table->Checkpoint(Version{9}).error().kind, ErrorKind::kNotFound);
}

TEST_F(CheckpointTest, IsWrittenOnce) {
  AppendUpTo(1);
  ASSERT_TRUE(table->Checkpoint(Version{1}));
  const std::string text = LogText(CheckpointName(1));
  clock.Advance(30 * 24 * 3600 * kSecond);
  ASSERT_TRUE(table->Checkpoint(Version{1}));
  EXPECT_EQ(LogText(CheckpointName(1)), text);
}

TEST_F(CheckpointTest, LosingTheRaceForItIsFine) {
  AppendUpTo(1);
  storage::FaultyStore store(memory);
  store.Before(1, [this] { ASSERT_TRUE(table->Checkpoint(Version{1})); }, StoreCall::kPutFile);
  const auto late = Table::Open(MakeEnvironment(store), std::string(kRoot));
  EXPECT_TRUE(late->Checkpoint(Version{1}));
  ExpectFiles(1);
  // Nothing is left behind in the staging folder.
  EXPECT_TRUE(std::filesystem::is_empty(memory.StagingFolder().value()));
}

// -- failures that broke other engines
// ----------------------------------------------------------------

TEST_F(CheckpointTest, KilledBetweenCheckpointAndHint) {  // delta-rs#2258
  AppendUpTo(2);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  DeleteLog("_last_checkpoint");
  DeleteCommits(0, 1);
  AppendUpTo(4);
  ExpectFiles(4);
  ASSERT_TRUE(table->Checkpoint(Version{4}));
  EXPECT_THAT(Hint(), HasSubstr(R"("version":4)"));
}

TEST_F(CheckpointTest, InterleavedHintsDoNoHarm) {  // delta#5272
  AppendUpTo(2);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  const std::string older = Hint();
  AppendUpTo(4);
  ASSERT_TRUE(table->Checkpoint(Version{4}));
  const std::string newer = Hint();
  DeleteCommits(0, 3);
  PutLog("_last_checkpoint", older);  // the slower writer came last
  ExpectFiles(4);
  PutLog("_last_checkpoint", older.substr(0, 20) + newer.substr(10));  // mixed
  ExpectFiles(4);
  for (size_t size = 0; size < newer.size(); ++size) {  // torn
    PutLog("_last_checkpoint", newer.substr(0, size));
    ExpectFiles(4);
  }
}

TEST_F(CheckpointTest, ReadErrorLeavesNoShortCheckpoint) {  // delta#7174
  AppendUpTo(5);
  storage::FaultyStore store(memory);
  const auto broken = Table::Open(MakeEnvironment(store), std::string(kRoot));
  // Read 1 is the hint, 2 to 7 are the commits.
  for (int nth = 2; nth <= 7; ++nth) {
    store.ClearFaults();
    store.ResetCounts();
    store.Add({.nth = nth, .call = StoreCall::kRead});
    ASSERT_FALSE(broken->Checkpoint(Version{5})) << nth;
    EXPECT_EQ(LogText(CheckpointName(5)), "");
  }
  // And a writer that lost an action on the way is found out by reading back.
  parquet.lose_last_row = true;
  const Status short_one = table->Checkpoint(Version{5});
  ASSERT_FALSE(short_one);
  EXPECT_EQ(short_one.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(LogText(CheckpointName(5)), "");
  EXPECT_EQ(Hint(), "");
}

TEST_F(CheckpointTest, CorruptCheckpointFallsBackToCommits) {  // delta#5458
  AppendUpTo(4);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  ASSERT_TRUE(table->Checkpoint(Version{4}));
  const std::string good = LogText(CheckpointName(4));
  for (const std::string& bad :
       {std::string(), std::string("PAR1"), good.substr(0, good.size() / 2),
        good.substr(0, good.size() - 2)}) {
    PutLog(CheckpointName(4), bad);
    ExpectFiles(4);  // by the checkpoint of version 2
  }
  PutLog(CheckpointName(2), "PAR1");
  ExpectFiles(4);  // by the commits alone
  DeleteCommits(0, 1);
  const auto lost = OpenTable()->Latest();
  ASSERT_FALSE(lost);  // neither: said, not guessed
  EXPECT_EQ(lost.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(lost.error().ToString(), HasSubstr("not a checkpoint"));
}

TEST_F(CheckpointTest, ReadableCheckpointWithoutMetadataIsRefused) {
  AppendUpTo(1);
  PutLog(CheckpointName(1), R"J(PAR1
{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
PAR1 1
)J");
  const auto latest = OpenTable()->Latest();
  ASSERT_FALSE(latest);
  EXPECT_THAT(latest.error().ToString(), HasSubstr("no metaData"));
}

TEST_F(CheckpointTest, SingleAndMultiPartAtOneVersion) {  // delta-rs#2643
  AppendUpTo(2);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  const std::string whole = LogText(CheckpointName(2));
  // protocol + metaData + f1, and f2
  const size_t cut = whole.rfind("{\"add\"");
  PutLog("00000000000000000002.checkpoint.0000000001.0000000002.parquet",
         whole.substr(0, cut) + "PAR1 3\n");
  PutLog("00000000000000000002.checkpoint.0000000002.0000000002.parquet",
         "PAR1\n" + whole.substr(cut, whole.rfind("PAR1") - cut) + "PAR1 1\n");
  DeleteCommits(0, 1);
  ExpectFiles(2);
  DeleteLog(CheckpointName(2));
  ExpectFiles(2);  // by the parts alone
  PutLog(CheckpointName(2), "PAR1");
  ExpectFiles(2);  // the parts stand in for the broken one
  DeleteLog(CheckpointName(2));
  DeleteLog("00000000000000000002.checkpoint.0000000002.0000000002.parquet");
  EXPECT_EQ(OpenTable()->Latest().error().kind, ErrorKind::kCorrupt);  // a part is missing
}

TEST_F(CheckpointTest, StaleHintNamingADeletedCheckpoint) {  // delta#6495
  AppendUpTo(2);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  AppendUpTo(3);
  DeleteLog(CheckpointName(2));
  ExpectFiles(3);
  PutLog("_last_checkpoint", R"({"version":999,"size":1})");
  ExpectFiles(3);
}

TEST_F(CheckpointTest, ReadingRacesWithLogCleanUp) {  // delta#1351
  AppendUpTo(6);
  storage::FaultyStore store(memory);
  // After the listing and the first commits, another process checkpoints and cleans up.
  store.Before(
      5,
      [this] {
        ASSERT_TRUE(table->Checkpoint(Version{6}));
        DeleteCommits(0, 5);
      },
      StoreCall::kRead);
  const auto reader = Table::Open(MakeEnvironment(store), std::string(kRoot));
  const auto latest = reader->Latest();
  ASSERT_TRUE(latest) << latest.error().ToString();
  EXPECT_THAT((*latest)->files(), SizeIs(6));
}

TEST_F(CheckpointTest, CheckpointRacesWithLogCleanUp) {  // delta#1351
  AppendUpTo(4);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  storage::FaultyStore store(memory);
  store.Before(
      2,
      [this] {
        ASSERT_TRUE(table->Checkpoint(Version{4}));
        DeleteLog(CheckpointName(2));
        DeleteCommits(0, 3);
      },
      StoreCall::kRead);
  const auto other = Table::Open(MakeEnvironment(store), std::string(kRoot));
  EXPECT_TRUE(other->Checkpoint(Version{4}));
  ExpectFiles(4);
}

TEST_F(CheckpointTest, OptimizeAfterCheckpointKeepsOneOfEachFile) {  // delta-rs#3047
  AppendUpTo(3);
  ASSERT_TRUE(table->Checkpoint(Version{3}));
  const auto fresh = OpenTable();
  Transaction optimize(*fresh, fresh->Latest().value());
  for (const auto* path : {"f1", "f2", "f3"}) optimize.Remove(path, /*data_change=*/false);
  AddFile packed = DataFile("packed", 3);
  packed.data_change = false;
  optimize.Add(packed);
  MustCommit(optimize.Commit());
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("packed"));
  ASSERT_TRUE(OpenTable()->Checkpoint(Version{4}));
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("packed"));
}

TEST_F(CheckpointTest, OverwriteAfterCheckpointLeavesNoOldRows) {  // delta-rs#3030
  AppendUpTo(2);
  ASSERT_TRUE(table->Checkpoint(Version{2}));
  DeleteCommits(0, 2);
  const auto fresh = OpenTable();
  Transaction overwrite(*fresh, fresh->Latest().value());
  const std::vector<std::string> old_paths = PathsOf(*overwrite.snapshot());
  for (const std::string& path : old_paths) overwrite.Remove(path);
  overwrite.Add(DataFile("new"));
  EXPECT_THAT(PathsOf(*MustCommit(overwrite.Commit()).snapshot), ElementsAre("new"));
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), ElementsAre("new"));
}

TEST_F(CheckpointTest, ListingThatMissesACommitIsNotAGap) {
  AppendUpTo(3);
  // Version 2 vanishes from the first listing only, as with a listing that races with writers.
  const std::string text = LogText(CommitName(2));
  DeleteLog(CommitName(2));
  storage::FaultyStore store(memory);
  store.Before(2, [&] { PutLog(CommitName(2), text); }, StoreCall::kList);
  const auto reader = Table::Open(MakeEnvironment(store), std::string(kRoot));
  EXPECT_EQ(reader->Latest().value()->version(), Version{3});
}

TEST_F(CheckpointTest, VersionsBelowTheOldestCheckpointAreGone) {
  AppendUpTo(4);
  ASSERT_TRUE(table->Checkpoint(Version{3}));
  DeleteCommits(0, 2);
  const auto fresh = OpenTable();
  EXPECT_EQ(fresh->At(Version{2}).error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(fresh->At(Version{3}).value()->files(), SizeIs(3));
  EXPECT_THAT(fresh->At(Version{4}).value()->files(), SizeIs(4));
  EXPECT_THAT(fresh->History(10).value(), SizeIs(2));
}

TEST_F(CheckpointTest, V2CheckpointsAreRefusedByName) {
  AppendUpTo(1);
  ASSERT_TRUE(table->Checkpoint(Version{1}));
  const std::string text = LogText(CheckpointName(1));
  DeleteLog(CheckpointName(1));
  DeleteCommits(0, 1);
  PutLog("00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet", text);
  const auto by_name = OpenTable()->Latest();
  ASSERT_FALSE(by_name);
  EXPECT_EQ(by_name.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(by_name.error().ToString(), HasSubstr("v2Checkpoint"));
  PutLog(CheckpointName(1), "PAR1\n{\"checkpointMetadata\":{\"version\":1}}\nPAR1 1\n");
  EXPECT_THAT(OpenTable()->Latest().error().ToString(), HasSubstr("v2Checkpoint"));
}

}  // namespace
}  // namespace vitalake::delta
