// What the tests of relations and sessions share: a Delta table in a folder, filled by SQL.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "delta/table.h"
#include "delta/transaction.h"
#include "engine/engine.h"
#include "engine/parquet_files.h"
#include "engine/parquet_io.h"
#include "engine/relation.h"
#include "storage/local_store.h"

namespace vitalake::engine {

class LakeFixture : public ::testing::Test {
 protected:
  static constexpr const char* kRoot = "silver/reading";

  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "engine_lake" /
              info->test_suite_name() / info->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    engine_ = std::move(*Engine::Open({.threads = 2}));
    connection_.emplace(std::move(*engine_->Connect()));
    parquet_ = std::make_unique<EngineParquetIo>(*engine_);
    store_ = std::move(*storage::LocalStore::Open(folder_));
    table_ = OpenTable();
    const delta::Column columns[] = {{"id", delta::DeltaType(delta::TypeKind::kString), false},
                                     {"value", delta::DeltaType(delta::TypeKind::kLong)},
                                     {"taken", delta::DeltaType(delta::TypeKind::kTimestamp)}};
    auto created = table_->Create({.schema = delta::Schema::Flat(columns)});
    ASSERT_TRUE(created) << created.error().ToString();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<delta::Table> OpenTable() {
    return delta::Table::Open({*store_, *parquet_, clock_, random_}, kRoot);
  }

  // Writes rows as one durable file below the table; path relative to it.
  delta::AddFile PutRows(const std::string& select_sql, const std::string& below = "") {
    ParquetOptions options;
    options.stats_columns = {"id", "value", "taken"};
    auto files = WriteParquet(*connection_, select_sql, *store_->StagingFolder(), options);
    EXPECT_TRUE(files) << files.error().ToString();
    if (!files) return {};
    const WrittenFile& file = files->front();
    const std::string path = below + file.path.filename().string();
    EXPECT_TRUE(store_->PutFile(std::string(kRoot) + "/" + path, file.path));
    delta::AddFile add;
    add.path = path;
    add.size_bytes = file.size_bytes;
    add.stats = file.stats_json;
    return add;
  }

  static std::string Rows(int from, int to) {
    return fmt::format(
        "SELECT 'r' || i AS id, i::BIGINT AS value, TIMESTAMPTZ '2026-11-22 00:00:00+00' + INTERVAL"
        " (i) SECOND AS taken FROM range({}, {}) t(i)",
        from, to);
  }

  // Rows [from, to) as a new file in a commit of its own.
  delta::AddFile Append(int from, int to) {
    delta::AddFile file = PutRows(Rows(from, to));
    delta::Transaction tx(*table_, *table_->Latest());
    tx.Add(file);
    Commit(tx);
    return file;
  }

  void Commit(delta::Transaction& tx) {
    auto result = tx.Commit();
    ASSERT_TRUE(result) << result.error().ToString();
    ASSERT_TRUE(std::holds_alternative<delta::Committed>(*result));
  }

  TableFiles Files(const delta::SnapshotPtr& snapshot) { return {snapshot, store_.get(), kRoot}; }
  TableFiles Latest() { return Files(*table_->Latest()); }

  std::string Scalar(const std::string& sql) {
    auto text = connection_->Scalar(sql);
    return text ? *text : text.error().ToString();
  }

  std::filesystem::path folder_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
  std::unique_ptr<EngineParquetIo> parquet_;
  std::unique_ptr<storage::LocalStore> store_;
  std::unique_ptr<delta::Table> table_;
};

}  // namespace vitalake::engine
