// Runs that a crash left open in the ledger.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "ingest/run_lock.h"
#include "ingest/test_lake.h"
#include "lake/ledger.h"
#include "storage/sha256.h"

namespace vitalake::ingest {
namespace {

constexpr std::string_view kPatient = R"({"resourceType":"Patient","id":"a"})";

class RecoveryTest : public ::testing::Test {
 protected:
  // A file of an open run, as the ledger has it; its bytes are kPatient.
  lake::LedgerFile File(int64_t ordinal, const std::string& name) {
    lake::LedgerFile file;
    file.ordinal = ordinal;
    file.path = (lake_.folder() / "in" / name).string();
    file.source = "patient";
    file.sha256 = storage::Sha256Hex(kPatient);
    file.bytes = static_cast<int64_t>(kPatient.size());
    file.received_at = 1'000'000 + ordinal;
    file.bronze_path = "bronze/patient/2026/01/01/" + name;
    file.key_mode = "id";
    return file;
  }

  void OpenRun(std::vector<lake::LedgerFile> files) {
    ASSERT_TRUE(lake_.lake().CreateMissingTables());
    ASSERT_TRUE(
        lake::Ledger(lake_.lake()).OpenRun({RunId{"left"}, 1'000'000, std::move(files)}, {}));
  }

  void Put(const std::string& name) {
    std::ofstream(lake_.folder() / "in" / name, std::ios::binary) << kPatient;
  }

  // What became of the open run's files, by name.
  std::string Outcomes() {
    return lake_.Rows(
        "SELECT parse_filename(range), received, written, duplicate, quarantined, "
        "bronze_path IS NOT NULL FROM ops.ledger WHERE run = 'left' ORDER BY 1");
  }

  TestLake lake_;
};

TEST_F(RecoveryTest, FinishesARunThatHadCopiedNothing) {
  Put("a.json");
  Put("b.json");
  OpenRun({File(0, "a.json"), File(1, "b.json")});
  lake_.Ingest({{"other.json", R"({"resourceType":"Patient","id":"other"})"}});
  EXPECT_EQ(Outcomes(), "a.json,1,1,0,0,true\nb.json,1,0,1,0,false\n");
  EXPECT_EQ(lake_.Rows("SELECT id FROM silver.patient ORDER BY 1"), "a\nother\n");
}

TEST_F(RecoveryTest, ABrokenFirstLineIsLostAloneInARunAndInItsRecovery) {
  const std::string text = "{\n" + std::string(kPatient) + "\n";
  std::ofstream(lake_.folder() / "in" / "a.ndjson", std::ios::binary) << text;
  lake::LedgerFile left = File(0, "a.ndjson");
  left.sha256 = storage::Sha256Hex(text);
  left.bytes = static_cast<int64_t>(text.size());
  OpenRun({left});
  lake_.Ingest(
      {{"b.ndjson", "{\n" + std::string(R"({"resourceType":"Patient","id":"b"})") + "\n"}});
  EXPECT_EQ(lake_.Rows("SELECT parse_filename(range), received, written, quarantined "
                       "FROM ops.ledger ORDER BY 1"),
            "a.ndjson,2,1,1\nb.ndjson,2,1,1\n");
}

TEST_F(RecoveryTest, FindsAFileWhoseNameIsNoText) {
  Put("a\xff.json");
  OpenRun({File(0, "a\xef\xbf\xbd.json")});  // as the ledger keeps it
  lake_.Ingest({{"other.json", R"({"resourceType":"Patient","id":"other"})"}});
  EXPECT_EQ(Outcomes(), "a\xef\xbf\xbd.json,1,1,0,0,true\n");
}

TEST_F(RecoveryTest, GroupsOfFilesDoNotDependOnWhichAreStillThere) {
  std::vector<lake::LedgerFile> files;
  for (const auto& [name, text] : {std::pair("a.json", R"({"resourceType":"Patient","id":"1"})"),
                                   std::pair("b.json", R"({"resourceType":"Patient","id":"2"})"),
                                   std::pair("c.json", R"({"resourceType":"Patient","id":"3"})")}) {
    lake::LedgerFile file = File(static_cast<int64_t>(files.size()), name);
    file.sha256 = storage::Sha256Hex(text);
    files.push_back(file);
    if (file.ordinal > 0) std::ofstream(lake_.folder() / "in" / name, std::ios::binary) << text;
  }
  const int64_t two_files = files[0].bytes + files[1].bytes;
  OpenRun(std::move(files));  // a.json was removed after the crash
  BatchOptions options;
  options.group_bytes = two_files;
  lake_.Ingest({{"other.json", R"({"resourceType":"Patient","id":"other"})"}}, options);
  // {a, b} and {c}, as it would have been with a: one commit each.
  EXPECT_EQ(lake_.Rows("SELECT id FROM silver.patient AT (VERSION => 1) ORDER BY 1"), "2\n");
  EXPECT_EQ(lake_.Rows("SELECT id FROM silver.patient AT (VERSION => 2) ORDER BY 1"), "2\n3\n");
}

TEST_F(RecoveryTest, ARepeatOfAFileThatIsGoneIsNoSuccess) {
  Put("b.json");
  OpenRun({File(0, "a.json"), File(1, "b.json")});  // a.json was removed after the crash
  lake_.Ingest({{"other.json", R"({"resourceType":"Patient","id":"other"})"}});
  EXPECT_EQ(Outcomes(), "a.json,1,0,0,1,false\nb.json,1,0,0,1,false\n");
  // Neither counts as known: the next run takes it in.
  lake_.Ingest({{"b.json", std::string(kPatient)}});
  EXPECT_EQ(lake_.Rows("SELECT id FROM silver.patient ORDER BY 1"), "a\nother\n");
}

TEST_F(RecoveryTest, AFinishedRunIsLeftAlone) {
  Put("a.json");
  OpenRun({File(0, "a.json")});
  lake_.Ingest({{"other.json", R"({"resourceType":"Patient","id":"other"})"}});
  const std::string before = Outcomes();
  lake_.Ingest({{"third.json", R"({"resourceType":"Patient","id":"third"})"}});
  EXPECT_EQ(Outcomes(), before);
}

TEST_F(RecoveryTest, StagedCopiesOfKilledRunsAreSweptAndThoseOfLiveOnesKept) {
  const auto staging = *lake_.lake().store().StagingFolder();
  const auto alive = RunLock::TryTake(staging.parent_path() / "runs", RunId{"alive"});
  ASSERT_TRUE(alive && *alive);
  for (const char* name : {"copy-dead~1", "copy-alive~1", "unrelated"}) {
    std::ofstream(staging / name) << kPatient;
  }
  lake_.Ingest({{"a.json", std::string(kPatient)}});
  EXPECT_FALSE(std::filesystem::exists(staging / "copy-dead~1"));
  EXPECT_TRUE(std::filesystem::exists(staging / "copy-alive~1"));
  EXPECT_TRUE(std::filesystem::exists(staging / "unrelated"));
}

}  // namespace
}  // namespace vitalake::ingest
