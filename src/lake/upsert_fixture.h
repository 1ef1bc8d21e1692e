// What the tests of upserts and of what runs beside them share: one lake on disk, opened twice, and
// readings that go into silver.observation.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lake/key_index.h"
#include "lake/queries.h"
#include "lake/upsert.h"
#include "storage/faulty_store.h"
#include "storage/local_store.h"

namespace vitalake::lake {

// One row of silver.observation.
struct Reading {
  std::string id = "";
  int version = 1;
  std::string patient = "p";
  std::string body_site = "arm";
  std::string identifier = "";  // none
  int64_t updated = 0;          // unknown
  bool retracted = false;
  int64_t received = 0;  // the batch's number
  bool deleted = false;  // a DELETE of the id: without a version
};

class UpsertFixture : public ::testing::Test {
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

  struct Batch {
    Lake::WorkFolder folder;
    std::string partition;
    StagedRecords staged;
  };

  // The readings as one batch of records.
  Batch Stage(Lake& lake, const std::vector<Reading>& readings, bool with_keys = false) {
    const std::string partition = fmt::format("batch-{}", ++batches_);
    std::string rows;
    StagedRecords staged;
    std::vector<uint64_t> hashes;
    for (const Reading& reading : readings) {
      const std::string received =
          fmt::format("make_timestamptz({})", reading.received == 0 ? batches_ : reading.received);
      const bool retracted = reading.retracted || reading.deleted;
      std::map<std::string, std::string> values = {
          {"id", engine::QuoteLiteral(reading.id)},
          {"id_space", "''"},
          {"resource_id", engine::QuoteLiteral(reading.id)},
          {"status", "'final'"},
          {"version_id", fmt::format("'{}'", reading.version)},
          {"last_updated",
           reading.updated == 0 ? "NULL" : fmt::format("make_timestamptz({})", reading.updated)},
          {"retracted_at", retracted ? received : std::string("NULL")},
          {"content_hash", fmt::format("'{}{}'", reading.version, reading.body_site)},
          {"deleted", fmt::to_string(reading.deleted)},
          {"patient_id", engine::QuoteLiteral(reading.patient)},
          {"body_site", engine::QuoteLiteral(reading.body_site)},
          {"identifier",
           reading.identifier.empty() ? "NULL" : engine::QuoteLiteral(reading.identifier)},
          {"source_partition", engine::QuoteLiteral(partition)},
          {"source_offset", fmt::to_string(staged.records)},
          {"received_at", received},
      };
      if (reading.deleted) values["version_id"] = values["content_hash"] = "NULL";
      ++staged.records;
      staged.deletes += reading.deleted ? 1 : 0;
      hashes.push_back(KeyHash("", reading.id));
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
    auto work = lake.MakeWorkFolder("test");
    EXPECT_TRUE(work) << work.error().ToString();
    auto connection = lake.engine().Connect();
    engine::ParquetOptions options;
    options.sort_by = options.stats_columns = view_.clustered_by;
    auto files = engine::WriteParquet(*connection, rows, work->path(), options);
    EXPECT_TRUE(files) << files.error().ToString();
    staged.files = *files;
    if (with_keys) staged.keys = StagedKeys::Of(std::move(hashes));
    return {std::move(*work), partition, std::move(staged)};
  }

  // Upserts the readings as one batch of records.
  UpsertResult Upsert(Lake& lake, const std::vector<Reading>& readings, bool with_keys = false) {
    const Batch batch = Stage(lake, readings, with_keys);
    const UpsertRequest request{
        view_, batch.staged, [&](const auto&) { return CommitNote{{{batch.partition, 1}}, {}}; }};
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

}  // namespace vitalake::lake
