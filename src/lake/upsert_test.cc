#include "lake/upsert.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "lake/file_rewrite.h"
#include "lake/key_index.h"
#include "lake/queries.h"
#include "storage/faulty_store.h"
#include "storage/local_store.h"

namespace vitalake::lake {
namespace {

using storage::StoreCall;

// One row of silver.observation.
struct Reading {
  std::string id;
  int version = 1;
  std::string patient = "p";
  std::string body_site = "arm";
  std::string identifier = "";  // none
};

class UpsertTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-upsert-" + random_.Uuid());
    local_ = std::move(*storage::LocalStore::Open(folder_));
    store_ = std::make_unique<storage::FaultyStore>(*local_);
    ours_ = OpenLake(*store_);
    rival_ = OpenLake(*local_);
    ASSERT_TRUE(ours_->CreateMissingTables());
    view_ = (*LoadSilverViews({}))[1];
    ASSERT_EQ(view_.table, "silver.observation");
  }
  void TearDown() override {
    ours_.reset();
    rival_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<Lake> OpenLake(storage::ObjectStore& store) {
    LakeOptions options;
    options.location = folder_.string();
    options.threads = 2;
    auto lake = Lake::Over(store, options, clock_, random_);
    EXPECT_TRUE(lake) << lake.error().ToString();
    return std::move(*lake);
  }

  // Upserts the readings as one batch of records.
  UpsertResult Upsert(Lake& lake, const std::vector<Reading>& readings, bool hashes = false) {
    const std::string partition = fmt::format("batch-{}", ++batches_);
    std::string rows;
    StagedRecords staged;
    for (const Reading& reading : readings) {
      std::map<std::string, std::string> values = {
          {"id", engine::QuoteLiteral(reading.id)},
          {"id_space", "''"},
          {"resource_id", engine::QuoteLiteral(reading.id)},
          {"status", "'final'"},
          {"version_id", fmt::format("'{}'", reading.version)},
          {"content_hash", fmt::format("'{}'", reading.version)},
          {"deleted", "false"},
          {"patient_id", engine::QuoteLiteral(reading.patient)},
          {"body_site", engine::QuoteLiteral(reading.body_site)},
          {"identifier",
           reading.identifier.empty() ? "NULL" : engine::QuoteLiteral(reading.identifier)},
          {"source_partition", engine::QuoteLiteral(partition)},
          {"source_offset", fmt::to_string(staged.records)},
          {"received_at", fmt::format("make_timestamptz({})", batches_)},
      };
      ++staged.records;
      if (hashes) staged.key_hashes.push_back(KeyHash("", reading.id));
      rows += rows.empty() ? "SELECT " : " UNION ALL SELECT ";
      for (const TableColumn& column : (*lake.Spec(view_.table))->columns) {
        const std::string type = column.type == "string"      ? "VARCHAR"
                                 : column.type == "long"      ? "BIGINT"
                                 : column.type == "timestamp" ? "TIMESTAMPTZ"
                                                              : column.type;
        const auto value = values.find(column.name);
        rows += fmt::format("{}::{} AS {}, ", value == values.end() ? "NULL" : value->second, type,
                            engine::QuoteName(column.name));
      }
      rows.resize(rows.size() - 2);
    }
    const auto work = lake.MakeWorkFolder("test");
    auto connection = lake.engine().Connect();
    engine::ParquetOptions options;
    options.sort_by = options.stats_columns = view_.clustered_by;
    auto files = engine::WriteParquet(*connection, rows, work->path(), options);
    EXPECT_TRUE(files) << files.error().ToString();
    staged.files = *files;
    const UpsertRequest request{view_, staged, "",
                                [&](const auto&) { return CommitNote{{{partition, 1}}, {}}; }};
    auto result = lake::Upsert(lake, request, {});
    EXPECT_TRUE(result) << result.error().ToString();
    return result.value_or(UpsertResult{});
  }

  // "id version body_site;" of all rows.
  std::string Table() {
    auto session = OpenSqlSession(*rival_);
    auto rows = (*session)->Query(
        "SELECT concat_ws(' ', id, version_id, body_site) FROM silver.observation ORDER BY 1");
    if (!rows) return rows.error().ToString();
    std::string out;
    while (*rows->Next()) out += rows->Text(0) + ";";
    return out;
  }

  std::string Folder(std::string_view name) { return (folder_ / name).string(); }

  // The version our last commit says it has read, and the version it became.
  std::pair<int64_t, int64_t> ReadAndWritten() {
    const auto table = rival_->OpenTable(view_.table);
    const auto history = (*table)->History(1);
    JsonParser parser;
    const auto info = parser.Parse(history->front().info);
    return {info->Find("readVersion").AsInt().value_or(-1), history->front().version.value};
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<storage::LocalStore> local_;
  std::unique_ptr<storage::FaultyStore> store_;
  std::unique_ptr<Lake> ours_;
  std::unique_ptr<Lake> rival_;  // another process's
  SilverView view_;
  int64_t batches_ = 0;
};

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
