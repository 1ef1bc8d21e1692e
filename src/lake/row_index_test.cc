#include "lake/row_index.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>

#include "lake/upsert_fixture.h"

namespace vitalake::lake {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

ReadBytes OfText(const std::string& bytes) {
  return [&bytes](int64_t offset, int64_t size) -> Result<std::string> {
    if (offset >= static_cast<int64_t>(bytes.size())) return "";
    return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
  };
}

// 100 rows: id "0".."99" of patient "p<id % 7>", with a value of every type, every third without.
class RowIndexFileTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kRows = 100;
  const IndexedFile file_{"part-0.parquet", 12345, kRows};
  const std::vector<view::ColumnSpec> columns_ = {
      {"id", view::ColumnType::kVarchar, {}, {}},
      {"patient_id", view::ColumnType::kVarchar, {}, {}},
      {"flag", view::ColumnType::kBoolean, {}, {}},
      {"number", view::ColumnType::kDouble, {}, {}},
      {"day", view::ColumnType::kDate, {}, {}},
      {"count", view::ColumnType::kBigint, {}, {}}};

  std::string Encode() const {
    const std::vector<IndexedColumn> indexed = {
        {"id", ""}, {"patient_id", ""}, {"patient_id", "flag"}};
    RowIndexWriter writer(columns_, indexed);
    for (uint32_t row = 0; row < kRows; ++row) {
      const std::string id = fmt::to_string(row), patient = fmt::format("p{}", row % 7);
      std::vector<view::Cell> cells(columns_.size());
      for (size_t i = 0; i < cells.size(); ++i) cells[i].is_null = i >= 2 && row % 3 == 0;
      cells[0].text = id;
      cells[1].text = patient;
      cells[2].boolean = row % 2 == 0;
      cells[3].number = row / 8.0;
      cells[4].integer = -static_cast<int64_t>(row);
      cells[5].integer = std::numeric_limits<int64_t>::max() - row;
      EXPECT_TRUE(writer.Append(cells));
    }
    auto bytes = writer.Finish(file_);
    EXPECT_TRUE(bytes);
    return *bytes;
  }
  static Result<RowIndexFile> Open(const IndexedFile& file, const std::string& bytes) {
    return RowIndexFile::Open(file, static_cast<int64_t>(bytes.size()), OfText(bytes));
  }
  static std::vector<uint64_t> Hashes(std::vector<std::string> values) {
    std::vector<uint64_t> hashes;
    for (const std::string& value : values) hashes.push_back(Hash64(value));
    std::ranges::sort(hashes);
    return hashes;
  }
};

