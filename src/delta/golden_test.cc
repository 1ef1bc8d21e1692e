// The log layer against the Delta kernels' golden tables (Apache-2.0).
//
// Versions and file counts are those delta-rs 1.6.6 finds (canonicalized-paths-*: those of Spark,
// where "/a", "file:/a" and "file:///a" are one file); rows are those of expected/, counted by
// DuckDB. What lies in Parquet checkpoints is for the tests of the engine: here no checkpoint can
// be read, so that tables which have one are read from their commits alone.
#include <stdlib.h>

#include <filesystem>

#include "delta/table_fixture.h"
#include "storage/local_store.h"

namespace vitalake::delta {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Golden {
  std::string name;  // archive, or archive/table where it holds several
  int64_t version;
  size_t files;
  int64_t rows;  // -1: the archive has no expected/
};
void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

const Golden kReadable[] = {
    {"124-decimal-decode-bug", 0, 2, 1},
    {"125-iterator-bug", 11, 12, 5},
    {"basic-decimal-table", 0, 4, 4},
    {"basic-decimal-table-legacy", 0, 4, 4},
    {"basic-with-inserts-deletes-checkpoint", 13, 7, 41},
    {"basic-with-inserts-merge", 1, 1, 140},
    {"basic-with-inserts-overwrite-restore", 3, 4, 200},
    {"basic-with-inserts-updates", 1, 2, 100},
    {"basic-with-vacuum-protocol-check-feature", 1, 2, 100},
    {"canonicalized-paths-normal-a", 1, 0, -1},
    {"canonicalized-paths-normal-b", 1, 0, -1},
    {"canonicalized-paths-special-a", 1, 0, -1},
    {"canonicalized-paths-special-b", 1, 0, -1},
    {"checkpoint", 14, 1, -1},
    {"corrupted-last-checkpoint-kernel", 11, 2, 100},
    {"data-reader-array-complex-objects", 0, 2, 10},
    {"data-reader-array-primitives", 0, 2, 10},
    {"data-reader-date-types-America", 0, 2, 1},
    {"data-reader-date-types-Asia", 0, 2, 1},
    {"data-reader-date-types-Etc", 0, 2, 1},
    {"data-reader-date-types-Iceland", 0, 2, 1},
    {"data-reader-date-types-Jst", 0, 2, 1},
    {"data-reader-date-types-Pst", 0, 2, 1},
    {"data-reader-date-types-utc", 0, 2, 1},
    {"data-reader-escaped-chars", 2, 3, 3},
    {"data-reader-map", 0, 2, 10},
    {"data-reader-nested-struct", 0, 2, 10},
    {"data-reader-nullable-field-invalid-schema-key", 0, 2, 1},
    {"data-reader-partition-values", 0, 3, 3},
    {"data-reader-primitives", 0, 2, 11},
    {"data-skipping-basic-stats-all-types", 0, 1, 1},
    {"data-skipping-basic-stats-all-types-checkpoint", 0, 1, 1},
    {"data-skipping-change-stats-collected-across-versions", 4, 3, 3},
    {"data-skipping-partition-and-data-column", 3, 4, 4},
    {"decimal-various-scale-precision", 0, 1, 3},
    {"delete-re-add-same-file-different-transactions", 3, 2, -1},
    {"deltalog-getChanges", 2, 0, 0},
    {"hive/deltatbl-column-names-case-insensitive", 0, 4, -1},
    {"hive/deltatbl-deleted-path", 0, 2, -1},
    {"hive/deltatbl-incorrect-format-config", 0, 2, -1},
    {"hive/deltatbl-map-types-correctly", 0, 1, -1},
    {"hive/deltatbl-non-partitioned", 0, 2, -1},
    {"hive/deltatbl-not-allow-write", 0, 2, -1},
    {"hive/deltatbl-partition-prune", 0, 5, -1},
    {"hive/deltatbl-partitioned", 0, 4, -1},
    {"hive/deltatbl-schema-match", 0, 4, -1},
    {"hive/deltatbl-special-chars-in-partition-column", 0, 4, -1},
    {"hive/deltatbl-touch-files-needed-for-partitioned", 0, 4, -1},
    {"kernel-timestamp-int96", 0, 5, 5},
    {"kernel-timestamp-pst", 0, 5, 5},
    {"kernel-timestamp-timestamp_micros", 0, 5, 5},
    {"kernel-timestamp-timestamp_millis", 0, 5, 5},
    {"log-replay-latest-metadata-protocol", 2, 4, 40},
    {"log-replay-special-characters", 1, 0, 0},
    {"log-replay-special-characters-a", 1, 0, 0},
    {"log-replay-special-characters-b", 0, 1, -1},
    {"multi-part-checkpoint", 1, 10, 31},
    {"only-checkpoint-files", 2, 7, 25},
    {"parquet-decimal-dictionaries", 0, 1, 1000000},
    {"parquet-decimal-dictionaries-v2", 0, 1, 1000000},
    {"parquet-decimal-type", 0, 1, 99998},
    {"snapshot-data0", 0, 2, 10},
    {"snapshot-data1", 1, 4, 20},
    {"snapshot-data2", 2, 2, 10},
    {"snapshot-data2-deleted", 4, 3, 20},
    {"snapshot-data3", 3, 4, 30},
    {"snapshot-repartitioned", 5, 2, 20},
    {"snapshot-vacuumed", 5, 2, 20},
    {"time-travel-partition-changes-a", 0, 10, 10},
    {"time-travel-partition-changes-b", 1, 4, 10},
    {"time-travel-schema-changes-a", 0, 2, 10},
    {"time-travel-schema-changes-b", 1, 4, 20},
    {"time-travel-start", 0, 2, 10},
    {"time-travel-start-start20", 1, 4, 20},
    {"time-travel-start-start20-start40", 2, 6, 30},
};

struct Refused {
  std::string name;
  ErrorKind kind;
  std::string says;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

const Refused kRefused[] = {
    {"data-reader-timestamp_ntz", ErrorKind::kUnsupported, "timestampNtz"},
    {"data-reader-timestamp_ntz-id-mode", ErrorKind::kUnsupported, "timestampNtz, columnMapping"},
    {"data-reader-timestamp_ntz-name-mode", ErrorKind::kUnsupported, "timestampNtz, columnMapping"},
    {"data-skipping-basic-stats-all-types-columnmapping-id", ErrorKind::kUnsupported,
     "columnMapping"},
    {"data-skipping-basic-stats-all-types-columnmapping-name", ErrorKind::kUnsupported,
     "columnMapping"},
    {"dv-partitioned-with-checkpoint", ErrorKind::kUnsupported, "deletionVectors"},
    {"dv-with-columnmapping", ErrorKind::kUnsupported, "deletionVectors, columnMapping"},
    {"log-replay-dv-key-cases", ErrorKind::kUnsupported, "deletionVectors"},
    {"parquet-all-types", ErrorKind::kUnsupported, "timestampNtz"},
    {"parquet-all-types-legacy-format", ErrorKind::kUnsupported, "timestampNtz"},
    {"table-with-columnmapping-mode-id", ErrorKind::kUnsupported, "columnMapping"},
    {"table-with-columnmapping-mode-name", ErrorKind::kUnsupported, "columnMapping"},
    {"v2-checkpoint-json", ErrorKind::kUnsupported, "v2Checkpoint"},
    {"v2-checkpoint-parquet", ErrorKind::kUnsupported, "v2Checkpoint"},
    {"data-reader-absolute-paths-escaped-chars", ErrorKind::kCorrupt, "metaData"},
    {"deltalog-commit-info", ErrorKind::kCorrupt, "metaData"},
    {"deltalog-invalid-protocol-version", ErrorKind::kUnsupported, "version 99"},
    {"deltalog-state-reconstruction-without-metadata", ErrorKind::kCorrupt, "no metaData"},
    {"deltalog-state-reconstruction-without-protocol", ErrorKind::kCorrupt, "no protocol"},
    {"no-delta-log-folder", ErrorKind::kNotFound, "no Delta table"},
    {"versions-not-contiguous", ErrorKind::kCorrupt, "1 is missing"},
};

// One archive, unpacked for the length of a test.
class GoldenTables {
 protected:
  GoldenTables() {
    std::string pattern = (fs::temp_directory_path() / "golden-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
  }
  ~GoldenTables() { fs::remove_all(folder_); }

  Result<SnapshotPtr> Read(const std::string& name) {
    const std::string archive = name.substr(0, name.find('/'));
    const fs::path from = fs::path(VITALAKE_SOURCE_DIR) /
                          "../shared/data/delta-golden/kernel-golden" / (archive + ".tar.zst");
    const std::string unpack =
        fmt::format("tar --zstd -xf '{}' -C '{}'", from.string(), folder_.string());
    if (std::system(unpack.c_str()) != 0) throw std::runtime_error("failed: " + unpack);
    auto store = storage::LocalStore::Open(folder_ / archive);
    if (!store) throw std::runtime_error(store.error().ToString());
    const std::string root = "delta" + name.substr(archive.size());
    return Table::Open({**store, parquet_, clock_, random_}, root)->Latest();
  }

 private:
  fs::path folder_;
  NdjsonParquet parquet_;
  ManualClock clock_{kStart};
  SeededRandom random_{1};
};

class ReadableGolden : public testing::TestWithParam<Golden>, protected GoldenTables {};

TEST_P(ReadableGolden, HasTheExpectedFiles) {
  const Golden& golden = GetParam();
  const auto snapshot = Read(golden.name);
  ASSERT_TRUE(snapshot) << snapshot.error().ToString();
  EXPECT_EQ((*snapshot)->version().value, golden.version);
  EXPECT_EQ((*snapshot)->files().size(), golden.files);
  if (golden.rows < 0) return;
  int64_t rows = 0;
  for (const AddFilePtr& file : (*snapshot)->files()) {
    const auto counted = file->NumRecords();
    if (!counted) return;  // written without statistics: only Parquet can tell
    rows += *counted;
  }
  EXPECT_EQ(rows, golden.rows);
}

INSTANTIATE_TEST_SUITE_P(Golden, ReadableGolden, testing::ValuesIn(kReadable));

class RefusedGolden : public testing::TestWithParam<Refused>, protected GoldenTables {};

TEST_P(RefusedGolden, SaysWhy) {
  const auto snapshot = Read(GetParam().name);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, GetParam().kind) << snapshot.error().ToString();
  EXPECT_THAT(snapshot.error().ToString(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Golden, RefusedGolden, testing::ValuesIn(kRefused));

}  // namespace
}  // namespace vitalake::delta
