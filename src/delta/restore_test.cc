#include "delta/restore.h"

#include "delta/table_fixture.h"

namespace vitalake::delta {
namespace {

class RestoreTest : public TableTest {
 protected:
  void SetUp() override {
    table = OpenTable();
    Create(*table);
    Append(*table, "a");
    Append(*table, "b");
    Transaction tx(*table, table->Latest().value());
    tx.Remove("a");
    tx.Add(DataFile("c"));
    tx.SetTxn("batch/1", 0);
    tx.SetTxn("phone/readings/0/1", 70);
    MustCommit(tx.Commit());
  }
  RestorePlan Plan(int64_t version) {
    auto plan = PlanRestore(*table, Version{version});
    if (!plan) throw std::runtime_error(plan.error().ToString());
    return *std::move(plan);
  }

  std::unique_ptr<Table> table;
};

TEST_F(RestoreTest, ANewVersionHasTheFilesOfTheOldOne) {
  const RestorePlan plan = Plan(2);
  EXPECT_FALSE(plan.IsEmpty());
  const Committed done = MustCommit(CommitRestore(*table, plan, Positions::kKeep));
  EXPECT_EQ(done.version, Version{4});
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()), testing::UnorderedElementsAre("a", "b"));
  // The versions between are still there to read.
  EXPECT_THAT(PathsOf(*OpenTable()->At(Version{3}).value()),
              testing::UnorderedElementsAre("b", "c"));
  EXPECT_EQ(table->History(1)->front().operation, "RESTORE");
  EXPECT_TRUE(Plan(2).IsEmpty());
}

TEST_F(RestoreTest, TheChangeFeedTellsOfIt) {
  MustCommit(CommitRestore(*table, Plan(2), Positions::kKeep));
  const auto changes = table->Changes(Version{4}, Version{4});
  ASSERT_TRUE(changes) << changes.error().ToString();
  std::vector<std::string> told;
  for (const ChangeFile& file : *changes) {
    told.push_back((file.kind == ChangeKind::kDelete ? "-" : "+") + file.path);
  }
  EXPECT_THAT(told, testing::UnorderedElementsAre("-c", "+a"));
}

TEST_F(RestoreTest, PositionsAreNamedAndGoBackWhenAsked) {
  const RestorePlan plan = Plan(2);
  ASSERT_EQ(plan.moved.size(), 2u);
  EXPECT_EQ(plan.moved[0].app_id, "batch/1");
  EXPECT_EQ(plan.moved[0].then, std::nullopt);
  EXPECT_EQ(plan.moved[1].now, 70);
  MustCommit(CommitRestore(*table, plan, Positions::kRewind));
  const SnapshotPtr after = OpenTable()->Latest().value();
  EXPECT_EQ(after->FindTxn("batch/1"), -1);
  EXPECT_EQ(after->FindTxn("phone/readings/0/1"), 0);
}

TEST_F(RestoreTest, PositionsStayOtherwise) {
  MustCommit(CommitRestore(*table, Plan(2), Positions::kKeep));
  EXPECT_EQ(table->Latest().value()->FindTxn("phone/readings/0/1"), 70);
}

TEST_F(RestoreTest, SchemaAndPropertiesComeBack) {
  Transaction tx(*table, table->Latest().value());
  Metadata metadata = table->Latest().value()->metadata();
  metadata.configuration["delta.checkpointInterval"] = "7";
  tx.SetMetadata(metadata);
  MustCommit(tx.Commit());
  EXPECT_TRUE(Plan(3).metadata_differs);
  MustCommit(CommitRestore(*table, Plan(3), Positions::kKeep));
  EXPECT_EQ(table->Latest().value()->checkpoint_interval(), 10);
}

TEST_F(RestoreTest, FilesThatAreGoneAreNamed) {
  ASSERT_TRUE(memory.Delete("silver/patient/a"));
  const auto plan = PlanRestore(*table, Version{2});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(plan.error().message, testing::HasSubstr("1 of its files is gone"));
  EXPECT_THAT(plan.error().message, testing::HasSubstr(": a;"));
}

TEST_F(RestoreTest, AFileCutShortIsAsGoodAsGone) {
  ASSERT_TRUE(memory.Put("silver/patient/a", "r"));
  EXPECT_FALSE(PlanRestore(*table, Version{2}));
}

TEST_F(RestoreTest, AnyCommitMadeMeanwhileWins) {
  const RestorePlan plan = Plan(2);
  Append(*OpenTable(), "d");
  MustConflict(CommitRestore(*table, plan, Positions::kKeep));
  EXPECT_THAT(PathsOf(*OpenTable()->Latest().value()),
              testing::UnorderedElementsAre("b", "c", "d"));
}

TEST_F(RestoreTest, AVersionThatIsNotThereIsNotFound) {
  const auto plan = PlanRestore(*table, Version{9});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace vitalake::delta