TEST_F(RowIndexFileTest, FindsRowsByEachIndexedColumn) {
  const std::string bytes = Encode();
  const auto index = Open(file_, bytes);
  ASSERT_TRUE(index) << index.error().ToString();
  EXPECT_THAT(*index->Find({"id", ""}, Hashes({"31", "99", "100"})), ElementsAre(31u, 99u));
  EXPECT_THAT(*index->Find({"patient_id", ""}, Hashes({"p6"})),
              ElementsAre(6, 13, 20, 27, 34, 41, 48, 55, 62, 69, 76, 83, 90, 97));
  EXPECT_THAT(*index->Find({"patient_id", "flag"}, Hashes({"p6"})), ElementsAre(6, 27, 48, 69, 90));
  EXPECT_EQ(index->Find({"id", "flag"}, Hashes({"31"})).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(index->Find({"flag", ""}, Hashes({"true"})).error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(*index->Find({"none", ""}, Hashes({"true"})), testing::IsEmpty());
}

TEST_F(RowIndexFileTest, GivesBackEveryTypeAndNull) {
  const std::string bytes = Encode();
  const auto index = Open(file_, bytes);
  ASSERT_TRUE(index);
  std::vector<uint32_t> rows(kRows);
  for (uint32_t row = 0; row < kRows; ++row) rows[row] = row;
  uint32_t row = 0;
  const Status read = index->Read(rows, [&](std::span<const view::Cell> cells) {
    EXPECT_EQ(cells[0].text, fmt::to_string(row));
    EXPECT_EQ(cells[1].text, fmt::format("p{}", row % 7));
    for (size_t i = 2; i < cells.size(); ++i) EXPECT_EQ(cells[i].is_null, row % 3 == 0) << row;
    if (row % 3 != 0) {
      EXPECT_EQ(cells[2].boolean, row % 2 == 0);
      EXPECT_EQ(cells[3].number, row / 8.0);
      EXPECT_EQ(cells[4].integer, -static_cast<int64_t>(row));
      EXPECT_EQ(cells[5].integer, std::numeric_limits<int64_t>::max() - row);
    }
    ++row;
  });
  EXPECT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(row, kRows);
}

// A change of any byte is noticed before a wrong row is given.
TEST_F(RowIndexFileTest, NoticesDamageAndOtherFiles) {
  const std::string bytes = Encode();
  const auto broken = [&](const std::string& text) {
    const auto index = Open(file_, text);
    if (!index) return index.error().kind == ErrorKind::kCorrupt;
    const auto ids = index->Find({"id", ""}, Hashes({"31", "70"}));
    const auto patients = index->Find({"patient_id", ""}, Hashes({"p6"}));
    const auto unflagged = index->Find({"patient_id", "flag"}, Hashes({"p6"}));
    if (!ids || !patients || !unflagged) return true;
    std::vector<std::string> found;
    const std::vector<uint32_t> rows = {0, 31, 70, 99};
    const Status read = index->Read(
        rows, [&](std::span<const view::Cell> cells) { found.emplace_back(cells[0].text); });
    return !read ||
           (*ids == std::vector<uint32_t>{31, 70} && patients->size() == 14 &&
            unflagged->size() == 5 && found == std::vector<std::string>{"0", "31", "70", "99"});
  };
  for (size_t at = 0; at < bytes.size(); at += 3) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    EXPECT_TRUE(broken(changed)) << at;
    EXPECT_TRUE(broken(bytes.substr(0, at))) << at;
  }
  EXPECT_EQ(Open({"part-1.parquet", 12345, kRows}, bytes).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(Open({"part-0.parquet", 12346, kRows}, bytes).error().kind, ErrorKind::kCorrupt);
}

class RowIndexTest : public UpsertFixture {
 protected:
  // Ids of the rows found; nullopt: by scan only.
  std::optional<std::vector<std::string>> Ids(std::string_view column,
                                              const std::vector<std::string>& values) {
    const auto snapshot = *ours_->Latest("silver.observation");
    const auto fields = snapshot->schema().fields();
    const auto id =
        static_cast<size_t>(std::ranges::find(fields, "id", &delta::Field::name) - fields.begin());
    std::vector<std::string> ids;
    const auto found = ours_->row_index().Read({"silver.observation", snapshot, column, values},
                                               [&](std::span<const view::Cell> cells) {
                                                 ids.emplace_back(cells[id].text);
                                                 return ids.size() < most_;
                                               },
                                               {});
    EXPECT_TRUE(found) << found.error().ToString();
    if (!found || !*found) return std::nullopt;
    return ids;
  }
  size_t most_ = 1'000;  // rows that there is a place for

  std::vector<std::string> Kept() {
    std::vector<std::string> keys;
    const auto listed = local_->List("_vitalake/rows/");
    for (const storage::ObjectInfo& object : *listed) keys.push_back(object.key);
    return keys;
  }
};

TEST_F(RowIndexTest, IsGivenUpWhereThereIsNoPlaceForMoreRows) {
  ours_->row_index().Enable();
  Upsert(*ours_, {{.id = "a", .patient = "p"}, {.id = "b", .patient = "p"}});
  EXPECT_THAT(*Ids("patient_id", {"p"}), testing::UnorderedElementsAre("a", "b"));
  most_ = 1;
  EXPECT_EQ(Ids("patient_id", {"p"}), std::nullopt);
}

TEST_F(RowIndexTest, FindsAPatientsReadingsInAllFiles) {
  Upsert(*ours_, {{.id = "a", .patient = "p"}, {.id = "b", .patient = "q"}});
  Upsert(*ours_, {{.id = "c", .patient = "p"}, {.id = "d", .patient = "r"}});
  EXPECT_EQ(Ids("patient_id", {"p"}), std::nullopt) << "nobody asked for indexes";
  EXPECT_THAT(Kept(), IsEmpty());
  ours_->row_index().Enable();
  EXPECT_THAT(*Ids("patient_id", {"p"}), UnorderedElementsAre("a", "c"));
  EXPECT_THAT(*Ids("patient_id", {"q", "r", "x"}), UnorderedElementsAre("b", "d"));
  EXPECT_THAT(*Ids("id", {"d"}), ElementsAre("d"));
  EXPECT_EQ(Ids("body_site", {"arm"}), std::nullopt);
  EXPECT_EQ(ours_->row_index().answered(), 3);
}

TEST_F(RowIndexTest, FollowsTheTable) {
  ours_->row_index().Enable();
  Upsert(*ours_, {{.id = "a", .patient = "p"}, {.id = "b", .patient = "p"}});
  EXPECT_THAT(*Ids("patient_id", {"p"}), UnorderedElementsAre("a", "b"));
  Upsert(*ours_, {{.id = "a", .version = 2, .patient = "q"}});
  EXPECT_THAT(*Ids("patient_id", {"p"}), ElementsAre("b"));
  EXPECT_THAT(*Ids("patient_id", {"q"}), ElementsAre("a"));
}

TEST_F(RowIndexTest, MakesAnewWhatIsDamagedOrGone) {
  ours_->row_index().Enable();
  Upsert(*ours_, {{.id = "a", .patient = "p"}});
  ASSERT_THAT(*Ids("patient_id", {"p"}), ElementsAre("a"));
  for (const std::string& key : Kept()) ASSERT_TRUE(local_->Put(key, "nothing of use"));
  rival_->row_index().Enable();
  std::swap(ours_, rival_);
  EXPECT_THAT(*Ids("patient_id", {"p"}), ElementsAre("a"));
  std::swap(ours_, rival_);
  for (const std::string& key : Kept()) ASSERT_TRUE(local_->Delete(key));
  // What it had open is gone under it: at the latest the second time it is there again.
  Ids("patient_id", {"p"});
  EXPECT_THAT(*Ids("patient_id", {"p"}), ElementsAre("a"));
}

TEST_F(RowIndexTest, WhereNothingCanBeKeptRowsAreScanned) {
  Upsert(*rival_, {{.id = "a", .patient = "p"}});
  store_->Add({.call = storage::StoreCall::kPut,
               .times = storage::FaultTimes::kForEver,
               .kind = ErrorKind::kPermission});
  ours_->row_index().Enable();
  ours_->row_index().Finish();
  EXPECT_FALSE(ours_->row_index().enabled());
  EXPECT_EQ(Ids("patient_id", {"p"}), std::nullopt);
}

TEST_F(RowIndexTest, NobodyWaitsForTheWorker) {
  Upsert(*rival_, {{.id = "a", .patient = "p"}});
  std::future<std::optional<std::vector<std::string>>> asked;
  store_->ResetCounts();
  store_->Before(
      1,
      [&] {
        asked = std::async(std::launch::async, [&] { return Ids("patient_id", {"p"}); });
        EXPECT_EQ(asked.wait_for(std::chrono::seconds(20)), std::future_status::ready);
      },
      storage::StoreCall::kPut);
  ours_->row_index().Enable();
  ours_->row_index().Finish();
  ASSERT_TRUE(asked.valid());
  EXPECT_THAT(*asked.get(), ElementsAre("a"));
}

// The files that hold a reading are told from those that do not.

TEST_F(RowIndexTest, SqlReadsNoTableFileForOnePatient) {
  Upsert(*ours_, {{.id = "a", .patient = "p"}, {.id = "b", .patient = "q"}});
  Upsert(*ours_, {{.id = "c", .patient = "p"}});
  ours_->row_index().Enable();
  const auto session = *OpenSqlSession(*ours_);
  const auto texts = [&](const std::string& sql,
                         const std::vector<engine::Parameter>& values = {}) {
    std::vector<std::string> found;
    auto rows = session->Query(sql, values);
    EXPECT_TRUE(rows) << rows.error().ToString();
    while (rows && *rows->Next()) {
      found.push_back(rows->Text(rows->columns().size() - 1));
    }
    return found;
  };
  const std::string select = "SELECT id FROM silver.observation o WHERE ";
  EXPECT_THAT(texts(select + "o.patient_id = 'p' ORDER BY id"), ElementsAre("a", "c"));
  EXPECT_THAT(texts(select + "patient_id = $1 AND id > 'a'", {"p"}), ElementsAre("c"));
  EXPECT_THAT(texts(select + "patient_id = 'nobody'"), IsEmpty());
  EXPECT_EQ(ours_->row_index().answered(), 3);
  EXPECT_THAT(texts("EXPLAIN " + select + "patient_id = 'p'").front(),
              testing::AllOf(HasSubstr("ROW_BUFFER"), Not(HasSubstr("PARQUET"))));
  // What does not say that one value is wanted is asked of the table.
  const auto before = ours_->row_index().answered();
  EXPECT_THAT(texts(select + "patient_id = 'p' OR id = 'b' ORDER BY id"), SizeIs(3));
  EXPECT_THAT(texts(select + "patient_id <> 'p'"), ElementsAre("b"));
  EXPECT_THAT(
      texts("SELECT o.id FROM silver.observation o JOIN silver.observation x ON o.id = x.id "
            "WHERE x.patient_id = 'q'"),
      ElementsAre("b"));
  EXPECT_THAT(texts("SELECT silver.observation.id FROM silver.observation WHERE patient_id = 'q'"),
              ElementsAre("b"));
  EXPECT_THAT(texts("SELECT count(*) FROM silver.observation AT (VERSION => 1) "
                    "WHERE patient_id = 'p'"),
              ElementsAre("1"));
  EXPECT_GE(ours_->row_index().answered(), before);
}

}  // namespace
}  // namespace vitalake::lake
