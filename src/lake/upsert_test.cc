#include "lake/upsert.h"

#include "lake/file_rewrite.h"
#include "lake/upsert_fixture.h"

namespace vitalake::lake {
namespace {

using storage::StoreCall;

using UpsertTest = UpsertFixture;

TEST_F(UpsertTest, ARefusedRecordLeavesTheStoredRowAlone) {
  Upsert(*ours_, {{.id = "a", .identifier = "urn:a"}, {.id = "b"}});
  const UpsertResult refused =
      Upsert(*ours_, {{.id = "a", .version = 2, .body_site = "leg", .identifier = "urn:other"}});
  ASSERT_EQ(refused.refused.size(), 1u);
  EXPECT_EQ(refused.refused[0].reason, "key-conflict");
  EXPECT_EQ(Table(), "a 1 arm;b 1 arm;");
  // Beside records that are written, too.
  Upsert(*ours_, {{.id = "a", .version = 2, .identifier = "urn:other"},
                  {.id = "b", .version = 2, .body_site = "leg"},
                  {.id = "c"}});
  EXPECT_EQ(Table(), "a 1 arm;b 2 leg;c 1 arm;");
}

TEST_F(UpsertTest, NewKeysAreAppendedAsStaged) {
  for (const bool hashes : {false, true}) {
    const UpsertResult result =
        Upsert(*ours_, {{fmt::format("a{}", hashes)}, {fmt::format("b{}", hashes)}}, hashes);
    EXPECT_TRUE(result.committed);
    EXPECT_EQ(result.rows_inserted, 2);
    EXPECT_EQ(result.rows_updated, 0);
  }
  EXPECT_EQ(Table(), "afalse 1 arm;atrue 1 arm;bfalse 1 arm;btrue 1 arm;");
}

TEST_F(UpsertTest, HandedOverHashesDecideAsTheFilesDo) {
  for (const bool hashes : {false, true}) {
    const std::string id = hashes ? "with" : "without";
    // Twice in one batch, then again with a higher and a lower version.
    EXPECT_EQ(Upsert(*ours_, {{id, 1}, {id, 3, "p", "leg"}}, hashes).rows_inserted, 1);
    EXPECT_EQ(Upsert(*ours_, {{id, 4, "p", "wrist"}}, hashes).rows_updated, 1);
    EXPECT_FALSE(Upsert(*ours_, {{id, 2}}, hashes).committed);
  }
  EXPECT_EQ(Table(), "with 4 wrist;without 4 wrist;");
}

TEST_F(UpsertTest, ChangedRowsKeepTheirPlaceInTheFile) {
  std::vector<Reading> readings;
  for (int i = 0; i < 500; ++i) readings.push_back({fmt::format("id-{:03}", i), 1, "p", "arm"});
  Upsert(*ours_, readings);
  const auto place = [&](std::string_view id) {
    const auto snapshot = ours_->Latest(view_.table);
    EXPECT_EQ((*snapshot)->files().size(), 1u);
    auto connection = ours_->engine().Connect();
    return *connection->ScalarInt(fmt::format(
        "SELECT file_row_number FROM read_parquet({}) WHERE id = '{}'",
        engine::QuotePath(folder_ / "silver/observation" / (*snapshot)->files()[0]->path), id));
  };
  const int64_t before = place("id-250");
  const std::string stats = (*ours_->Latest(view_.table))->files()[0]->stats;
  Upsert(*ours_, {{"id-250", 2, "p", "leg"}, {"id-000", 2, "p", "leg"}});
  EXPECT_EQ(place("id-250"), before);
  EXPECT_EQ((*ours_->Latest(view_.table))->files()[0]->stats, stats);
  EXPECT_THAT(Table(), testing::StartsWith("id-000 2 leg;id-001 1 arm;"));
  EXPECT_THAT(Table(), testing::HasSubstr("id-249 1 arm;id-250 2 leg;id-251 1 arm;"));
  // The new file has its index already, and the old one's is gone.
  size_t indexes = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(Folder("_vitalake/index/silver.observation"))) {
    EXPECT_EQ(entry.path().stem().string(), (*ours_->Latest(view_.table))->files()[0]->path);
    ++indexes;
  }
  EXPECT_EQ(indexes, 1u);
}

TEST_F(UpsertTest, ARowThatMovesInTheOrderRewritesItsFile) {
  Upsert(*ours_, {{"a", 1, "p1"}, {"b", 1, "p2"}, {"c", 1, "p3"}});
  Upsert(*ours_, {{"b", 2, "p9", "leg"}});
  EXPECT_EQ(Table(), "a 1 arm;b 2 leg;c 1 arm;");
  // Its statistics say so: a reader that looks for the patient finds the row.
  EXPECT_THAT((*ours_->Latest(view_.table))->files()[0]->stats, testing::HasSubstr("p9"));
}

TEST_F(UpsertTest, WorksWithoutTheIndexFolder) {
  Upsert(*ours_, {{"a"}, {"b"}});
  Upsert(*ours_, {{"a", 2, "p", "leg"}});
  std::filesystem::remove_all(Folder("_vitalake/index"));
  Upsert(*ours_, {{"a", 3, "p", "wrist"}, {"c"}});
  EXPECT_EQ(Table(), "a 3 wrist;b 1 arm;c 1 arm;");
}

TEST_F(UpsertTest, ALostRaceOverOtherKeysIsNotDoneAgain) {
  Upsert(*ours_, {{"a"}, {"b"}});
  store_->ResetCounts();
  store_->Before(
      store_->calls(StoreCall::kPutIfAbsent) + 1, [&] { Upsert(*rival_, {{"x"}, {"y"}}); },
      StoreCall::kPutIfAbsent);
  const UpsertResult result = Upsert(*ours_, {{"a", 2, "p", "leg"}, {"c"}});
  EXPECT_EQ(result.version.value, 3);
  EXPECT_EQ(Table(), "a 2 leg;b 1 arm;c 1 arm;x 1 arm;y 1 arm;");
  EXPECT_EQ(ReadAndWritten(), std::pair(int64_t{1}, int64_t{3}));
  EXPECT_EQ(store_->calls(StoreCall::kPutFile), 3);  // the changed file, the new one, changes
}

TEST_F(UpsertTest, ALostRaceOfAppendsIsNotDoneAgain) {
  store_->Before(
      store_->calls(StoreCall::kPutIfAbsent) + 1, [&] { Upsert(*rival_, {{"x"}}); },
      StoreCall::kPutIfAbsent);
  EXPECT_EQ(Upsert(*ours_, {{"a"}}).version.value, 2);
  EXPECT_EQ(Table(), "a 1 arm;x 1 arm;");
  EXPECT_EQ(ReadAndWritten(), std::pair(int64_t{0}, int64_t{2}));
}

TEST_F(UpsertTest, ALostRaceOverTheSameKeyIsDoneAgain) {
  Upsert(*ours_, {{"a"}, {"b"}});
  // The winner adds a key that we add, with a higher and with a lower version than ours.
  for (const auto& [id, theirs] : {std::pair("c", 3), std::pair("d", 1)}) {
    store_->Before(
        store_->calls(StoreCall::kPutIfAbsent) + 1,
        [&] { Upsert(*rival_, {{id, theirs, "p", "theirs"}}); }, StoreCall::kPutIfAbsent);
    Upsert(*ours_, {{id, 2, "p", "ours"}});
  }
  EXPECT_EQ(Table(), "a 1 arm;b 1 arm;c 3 theirs;d 2 ours;");
}

TEST_F(UpsertTest, ALostRaceOverTheSameFileIsDoneAgain) {
  Upsert(*ours_, {{"a"}, {"b"}});
  store_->Before(
      store_->calls(StoreCall::kPutIfAbsent) + 1,
      [&] { Upsert(*rival_, {{"b", 2, "p", "theirs"}}); }, StoreCall::kPutIfAbsent);
  Upsert(*ours_, {{"a", 2, "p", "ours"}});
  EXPECT_EQ(Table(), "a 2 ours;b 2 theirs;");
}

// Of one id, in the order of arrival, with the time that a deleted row is to have: that of its
// first deletion, odd where the best version is a retraction.
struct DeletedCase {
  std::vector<Reading> arriving;
  int64_t retracted_at;
};

TEST_F(UpsertTest, WhenARowWasDeletedDoesNotDependOnHowBatchesAreCut) {
  const DeletedCase cases[] = {
      {{{.version = 1, .received = 10},
        {.version = 2, .received = 20},
        {.received = 20, .deleted = true},
        {.version = 3, .received = 30}},
       20},
      {{{.version = 1, .retracted = true, .received = 10},
        {.received = 20, .deleted = true},
        {.version = 2, .received = 30}},
       20},
      {{{.version = 1, .received = 10},
        {.received = 31, .deleted = true},
        {.received = 21, .deleted = true},
        {.version = 2, .retracted = true, .received = 40}},
       21},
      {{{.received = 21, .deleted = true},
        {.version = 2, .retracted = true, .received = 30},
        {.version = 3, .received = 20}},
       20},
  };
  std::string expected;
  std::map<size_t, std::vector<Reading>> batches;  // all first ones, all second ones, ...
  int number = 0;
  for (const DeletedCase& one : cases) {
    // Bit i: a batch ends behind record i.
    for (unsigned cuts = 0; cuts < 1u << (one.arriving.size() - 1); ++cuts) {
      const std::string id = fmt::format("{:03}", number++);
      size_t batch = 0;
      for (size_t i = 0; i < one.arriving.size(); ++i) {
        batches[batch].push_back(one.arriving[i]);
        batches[batch].back().id = id;
        batch += cuts >> i & 1;
      }
      expected += fmt::format("{} {};", id, one.retracted_at);
    }
  }
  for (const auto& [_, batch] : batches) Upsert(*ours_, batch);
  auto session = OpenSqlSession(*rival_);
  auto rows = (*session)->Query(
      "SELECT string_agg(id || ' ' || epoch_us(retracted_at) || ';', '' ORDER BY id) "
      "FROM silver.observation WHERE deleted");
  ASSERT_TRUE(rows && *rows->Next());
  EXPECT_EQ(rows->Text(0), expected);
}

TEST(StatsWithoutTest, LeavesOutColumnsAndKeepsTheRest) {
  EXPECT_EQ(StatsWithout(R"({"numRecords":3,"minValues":{"a":1,"b":"x"},"maxValues":{"a":2},)"
                         R"("nullCount":{"b":0},"tightBounds":true})",
                         {"a"}),
            R"({"numRecords":3,"minValues":{"b":"x"},"maxValues":{},"nullCount":{"b":0},)"
            R"("tightBounds":true})");
  EXPECT_EQ(StatsWithout("", {"a"}), "");
}

}  // namespace
}  // namespace vitalake::lake
