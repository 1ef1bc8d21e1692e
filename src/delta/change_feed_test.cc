#include "delta/table_fixture.h"

namespace vitalake::delta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ChangeFeedTest : public TableTest {
 protected:
  ChangeFeedTest() : table(OpenTable()) { Create(*table); }

  // "version kind path" of each change.
  std::vector<std::string> Changes(int64_t first, int64_t last) {
    constexpr std::string_view kKinds[] = {"cdc", "insert", "delete"};
    const auto changes = table->Changes(Version{first}, Version{last});
    if (!changes) throw std::runtime_error(changes.error().ToString());
    std::vector<std::string> out;
    for (const ChangeFile& change : *changes) {
      out.push_back(fmt::format("{} {} {}", change.version.value,
                                kKinds[static_cast<size_t>(change.kind)], change.path));
    }
    return out;
  }
  void SetProperty(std::string key, std::string value) {
    Metadata metadata = table->Latest().value()->metadata();
    metadata.configuration[std::move(key)] = std::move(value);
    Transaction tx(*table, table->Latest().value());
    tx.SetMetadata(metadata);
    MustCommit(tx.Commit());
  }

  std::unique_ptr<Table> table;
};

TEST_F(ChangeFeedTest, ChangeFilesStandForTheWholeVersion) {
  Append(*table, "a");  // 1
  Append(*table, "b");  // 2
  Transaction merge(*table, table->Latest().value());
  merge.Remove("a");
  merge.Add(DataFile("a2"));
  merge.AddCdc(ChangeFileOf("m"));
  MustCommit(merge.Commit());  // 3
  Transaction erase(*table, table->Latest().value());
  erase.Remove("b");
  MustCommit(erase.Commit());  // 4
  EXPECT_THAT(Changes(0, 4),
              ElementsAre("1 insert a", "2 insert b", "3 cdc _change_data/m", "4 delete b"));
  EXPECT_THAT(Changes(3, 3), ElementsAre("3 cdc _change_data/m"));
}

TEST_F(ChangeFeedTest, RewritesWithoutDataChangeAreNoChanges) {
  Append(*table, "a");
  Transaction compact(*table, table->Latest().value());
  compact.Remove("a", /*data_change=*/false);
  AddFile packed = DataFile("packed");
  packed.data_change = false;
  compact.Add(packed);
  MustCommit(compact.Commit());
  EXPECT_THAT(Changes(2, 2), IsEmpty());
}

TEST_F(ChangeFeedTest, ChangesCarryTimeSizeAndPartition) {
  Append(*table, "a");
  const auto changes = table->Changes(Version{1}, Version{1}).value();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].timestamp, kStart + kSecond);
  EXPECT_EQ(changes[0].size_bytes, 11);
  EXPECT_THAT(changes[0].partition_values, IsEmpty());
}

TEST_F(ChangeFeedTest, VersionsWithoutTheFeedAreRefused) {
  Append(*table, "a");                                 // 1, on
  SetProperty("delta.enableChangeDataFeed", "false");  // 2
  Append(*table, "b");                                 // 3, off
  SetProperty("delta.enableChangeDataFeed", "true");   // 4
  Append(*table, "c");                                 // 5, on
  EXPECT_THAT(Changes(0, 1), ElementsAre("1 insert a"));
  EXPECT_THAT(Changes(4, 5), ElementsAre("5 insert c"));
  for (const auto& [first, last, off] : {std::tuple{0, 5, 2}, {2, 2, 2}, {3, 3, 3}, {3, 5, 3}}) {
    const auto changes = OpenTable()->Changes(Version{first}, Version{last});
    ASSERT_FALSE(changes) << first << last;
    EXPECT_EQ(changes.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(changes.error().message, HasSubstr(fmt::format("off at version {}", off)));
  }
}

TEST_F(ChangeFeedTest, RangesMustExist) {
  Append(*table, "a");
  EXPECT_EQ(table->Changes(Version{1}, Version{2}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(table->Changes(Version{1}, Version{0}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(table->Changes(Version{-1}, Version{0}).error().kind, ErrorKind::kInvalidArgument);
  Append(*table, "b");
  ASSERT_TRUE(table->Checkpoint(Version{1}));
  DeleteLog(CommitName(0));
  EXPECT_EQ(table->Changes(Version{0}, Version{1}).error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(Changes(2, 2), ElementsAre("2 insert b"));
}

TEST_F(ChangeFeedTest, DeletionVectorsAreRefusedByName) {
  PutLog(
      CommitName(1),
      R"J({"add":{"path":"a","size":1,"dataChange":true,"deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}})J");
  PutLog(
      CommitName(2),
      R"J({"remove":{"path":"a","dataChange":true,"deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}})J");
  const auto changes = OpenTable()->Changes(Version{1}, Version{1});
  ASSERT_FALSE(changes);
  EXPECT_EQ(changes.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace vitalake::delta
