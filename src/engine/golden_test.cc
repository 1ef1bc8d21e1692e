// The protocol's reader conformance set: every table that needs no reader feature reads equal to
// what its authors expect; the others are refused for the reason listed here.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "delta/table.h"
#include "engine/engine.h"
#include "engine/parquet_io.h"
#include "engine/relation.h"
#include "storage/local_store.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

struct Refusal {
  ErrorKind kind;
  std::string_view word;  // in the message
};

// Tables that must not be read, and why.
const std::map<std::string, Refusal> kRefused = {
    // Reader features that are not there.
    {"data-reader-timestamp_ntz", {ErrorKind::kUnsupported, "timestampNtz"}},
    {"data-reader-timestamp_ntz-id-mode", {ErrorKind::kUnsupported, "timestampNtz, columnMapping"}},
    {"data-reader-timestamp_ntz-name-mode",
     {ErrorKind::kUnsupported, "timestampNtz, columnMapping"}},
    {"data-skipping-basic-stats-all-types-columnmapping-id",
     {ErrorKind::kUnsupported, "columnMapping"}},
    {"data-skipping-basic-stats-all-types-columnmapping-name",
     {ErrorKind::kUnsupported, "columnMapping"}},
    {"deltalog-invalid-protocol-version", {ErrorKind::kUnsupported, "reader version 99"}},
    {"dv-partitioned-with-checkpoint", {ErrorKind::kUnsupported, "deletionVectors"}},
    {"dv-with-columnmapping", {ErrorKind::kUnsupported, "deletionVectors, columnMapping"}},
    {"log-replay-dv-key-cases", {ErrorKind::kUnsupported, "deletionVectors"}},
    {"parquet-all-types", {ErrorKind::kUnsupported, "timestampNtz"}},
    {"parquet-all-types-legacy-format", {ErrorKind::kUnsupported, "timestampNtz"}},
    {"table-with-columnmapping-mode-id", {ErrorKind::kUnsupported, "columnMapping"}},
    {"table-with-columnmapping-mode-name", {ErrorKind::kUnsupported, "columnMapping"}},
    {"v2-checkpoint-json", {ErrorKind::kUnsupported, "v2Checkpoint"}},
    {"v2-checkpoint-parquet", {ErrorKind::kUnsupported, "v2Checkpoint"}},
    // Logs that break the protocol.
    {"data-reader-absolute-paths-escaped-chars", {ErrorKind::kCorrupt, "no metaData"}},
    {"deltalog-commit-info", {ErrorKind::kCorrupt, "schemaString"}},
    {"deltalog-state-reconstruction-from-checkpoint-missing-metadata",
     {ErrorKind::kCorrupt, "no metaData"}},
    {"deltalog-state-reconstruction-from-checkpoint-missing-protocol",
     {ErrorKind::kCorrupt, "schemaString"}},
    {"deltalog-state-reconstruction-without-metadata", {ErrorKind::kCorrupt, "no metaData"}},
    {"deltalog-state-reconstruction-without-protocol", {ErrorKind::kCorrupt, "no protocol"}},
    {"update-deleted-directory", {ErrorKind::kCorrupt, "schemaString"}},
    {"versions-not-contiguous", {ErrorKind::kCorrupt, "1 is missing"}},
    // No Delta tables at all.
    {"hive", {ErrorKind::kNotFound, "no Delta table"}},
    {"no-delta-log-folder", {ErrorKind::kNotFound, "no Delta table"}},
    // Logs without the data files they name.
    {"checkpoint", {ErrorKind::kNotFound, "no object"}},
    {"delete-re-add-same-file-different-transactions", {ErrorKind::kNotFound, "no object"}},
    {"log-replay-special-characters-b", {ErrorKind::kNotFound, "no object"}},
};

// Tables that come without expected rows: their only file is removed again under another spelling
// of its path.
const std::map<std::string, int64_t> kCounted = {
    {"canonicalized-paths-normal-a", 0},
    {"canonicalized-paths-normal-b", 0},
    {"canonicalized-paths-special-a", 0},
    {"canonicalized-paths-special-b", 0},
};

// Timestamps of partition values that name no zone are in that of the writer, which the log does
// not tell; these were written and are expected in this one.
const std::map<std::string, std::string> kZones = {
    {"data-reader-partition-values", "America/Los_Angeles"}};

class GoldenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = fs::path(::testing::TempDir()) / "engine_golden";
    fs::remove_all(root_);
    fs::create_directories(root_);
    const fs::path archives =
        fs::path(VITALAKE_SOURCE_DIR) / "../shared/data/delta-golden/kernel-golden";
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(archives, error)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".tar.zst")) continue;
      const std::string command =
          fmt::format("tar --zstd --warning=no-unknown-keyword -xf '{}' -C '{}'",
                      entry.path().string(), root_.string());
      ASSERT_EQ(std::system(command.c_str()), 0) << name;
      names_.insert(name.substr(0, name.size() - 8));
    }
    ASSERT_FALSE(error) << archives << ": " << error.message();
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  void SetUp() override {
    engine_ = std::move(*Engine::Open({.threads = 2}));
    connection_.emplace(std::move(*engine_->Connect()));
    parquet_ = std::make_unique<EngineParquetIo>(*engine_);
    store_ = std::move(*storage::LocalStore::Open(root_));
  }

  Result<TableFiles> OpenTable(const std::string& name) {
    const std::string root = name + "/delta";
    auto table = delta::Table::Open({*store_, *parquet_, clock_, random_}, root);
    VL_TRY(auto snapshot, table->Latest());
    return TableFiles{snapshot, store_.get(), root};
  }

  Result<int64_t> CountRows(const std::string& name) {
    VL_TRY(const TableFiles files, OpenTable(name));
    VL_TRY(const std::string sql, RelationSql(files));
    return connection_->ScalarInt("SELECT count(*) FROM (" + sql + ")");
  }

  // Rows of the one that the other lacks, both ways, as multisets. Expected files may hold other
  // physical types (INT96 times): they are brought to the table's.
  Result<int64_t> CountDifferences(const std::string& name) {
    VL_TRY(const TableFiles files, OpenTable(name));
    VL_TRY(const std::string sql, RelationSql(files));
    const auto zone = kZones.find(name);
    VL_TRY([[maybe_unused]] const int64_t set,
           connection_->Execute(fmt::format(
               "SET TimeZone = '{}'", zone == kZones.end() ? std::string("UTC") : zone->second)));
    std::string columns;
    for (const delta::Field& field : files.snapshot->schema().fields()) {
      columns += fmt::format("{}CAST({} AS {})", columns.empty() ? "" : ", ", QuoteName(field.name),
                             SqlType(field.type));
    }
    const std::string got = fmt::format("(SELECT * FROM ({}))", sql);
    const std::string expected =
        fmt::format("(SELECT {} FROM read_parquet({}))", columns,
                    QuoteLiteral((root_ / name / "expected/*.parquet").string()));
    return connection_->ScalarInt(
        fmt::format("SELECT (SELECT count(*) FROM ({0} EXCEPT ALL {1})) + (SELECT count(*) FROM "
                    "({1} EXCEPT ALL {0}))",
                    got, expected));
  }

  static fs::path root_;
  static std::set<std::string> names_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
  std::unique_ptr<EngineParquetIo> parquet_;
  std::unique_ptr<storage::LocalStore> store_;
};

fs::path GoldenTest::root_;
std::set<std::string> GoldenTest::names_;

TEST_F(GoldenTest, TablesWithoutReaderFeaturesReadAsExpected) {
  int equal = 0;
  for (const std::string& name : names_) {
    if (kRefused.contains(name) || !fs::exists(root_ / name / "expected")) continue;
    const auto differences = CountDifferences(name);
    EXPECT_TRUE(differences) << name << ": " << differences.error().ToString();
    if (!differences) continue;
    EXPECT_EQ(*differences, 0) << name;
    ++equal;
  }
  EXPECT_EQ(equal, 57);  // 89 tables less the lists above
}

TEST_F(GoldenTest, TheOthersAreRefusedForTheReasonListed) {
  for (const auto& [name, refusal] : kRefused) {
    ASSERT_TRUE(names_.contains(name)) << name;
    const auto rows = CountRows(name);
    ASSERT_FALSE(rows) << name << " can be read: take it off the list";
    EXPECT_EQ(rows.error().kind, refusal.kind) << name << ": " << rows.error().ToString();
    EXPECT_THAT(rows.error().ToString(), ::testing::HasSubstr(std::string(refusal.word))) << name;
  }
}

TEST_F(GoldenTest, TablesWithoutExpectedRowsHaveTheirCount) {
  for (const std::string& name : names_) {
    if (kRefused.contains(name) || fs::exists(root_ / name / "expected")) continue;
    const auto listed = kCounted.find(name);
    const auto rows = CountRows(name);
    EXPECT_TRUE(rows) << name << ": " << rows.error().ToString();
    EXPECT_NE(listed, kCounted.end()) << name << " is in no list, with rows " << rows.value_or(-1);
    if (!rows || listed == kCounted.end()) continue;
    EXPECT_EQ(*rows, listed->second) << name;
  }
}

}  // namespace
}  // namespace vitalake::engine
