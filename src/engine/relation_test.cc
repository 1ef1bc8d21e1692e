#include "engine/relation.h"

#include "engine/lake_fixture.h"

namespace vitalake::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RelationTest : public LakeFixture {
 protected:
  std::string From(const RelationOptions& options = {}) {
    auto sql = RelationSql(Latest(), options);
    return sql ? "(" + *sql + ")" : sql.error().ToString();
  }
};

TEST_F(RelationTest, AnEmptyTableHasItsColumns) {
  auto result = connection_->Query("SELECT * FROM " + From());
  ASSERT_TRUE(result) << result.error().ToString();
  ASSERT_EQ(result->columns().size(), 3u);
  EXPECT_EQ(result->columns()[2].type, "TIMESTAMP WITH TIME ZONE");
  EXPECT_FALSE(*result->Next());
}

TEST_F(RelationTest, GivesTheRowsOfEveryFile) {
  Append(0, 100);
  Append(100, 250);
  EXPECT_EQ(Scalar("SELECT count(*) || ' ' || sum(value) || ' ' || max(taken) FROM " + From()),
            "250 31125 2026-11-22 00:04:09+00");
  EXPECT_EQ(Scalar("SELECT max(value) FROM " + From({.columns = {"value"}})), "249");
}

TEST_F(RelationTest, ColumnsAFileLacksAreNull) {
  delta::Transaction tx(*table_, *table_->Latest());
  tx.Add(PutRows("SELECT 'a' AS id, 1::INTEGER AS value, 7 AS unknown"));
  Commit(tx);
  EXPECT_EQ(Scalar("SELECT id || value || (taken IS NULL) || typeof(value) FROM " + From()),
            "a1trueBIGINT");
}

TEST_F(RelationTest, PositionsNameFileAndRow) {
  const auto first = Append(0, 10);
  const auto second = Append(10, 30);
  EXPECT_EQ(Scalar("SELECT count(*) FROM " + From({.with_positions = true}) +
                   " WHERE value = _row"
                   " AND _file = " +
                   QuoteLiteral(first.path)),
            "10");
  EXPECT_EQ(Scalar("SELECT count(*) FROM " + From({.with_positions = true}) +
                   " WHERE value = _row"
                   " + 10 AND _file = " +
                   QuoteLiteral(second.path)),
            "20");
  EXPECT_EQ(Scalar("SELECT count(*) FROM " +
                   From({.with_positions = true, .files = std::vector{second.path}})),
            "20");
}

TEST_F(RelationTest, PathsAreNoPatterns) {
  delta::Transaction tx(*table_, *table_->Latest());
  tx.Add(PutRows(Rows(0, 5), "a[1]*/"));
  tx.Add(PutRows(Rows(5, 7), "o'clock? %/"));
  Commit(tx);
  EXPECT_EQ(Scalar("SELECT count(*) FROM " + From()), "7");
  EXPECT_EQ(Scalar("SELECT count(DISTINCT _file) FROM " + From({.with_positions = true}) +
                   " WHERE _file LIKE 'a[1]*/%' OR _file LIKE 'o''clock? \\%/%' ESCAPE '\\'"),
            "2");
}

TEST_F(RelationTest, AMissingFileIsNotFound) {
  const auto file = Append(0, 10);
  ASSERT_TRUE(store_->Delete(std::string(kRoot) + "/" + file.path));
  auto sql = RelationSql(Latest());
  ASSERT_FALSE(sql);
  EXPECT_EQ(sql.error().kind, ErrorKind::kNotFound);
}

