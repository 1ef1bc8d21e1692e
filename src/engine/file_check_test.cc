#include "engine/file_check.h"

#include <fstream>

#include "engine/lake_fixture.h"

namespace vitalake::engine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class FileCheckTest : public LakeFixture {
 protected:
  // Adds a file of rows [0, 10) whose statistics were changed.
  void AppendSaying(std::string_view from, std::string_view to) {
    delta::AddFile file = PutRows(Rows(0, 10));
    const size_t at = file.stats.find(from);
    ASSERT_NE(at, std::string::npos) << file.stats;
    file.stats.replace(at, from.size(), to);
    delta::Transaction tx(*table_, *table_->Latest());
    tx.Add(file);
    Commit(tx);
  }
  static std::vector<std::string> Texts(const Result<std::vector<delta::Finding>>& findings) {
    EXPECT_TRUE(findings) << findings.error().ToString();
    std::vector<std::string> texts;
    for (const delta::Finding& finding : *findings) {
      texts.push_back(fmt::format("{}: {}", finding.check, finding.message));
    }
    return texts;
  }
  std::vector<std::string> Check() { return Texts(CheckFiles(*engine_, Latest())); }
  std::filesystem::path LocalFile(const delta::AddFile& file) {
    return folder_ / kRoot / file.path;
  }
};

TEST_F(FileCheckTest, SoundFilesHaveNoFindings) {
  Append(0, 100);
  Append(100, 200);
  std::vector<int64_t> done;
  const auto found =
      CheckFiles(*engine_, Latest(), {}, [&](int64_t bytes) { done.push_back(bytes); });
  EXPECT_THAT(Texts(found), IsEmpty());
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done.back(), (*table_->Latest())->size_bytes());
}

TEST_F(FileCheckTest, NullsAndNotANumberAreSound) {
  delta::AddFile file =
      PutRows("SELECT 'a' AS id, NULL::BIGINT AS value, NULL::TIMESTAMPTZ AS taken");
  delta::Transaction tx(*table_, *table_->Latest());
  tx.Add(file);
  Commit(tx);
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(FileCheckTest, RowsThatTheLogDoesNotCount) {
  AppendSaying(R"("numRecords":10)", R"("numRecords":11)");
  EXPECT_THAT(Check(), ElementsAre("file: it has 10 rows, the log says 11"));
}

TEST_F(FileCheckTest, BoundsThatDoNotBound) {
  AppendSaying(R"("minValues":{"id":"r0","value":0)", R"("minValues":{"id":"r1","value":1)");
  EXPECT_THAT(Check(), ElementsAre("stats: minValues of id is r1, a value is smaller",
                                   "stats: minValues of value is 1, a value is smaller"));
}

TEST_F(FileCheckTest, AnUpperBoundThatIsTooLow) {
  AppendSaying(R"("maxValues":{"id":"r9","value":9)", R"("maxValues":{"id":"r8","value":9)");
  EXPECT_THAT(Check(), ElementsAre("stats: maxValues of id is r8, a value is larger"));
}

TEST_F(FileCheckTest, TimesMayBeCutToMilliseconds) {
  delta::AddFile file = PutRows(
      "SELECT 'a' AS id, 1::BIGINT AS value, TIMESTAMPTZ '2026-11-22 00:00:00.123456+00' AS taken");
  for (const auto& [to, findings] : {std::pair(".123Z", 0), std::pair(".122Z", 1)}) {
    delta::AddFile cut = file;
    const size_t at = cut.stats.find("\"maxValues\"");
    const size_t time = cut.stats.find(".123", at);
    ASSERT_NE(time, std::string::npos) << cut.stats;
    cut.stats.replace(time, cut.stats.find('"', time) - time, to);
    delta::Transaction tx(*table_, *table_->Latest());
    for (const auto& old : (*table_->Latest())->files()) tx.Remove(old->path);
    cut.path = PutRows(
                   "SELECT 'a' AS id, 1::BIGINT AS value, "
                   "TIMESTAMPTZ '2026-11-22 00:00:00.123456+00' AS taken")
                   .path;
    tx.Add(cut);
    Commit(tx);
    EXPECT_EQ(Check().size(), static_cast<size_t>(findings)) << cut.stats;
  }
}

TEST_F(FileCheckTest, NullsThatAreNotCounted) {
  AppendSaying(R"("nullCount":{"id":0)", R"("nullCount":{"id":3)");
  EXPECT_THAT(Check(), ElementsAre("stats: nullCount of id is 3"));
}

TEST_F(FileCheckTest, StatisticsThatAreNoValues) {
  AppendSaying(R"("maxValues":{"id":"r9","value":9)", R"("maxValues":{"id":"r9","value":"many")");
  EXPECT_THAT(Check(), ElementsAre("stats: maxValues of value is no long: many"));
}

// The size is right, so the log's own check passes it.
TEST_F(FileCheckTest, BytesThatWereOverwritten) {
  Append(0, 5);
  const delta::AddFile file = Append(5, 5000);
  std::fstream bytes(LocalFile(file), std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(40);
  bytes << std::string(2000, 'x');
  bytes.close();
  EXPECT_THAT(Check(), ElementsAre(StartsWith("file: it cannot be read")));
}

TEST_F(FileCheckTest, MissingAndCutFilesAreTheLogsMatter) {
  const delta::AddFile gone = Append(0, 10);
  const delta::AddFile cut = Append(10, 20);
  std::filesystem::remove(LocalFile(gone));
  std::filesystem::resize_file(LocalFile(cut), 10);
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(FileCheckTest, AKeyThatIsThereTwice) {
  Append(0, 10);
  Append(8, 12);
  const std::vector<std::string> key = {"id"};
  EXPECT_THAT(Texts(CheckKey(*engine_, Latest(), key)),
              ElementsAre(AllOf(StartsWith("key: 2 rows have it"), HasSubstr("more than once: 2")),
                          StartsWith("key: 2 rows have it")));
  EXPECT_EQ(CheckKey(*engine_, Latest(), key)->front().place, "('r8')");
  const std::vector<std::string> other = {"id", "value + 0"};
  EXPECT_EQ(Texts(CheckKey(*engine_, Latest(), other)).size(), 2u);
  const std::vector<std::string> rest = {"value // 100", "id"};
  EXPECT_EQ(CheckKey(*engine_, Latest(), rest)->front().place, "('0', 'r8')");
}

TEST_F(FileCheckTest, ChangeRowsMustAddUp) {
  Append(0, 10);
  const delta::AddFile changes =
      PutRows(Rows(0, 3) + " UNION ALL " + Rows(10, 11), "_change_data/");
  auto typed = WriteParquet(
      *connection_,
      fmt::format("SELECT *, CASE WHEN value < 3 THEN 'delete' ELSE 'insert' END AS _change_type "
                  "FROM read_parquet({})",
                  QuotePath(LocalFile(changes))),
      *store_->StagingFolder(), {});
  ASSERT_TRUE(store_->PutFile(std::string(kRoot) + "/_change_data/typed", typed->front().path));
  const auto check = [&](int64_t rows_more, std::string path) {
    const std::vector<delta::ChangeCount> counts = {{Version{2}, rows_more, {std::move(path)}}};
    return Texts(CheckChanges(*engine_, Latest(), counts));
  };
  EXPECT_THAT(check(-2, "_change_data/typed"), IsEmpty());
  EXPECT_THAT(check(0, "_change_data/typed"),
              ElementsAre("changes: they add -2 rows, the commit 0"));
  EXPECT_THAT(check(0, changes.path), ElementsAre(StartsWith("changes: they cannot be read")));
}

}  // namespace
}  // namespace vitalake::engine
