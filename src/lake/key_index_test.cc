#include "lake/key_index.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ReadBytes BytesOf(const std::string& bytes) {
  return [&bytes](int64_t offset, int64_t size) -> Result<std::string> {
    if (offset >= static_cast<int64_t>(bytes.size())) return "";
    return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
  };
}

const IndexedFile kFile{"part-0.parquet", 12345, 3};

std::vector<KeyEntry> MustFind(const std::string& bytes, const std::vector<uint64_t>& wanted,
                               const IndexedFile& file = kFile,
                               int64_t block_entries = kKeyBlockEntries) {
  const auto index = KeyIndexFile::Open(file, BytesOf(bytes), block_entries);
  EXPECT_TRUE(index) << index.error().ToString();
  auto found = index->Find(wanted);
  EXPECT_TRUE(found) << found.error().ToString();
  return *found;
}

TEST(KeyHashTest, KeysOfTwoSpacesAreTwoKeys) {
  EXPECT_NE(KeyHash("a", "1"), KeyHash("b", "1"));
  EXPECT_NE(KeyHash("", "1"), KeyHash("1", ""));
  EXPECT_NE(KeyHash("a", "b1"), KeyHash("ab", "1"));
  // On disk for ever: XXH3 of the id alone where there is no space.
  EXPECT_EQ(KeyHash("", "patient-1"), Hash64("patient-1"));
}

TEST(KeyIndexFileTest, FindsRowsOfWantedHashesOnly) {
  const std::string bytes = EncodeKeyIndex(kFile, {{30, 0}, {10, 2}, {30, 1}});
  EXPECT_THAT(MustFind(bytes, {5, 10, 20, 30, 40}),
              ElementsAre(KeyEntry{10, 2}, KeyEntry{30, 0}, KeyEntry{30, 1}));
  EXPECT_THAT(MustFind(bytes, {11, 29, UINT64_MAX}), IsEmpty());
  EXPECT_THAT(MustFind(bytes, {}), IsEmpty());
  EXPECT_THAT(MustFind(EncodeKeyIndex({"p", 1, 0}, {}), {0, 1}, {"p", 1, 0}), IsEmpty());
}