TEST_F(RelationTest, AnUnknownColumnIsNamed) {
  auto sql = RelationSql(Latest(), {.columns = {"nothing"}});
  ASSERT_FALSE(sql);
  EXPECT_EQ(sql.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(sql.error().message, ::testing::HasSubstr("nothing"));
}

class PruneTest : public RelationTest {
 protected:
  void SetUp() override {
    RelationTest::SetUp();
    low_ = Append(0, 100).path;     // taken: 00:00:00 .. 00:01:39
    high_ = Append(100, 200).path;  // taken: 00:01:40 .. 00:03:19
    delta::Transaction tx(*table_, *table_->Latest());
    nulls_ = PutRows("SELECT 'n' AS id, NULL::BIGINT AS value, NULL::TIMESTAMPTZ AS taken").path;
    store_->Delete(std::string(kRoot) + "/" + nulls_).value();
    delta::AddFile file =
        PutRows("SELECT 'n' AS id, NULL::BIGINT AS value, NULL::TIMESTAMPTZ AS taken");
    nulls_ = file.path;
    tx.Add(file);
    Commit(tx);
  }

  std::vector<std::string> Prune(ColumnBound bound) {
    return PruneFiles(*Latest().snapshot, {&bound, 1});
  }

  using Op = ColumnBound::Op;
  std::string low_;
  std::string high_;
  std::string nulls_;
};

TEST_F(PruneTest, LeavesTheFilesThatMayHoldARow) {
  EXPECT_THAT(Prune({"value", Op::kEqual, int64_t{99}}), ElementsAre(low_));
  EXPECT_THAT(Prune({"value", Op::kEqual, int64_t{200}}), IsEmpty());
  EXPECT_THAT(Prune({"value", Op::kGreater, int64_t{99}}), ElementsAre(high_));
  EXPECT_THAT(Prune({"value", Op::kGreaterEqual, int64_t{99}}), UnorderedElementsAre(low_, high_));
  EXPECT_THAT(Prune({"value", Op::kLess, 100.0}), ElementsAre(low_));
  EXPECT_THAT(Prune({"value", Op::kLessEqual, 100.0}), UnorderedElementsAre(low_, high_));
  EXPECT_THAT(Prune({"value", Op::kIsNull, {}}), ElementsAre(nulls_));
  EXPECT_THAT(Prune({"value", Op::kIsNotNull, {}}), UnorderedElementsAre(low_, high_));
}

TEST_F(PruneTest, ComparesTextAndTimes) {
  EXPECT_THAT(Prune({"id", Op::kEqual, std::string("n")}), ElementsAre(nulls_));
  EXPECT_THAT(Prune({"id", Op::kLess, std::string("r1")}), UnorderedElementsAre(low_, nulls_));
  EXPECT_THAT(Prune({"taken", Op::kGreaterEqual, std::string("2026-11-22T00:01:40Z")}),
              ElementsAre(high_));
  EXPECT_THAT(Prune({"taken", Op::kLess, std::string("2026-11-22 01:01:40+01:00")}),
              ElementsAre(low_));
  // Another writer may have cut an upper bound to milliseconds.
  EXPECT_THAT(Prune({"taken", Op::kGreaterEqual, std::string("2026-11-22T00:01:39.000999Z")}),
              UnorderedElementsAre(low_, high_));
}

TEST_F(PruneTest, DoubtKeepsAFile) {
  EXPECT_THAT(Prune({"value", Op::kEqual, std::string("99")}), UnorderedElementsAre(low_, high_));
  EXPECT_THAT(Prune({"taken", Op::kEqual, std::string("noon")}), UnorderedElementsAre(low_, high_));
  EXPECT_THAT(Prune({"unknown", Op::kEqual, int64_t{1}}).size(), 3u);
  delta::Transaction tx(*table_, *table_->Latest());
  delta::AddFile file = PutRows(Rows(500, 501));
  file.stats = "";
  tx.Add(file);
  Commit(tx);
  EXPECT_THAT(Prune({"value", Op::kEqual, int64_t{1}}), UnorderedElementsAre(low_, file.path));
}

TEST_F(PruneTest, TheRelationReadsOnlyWhatIsLeft) {
  ASSERT_TRUE(store_->Delete(std::string(kRoot) + "/" + low_));
  const ColumnBound bound{"value", Op::kGreater, int64_t{150}};
  EXPECT_EQ(Scalar("SELECT count(*) FROM " + From({.bounds = {bound}}) + " WHERE value > 150"),
            "49");
}

TEST_F(RelationTest, ChangesHaveKindVersionAndTime) {
  const auto file = Append(0, 3);
  const int64_t inserted = Latest().snapshot->version().value;
  delta::Transaction tx(*table_, *table_->Latest());
  tx.Remove(file.path);
  tx.Add(PutRows("SELECT 'r0' AS id, 100::BIGINT AS value, NULL::TIMESTAMPTZ AS taken"));
  const auto change = PutRows(
      "SELECT * FROM (VALUES ('r0', 0::BIGINT, NULL::TIMESTAMPTZ, 'update_preimage'),"
      " ('r0', 100, NULL, 'update_postimage'), ('r1', 1, NULL, 'delete'), ('r2', 2, NULL, "
      "'delete'))"
      " t(id, value, taken, _change_type)",
      "_change_data/");
  delta::CdcFile cdc;
  cdc.path = change.path;
  cdc.size_bytes = change.size_bytes;
  tx.AddCdc(cdc);
  Commit(tx);
  auto changes = table_->Changes(Version{inserted}, Version{inserted + 1});
  ASSERT_TRUE(changes) << changes.error().ToString();
  auto sql = ChangesSql(Latest(), *changes);
  ASSERT_TRUE(sql) << sql.error().ToString();
  EXPECT_EQ(
      Scalar("SELECT string_agg(_commit_version - " + std::to_string(inserted) +
             " || _change_type || id || value, ' ' ORDER BY _commit_version, _change_type, id)"
             " FROM (" +
             *sql + ")"),
      "0insertr00 0insertr11 0insertr22 1deleter11 1deleter22 1update_postimager0100"
      " 1update_preimager00");
  EXPECT_EQ(
      Scalar("SELECT count(DISTINCT _commit_timestamp) || bool_and(_commit_timestamp > now() -"
             " INTERVAL 1 HOUR) FROM (" +
             *sql + ")"),
      "2true");
  auto none = ChangesSql(Latest(), {});
  ASSERT_TRUE(none);
  EXPECT_EQ(Scalar("SELECT count(*) FROM (" + *none + ")"), "0");
}

TEST_F(RelationTest, ACheckpointGivesTheSameTable) {
  const auto removed = Append(0, 10);
  Append(10, 30);
  delta::Transaction tx(*table_, *table_->Latest());
  tx.Remove(removed.path);
  tx.SetTxn("stream/a b/\"0\"", 42);
  Commit(tx);
  const delta::SnapshotPtr before = *table_->Latest();
  auto written = table_->Checkpoint(before->version());
  ASSERT_TRUE(written) << written.error().ToString();
  // Without the JSON commits up to it, only the checkpoint can tell.
  for (int64_t version = 0; version < before->version().value; ++version) {
    ASSERT_TRUE(store_->Delete(fmt::format("{}/_delta_log/{:020}.json", kRoot, version)));
  }
  const auto reopened = OpenTable();
  auto after = reopened->Latest();
  ASSERT_TRUE(after) << after.error().ToString();
  EXPECT_EQ((*after)->metadata(), before->metadata());
  EXPECT_EQ((*after)->protocol(), before->protocol());
  EXPECT_EQ((*after)->txns(), before->txns());
  ASSERT_EQ((*after)->files().size(), 1u);
  EXPECT_EQ((*after)->files()[0]->path, before->files()[0]->path);
  EXPECT_EQ((*after)->files()[0]->stats, before->files()[0]->stats);
  EXPECT_EQ((*after)->files()[0]->size_bytes, before->files()[0]->size_bytes);
}

TEST_F(RelationTest, ACutCheckpointIsCorruptNotShort) {
  Append(0, 10);
  ASSERT_TRUE(table_->Checkpoint(Latest().snapshot->version()));
  const auto path = *store_->LocalPath(fmt::format("{}/_delta_log/{:020}.checkpoint.parquet", kRoot,
                                                   Latest().snapshot->version().value));
  const auto copy = folder_ / "copy.parquet";
  const auto size = std::filesystem::file_size(path);
  for (const uint64_t bytes : {size - 1, size / 2, uint64_t{11}, uint64_t{0}}) {
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(copy, bytes);
    const auto read = parquet_->ReadActions(copy, {"add"}, [](auto) { return Status{}; });
    ASSERT_FALSE(read) << bytes;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt) << bytes << ": " << read.error().ToString();
  }
  EXPECT_EQ(
      parquet_->ReadActions(folder_ / "none", {"add"}, [](auto) { return Status{}; }).error().kind,
      ErrorKind::kNotFound);
  const auto own = parquet_->ReadActions(
      path, {"add"}, [](auto) -> Status { return Fail(ErrorKind::kCancelled, "enough"); });
  EXPECT_EQ(own.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace vitalake::engine
