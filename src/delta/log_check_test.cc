#include "delta/log_check.h"

#include "delta/table_fixture.h"

namespace vitalake::delta {
namespace {

// A table of seven versions with checkpoints at 3 and 5.
class LogCheckTest : public TableTest {
 protected:
  void SetUp() override {
    auto table = OpenTable();
    Create(*table);
    for (const char* path : {"a", "b", "c"}) Append(*table, path);
    ASSERT_TRUE(table->Checkpoint(Version{3}));
    Append(*table, "d");
    Transaction tx(*table, table->Latest().value());
    tx.Remove("a");
    tx.Add(DataFile("e"));
    tx.SetTxn("app", 4);
    MustCommit(tx.Commit());
    ASSERT_TRUE(table->Checkpoint(Version{5}));
    Append(*table, "f");
  }
  LogCheck Check() {
    auto check = CheckLog(*OpenTable());
    if (!check) throw std::runtime_error(check.error().ToString());
    return *std::move(check);
  }
  // "check place: message" of each finding.
  std::vector<std::string> Findings() {
    std::vector<std::string> out;
    for (const Finding& finding : Check().findings) {
      out.push_back(fmt::format("{} {}: {}", finding.check, finding.place, finding.message));
    }
    return out;
  }
  void Change(std::string_view name, std::string_view from, std::string_view to) {
    std::string text = LogText(name);
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    PutLog(name, text.replace(at, from.size(), to));
  }
};

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(LogCheckTest, ASoundTableHasNoFindings) {
  const LogCheck check = Check();
  EXPECT_THAT(Findings(), testing::IsEmpty());
  EXPECT_EQ(check.snapshot->version(), Version{6});
  EXPECT_EQ(check.commits, 7);
  EXPECT_EQ(check.checkpoints, 2);
  EXPECT_EQ(check.checksums, 7);
}

TEST_F(LogCheckTest, ACleanedUpLogIsSound) {
  for (int64_t version = 0; version < 4; ++version) DeleteLog(CommitName(version));
  EXPECT_THAT(Findings(), testing::IsEmpty());
  EXPECT_EQ(Check().checkpoints, 1);  // the older one has nothing below it any more
  EXPECT_EQ(Check().checksums, 3);    // of 4, 5 and 6: counted on from the checkpoint
}

TEST_F(LogCheckTest, AMissingCommit) {
  DeleteLog(CommitName(2));
  EXPECT_THAT(Findings(), ElementsAre(AllOf(StartsWith("log version 2:"), HasSubstr("missing"))));
}

TEST_F(LogCheckTest, ALogThatBeginsBehindNoCheckpoint) {
  for (int64_t version = 0; version < 6; ++version) DeleteLog(CommitName(version));
  DeleteLog(CheckpointName(5));
  EXPECT_THAT(Findings(), testing::Contains(StartsWith("log version 5:")));
}

TEST_F(LogCheckTest, ATornCommit) {
  PutLog(CommitName(4), R"({"add":{"path":)");
  EXPECT_THAT(Findings(), testing::Contains(AllOf(StartsWith("log "), HasSubstr("004.json"))));
}

TEST_F(LogCheckTest, ACheckpointThatLacksAFile) {
  std::string text = LogText(CheckpointName(5));
  const size_t line = text.rfind("\n{");
  const size_t end = text.find('\n', line + 1);
  text.erase(line, end - line);
  const size_t foot = text.rfind("PAR1 ");
  const int64_t rows = std::stoll(text.substr(foot + 5)) - 1;
  PutLog(CheckpointName(5), text.substr(0, foot) + fmt::format("PAR1 {}\n", rows));
  EXPECT_THAT(Findings(), testing::Contains(AllOf(StartsWith("checkpoint "), HasSubstr("005.check"),
                                                  HasSubstr("lacks"))));
}

TEST_F(LogCheckTest, ACheckpointThatSaysOtherwise) {
  Change(CheckpointName(5), R"("version":4)", R"("version":5)");
  EXPECT_THAT(Findings(), testing::Contains(HasSubstr("positions are not those")));
}

TEST_F(LogCheckTest, ACheckpointThatCannotBeRead) {
  PutLog(CheckpointName(3), "PAR1\n{");
  EXPECT_THAT(Findings(), ElementsAre(AllOf(StartsWith("checkpoint "), HasSubstr("003.check"))));
}

TEST_F(LogCheckTest, AWrongChecksum) {
  Change("00000000000000000004.crc", R"("numFiles":4)", R"("numFiles":5)");
  EXPECT_THAT(Findings(), ElementsAre(AllOf(StartsWith("checksum "), HasSubstr("numFiles is 5"),
                                            HasSubstr("gives 4"))));
  Change("00000000000000000005.crc", R"("appId":"app","version":4)",
         R"("appId":"app","version":3)");
  EXPECT_EQ(Findings().size(), 2u);
  PutLog("00000000000000000005.crc", "not json");
  EXPECT_EQ(Findings().size(), 2u);
}

TEST_F(LogCheckTest, AMissingFileAndACutOne) {
  ASSERT_TRUE(memory.Delete("silver/patient/b"));
  ASSERT_TRUE(memory.Put("silver/patient/c", "rows"));
  EXPECT_THAT(Findings(),
              ElementsAre("file b: it is missing",
                          AllOf(StartsWith("file c: it has 4 bytes"), HasSubstr("11"))));
}

TEST_F(LogCheckTest, ChangeFilesComeWithWhatTheyMustAddUpTo) {
  const auto table = OpenTable();
  Transaction tx(*table, table->Latest().value());
  tx.Remove("b");
  tx.Add(DataFile("g", 5));
  tx.AddCdc(ChangeFileOf("x"));
  MustCommit(tx.Commit());
  ASSERT_EQ(Check().changes.size(), 1u);
  EXPECT_EQ(Check().changes[0].version, Version{7});
  EXPECT_EQ(Check().changes[0].rows_more, 4);
  EXPECT_THAT(Check().changes[0].files, ElementsAre("_change_data/x"));
  ASSERT_TRUE(memory.Put("silver/patient/_change_data/x", "cut"));
  EXPECT_THAT(Findings(), ElementsAre(StartsWith("file _change_data/x: it has 3 bytes")));
  ASSERT_TRUE(memory.Delete("silver/patient/_change_data/x"));
  EXPECT_THAT(Findings(), testing::IsEmpty());
  EXPECT_THAT(Check().changes, testing::IsEmpty());
}

TEST_F(LogCheckTest, NoTable) {
  const auto check = CheckLog(*Table::Open(MakeEnvironment(memory), "nothing/here"));
  ASSERT_FALSE(check);
  EXPECT_EQ(check.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace vitalake::delta