TEST(KeyIndexFileTest, AgreesWithASearchOfAllEntries) {
  // 20,000 entries in 7,000 hashes: runs of one hash cross the borders of blocks.
  std::vector<KeyEntry> entries;
  for (uint32_t row = 0; row < 20'000; ++row) {
    entries.push_back({Hash64(fmt::to_string(row % 7'000)) >> 40, row});
  }
  entries.resize(20'000);
  for (uint32_t row = 0; row < 9'000; ++row) entries.push_back({77, 20'000 + row});
  const IndexedFile file{"f", 1, 29'000};
  const std::string bytes = EncodeKeyIndex(file, entries);
  const std::string in_small_blocks = EncodeKeyIndex(file, entries, 64);
  for (const size_t step : {1, 3, 100, 6'999}) {
    std::vector<uint64_t> wanted = {77};
    for (size_t i = 0; i < 14'000; i += step) {
      wanted.push_back(Hash64(fmt::to_string(i)) >> 40);  // every other one is not there
    }
    std::ranges::sort(wanted);
    wanted.erase(std::ranges::unique(wanted).begin(), wanted.end());
    std::vector<KeyEntry> expected;
    for (const KeyEntry& entry : entries) {
      if (std::ranges::binary_search(wanted, entry.hash)) expected.push_back(entry);
    }
    std::ranges::sort(expected);
    EXPECT_EQ(MustFind(bytes, wanted, file), expected) << step;
    EXPECT_EQ(MustFind(in_small_blocks, wanted, file, 64), expected) << step;
  }
}

TEST(KeyIndexFileTest, ReadsNoMoreBlocksThanItNeeds) {
  std::vector<KeyEntry> entries;
  for (uint32_t row = 0; row < 200'000; ++row) entries.push_back({row * uint64_t{1'000}, row});
  const IndexedFile file{"f", 1, 200'000};
  const std::string bytes = EncodeKeyIndex(file, entries);
  int64_t read = 0;
  const auto index =
      KeyIndexFile::Open(file, [&](int64_t offset, int64_t size) -> Result<std::string> {
        read += size;
        return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
      });
  ASSERT_TRUE(index);
  const std::vector<uint64_t> wanted = {50'000'000};
  EXPECT_THAT(*index->Find(wanted), ElementsAre(KeyEntry{50'000'000, 50'000}));
  EXPECT_LT(read, 100'000);  // of 2.4 MB
}

TEST(KeyIndexFileTest, NoChangedByteIsTrusted) {
  const std::string good = EncodeKeyIndex(kFile, {{10, 2}, {30, 0}, {30, 1}});
  const std::vector<uint64_t> wanted = {10, 30};
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    const auto index = KeyIndexFile::Open(kFile, BytesOf(bad));
    EXPECT_FALSE(index && index->Find(wanted)) << at;
    const std::string cut = good.substr(0, at);
    const auto shorter = KeyIndexFile::Open(kFile, BytesOf(cut));
    EXPECT_FALSE(shorter && shorter->Find(wanted)) << at;
  }
}

TEST(KeyIndexFileTest, BelongsToOneDataFile) {
  const std::string bytes = EncodeKeyIndex(kFile, {{10, 2}, {30, 0}, {30, 1}});
  for (const IndexedFile& other :
       {IndexedFile{"part-1.parquet", 12345, 3}, IndexedFile{"part-0.parquet", 12346, 3},
        IndexedFile{"part-0.parquet", 12345, 4}, IndexedFile{"part", 12345, 3}}) {
    const auto index = KeyIndexFile::Open(other, BytesOf(bytes));
    ASSERT_FALSE(index);
    EXPECT_EQ(index.error().kind, ErrorKind::kCorrupt);
  }
  EXPECT_TRUE(KeyIndexFile::Open({"part-0.parquet", 12345, -1}, BytesOf(bytes)));
}

class KeyIndexTest : public ::testing::Test {
 protected:
  static constexpr const char* kTable = "silver.vital_sign";

  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-key-index-" + random_.Uuid());
    LakeOptions options;
    options.location = folder_.string();
    options.threads = 2;
    auto lake = Lake::Open(options, clock_, random_);
    ASSERT_TRUE(lake) << lake.error().ToString();
    lake_ = std::move(*lake);
    ASSERT_TRUE(lake_->CreateMissingTables());
    connection_.emplace(std::move(*lake_->engine().Connect()));
    Append("SELECT 'id-' || i AS id, NULL::VARCHAR AS id_space FROM range(5000) t(i)");
    Append("SELECT 'id-' || (i // 2) AS id, 'east' AS id_space FROM range(3000) t(i)");
  }
  void TearDown() override {
    connection_.reset();
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  // One data file of rows with these columns, the others null.
  void Append(const std::string& select) {
    const auto spec = lake_->Spec(kTable);
    ASSERT_TRUE(spec);
    std::string columns;
    for (const TableColumn& column : (*spec)->columns) {
      if (column.name == "id" || column.name == "id_space") continue;
      const std::string type = column.type == "string"      ? "VARCHAR"
                               : column.type == "long"      ? "BIGINT"
                               : column.type == "timestamp" ? "TIMESTAMPTZ"
                                                            : column.type;
      columns += fmt::format(", NULL::{} AS {}", type, engine::QuoteName(column.name));
    }
    const auto done = AppendRows(*lake_, *connection_, **spec,
                                 fmt::format("SELECT *{} FROM ({})", columns, select), {}, {});
    ASSERT_TRUE(done) << done.error().ToString();
  }

  // "<id_space>/<id>" of the rows found for keys, looked up in the table itself.
  std::vector<std::string> Find(std::vector<uint64_t> wanted) {
    std::ranges::sort(wanted);
    const auto snapshot = lake_->Latest(kTable);
    EXPECT_TRUE(snapshot);
    const auto hits = KeyIndex(*lake_, kTable).Find(*snapshot, (*snapshot)->files(), wanted);
    EXPECT_TRUE(hits) << hits.error().ToString();
    std::vector<std::string> keys;
    for (const KeyHit& hit : *hits) {
      const auto local = lake_->store().LocalPath("silver/vital_sign/" + hit.file->path);
      keys.push_back(*connection_->Scalar(
          fmt::format("SELECT concat(id_space, '/', id) FROM read_parquet({}) WHERE "
                      "file_row_number = {}",
                      engine::QuotePath(*local), hit.row)));
    }
    std::ranges::sort(keys);
    return keys;
  }

  std::vector<std::filesystem::path> IndexFiles() const {
    std::vector<std::filesystem::path> files;
    const auto folder = folder_ / "_vitalake/index" / kTable;
    if (!std::filesystem::exists(folder)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      files.push_back(entry.path());
    }
    return files;
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<Lake> lake_;
  std::optional<engine::Connection> connection_;
};

TEST_F(KeyIndexTest, FindsTheRowsOfKeysInAllFiles) {
  const auto wanted = {KeyHash("", "id-4999"), KeyHash("east", "id-7"), KeyHash("", "none"),
                       KeyHash("west", "id-7")};
  EXPECT_THAT(Find(wanted), ElementsAre("/id-4999", "east/id-7", "east/id-7"));
  EXPECT_THAT(IndexFiles(), SizeIs(2));
  EXPECT_THAT(Find(wanted), ElementsAre("/id-4999", "east/id-7", "east/id-7"));
}

TEST_F(KeyIndexTest, IsMadeAnewWhenDamagedOrGone) {
  const auto wanted = {KeyHash("", "id-1")};
  EXPECT_THAT(Find(wanted), ElementsAre("/id-1"));
  auto files = IndexFiles();
  ASSERT_THAT(files, SizeIs(2));
  std::filesystem::resize_file(files[0], 100);
  std::filesystem::remove(files[1]);
  EXPECT_THAT(Find(wanted), ElementsAre("/id-1"));
  EXPECT_THAT(IndexFiles(), SizeIs(2));
  EXPECT_GT(std::filesystem::file_size(files[0]), 100u);
  // Another file's index under this name is not believed.
  std::filesystem::copy_file(files[0], files[1], std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(Find(wanted), ElementsAre("/id-1"));
}

TEST_F(KeyIndexTest, DropsWhatTheTableHasNoLonger) {
  Find({1});
  ASSERT_THAT(IndexFiles(), SizeIs(2));
  const auto snapshot = lake_->Latest(kTable);
  delta::SnapshotState state = (*snapshot)->state();
  const std::string kept = state.files.back()->path;
  state.files = {state.files.back()};
  KeyIndex(*lake_, kTable).DropAllBut(**delta::Snapshot::Make(std::move(state)));
  ASSERT_THAT(IndexFiles(), SizeIs(1));
  EXPECT_EQ(IndexFiles().front().filename(), kept + ".keys");
}

}  // namespace
}  // namespace vitalake::lake
