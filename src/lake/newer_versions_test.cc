#include "lake/newer_versions.h"

#include "engine/relation.h"
#include "lake/upsert_fixture.h"

namespace vitalake::lake {
namespace {

class NewerVersionsTest : public UpsertFixture {
 protected:
  template <class Rows>
  static std::string TextOf(Rows& rows) {
    std::string out;
    while (*rows.Next()) {
      for (size_t i = 0; i < rows.columns().size(); ++i) out += rows.Text(i) + " ";
      out += ";";
    }
    return out;
  }

  // `count` versions of one reading, from 1 on.
  Batch StageVersions(const std::string& id, int count) {
    Batch batch = Stage(*ours_, {{.id = id}});
    auto connection = ours_->engine().Connect();
    auto files = engine::WriteParquet(
        *connection,
        fmt::format(
            "SELECT s.* REPLACE (CAST(v AS VARCHAR) AS version_id, v AS source_offset, "
            "CAST(v AS VARCHAR) AS content_hash) FROM read_parquet({}) s, range(1, {}) t(v)",
            engine::QuotePath(batch.staged.files[0].path), count + 1),
        batch.folder.path(), {.stats_columns = view_.clustered_by});
    EXPECT_TRUE(files) << files.error().ToString();
    batch.staged.files = *files;
    batch.staged.records = count;
    batch.staged.keys =
        StagedKeys::Of(std::vector<uint64_t>(static_cast<size_t>(count), KeyHash("", id)));
    return batch;
  }

  // Whether the readings need no ranking.
  bool AreSimplyNewer(const std::vector<Reading>& readings) {
    return AreSimplyNewer(Stage(*ours_, readings, true));
  }
  bool AreSimplyNewer(const Batch& batch) {
    const auto taken = Take(batch, {});
    EXPECT_TRUE(taken) << taken.error().ToString();
    return taken.value_or(false);
  }
  Result<bool> Take(const Batch& batch, const Wait& wait) {
    const UpsertRequest request{view_, batch.staged, {}};
    const delta::SnapshotPtr snapshot = *ours_->Latest(view_.table);
    const auto hits = KeyIndex(*ours_, view_.table)
                          .Find(snapshot, snapshot->files(), batch.staged.keys->hashes, {});
    EXPECT_TRUE(hits) << hits.error().ToString();
    auto connection = ours_->engine().Connect();
    NewerVersions newer(*ours_, request, snapshot, *connection, wait);
    return newer.Take(*hits, batch.staged.keys->repeats);
  }

  // All columns of the rows whose id begins with `mark`, but for those that name the batch or tell
  // the time.
  std::string RowsOf(const std::string& mark) {
    auto session = OpenSqlSession(*rival_);
    auto rows = (*session)->Query(fmt::format(
        "SELECT * EXCLUDE (id, resource_id, source_partition, received_at, ingestion_date, "
        "update_date), substr(id, 2), update_date IS NULL, update_date > received_at "
        "FROM silver.observation WHERE id[1] = '{}' ORDER BY ALL",
        mark));
    if (!rows) return rows.error().ToString();
    return TextOf(*rows);
  }

  // All that a SELECT over the rows of the last commit's change feed gives, ';' between rows.
  std::string Changes(const std::string& select) {
    delta::Table& table = **rival_->OpenTable(view_.table);
    const delta::SnapshotPtr snapshot = *table.Latest();
    const auto changes = table.Changes(snapshot->version(), snapshot->version());
    EXPECT_TRUE(changes) << changes.error().ToString();
    const auto sql =
        engine::ChangesSql(rival_->Files(snapshot, view_.table), *changes, ColumnNames(*snapshot));
    EXPECT_TRUE(sql) << sql.error().ToString();
    auto connection = rival_->engine().Connect();
    auto rows = connection->Query(fmt::format("{} FROM ({}) ORDER BY ALL", select, *sql));
    if (!rows) return rows.error().ToString();
    return TextOf(*rows);
  }
};

TEST_F(NewerVersionsTest, AHigherVersionNeedsNoRank) {
  Upsert(*ours_, {{.id = "a", .version = 2, .updated = 50}, {.id = "b"}, {.id = "c"}});
  EXPECT_TRUE(AreSimplyNewer({{.id = "a", .version = 3}}));
  EXPECT_TRUE(AreSimplyNewer({{.id = "a", .version = 10, .body_site = "leg"}, {.id = "new"}}));
  EXPECT_TRUE(AreSimplyNewer({{.id = "a", .version = 2, .updated = 51}}));
  EXPECT_TRUE(AreSimplyNewer({{.id = "b", .version = 1, .updated = 1}, {.id = "a", .version = 3}}));
  EXPECT_TRUE(AreSimplyNewer({{.id = "a", .version = 4}, {.id = "a", .version = 3}, {.id = "x"}}));
  EXPECT_TRUE(AreSimplyNewer({{.id = "new", .version = 1}, {.id = "new", .version = 2}}));
  EXPECT_TRUE(AreSimplyNewer({{.id = "new"}}));
}

TEST_F(NewerVersionsTest, WhateverElseComesIsRanked) {
  Upsert(*ours_, {{.id = "a", .version = 2, .identifier = "urn:a", .updated = 50},
                  {.id = "gone", .retracted = true},
                  {.id = "b"}});
  const Reading higher = {.id = "b", .version = 2};
  ASSERT_TRUE(AreSimplyNewer({higher}));
  for (const Reading& other :
       {Reading{.id = "a", .version = 1, .updated = 99},
        Reading{.id = "a", .version = 2, .updated = 50}, Reading{.id = "a", .version = 2},
        Reading{.id = "a", .version = 3, .identifier = "urn:other"},
        Reading{.id = "a", .version = 3, .retracted = true},
        Reading{.id = "a", .version = 3, .patient = "another"},
        Reading{.id = "gone", .version = 3}}) {
    EXPECT_FALSE(AreSimplyNewer({higher, other})) << other.id << " " << other.version;
  }
  EXPECT_FALSE(AreSimplyNewer({{.id = "new"}, {.id = "new", .body_site = "leg"}}));
  EXPECT_FALSE(AreSimplyNewer(
      {{.id = "a", .version = 3, .identifier = "urn:other"}, {.id = "a", .version = 4}}));
  EXPECT_FALSE(AreSimplyNewer({{.id = "new", .version = 3, .identifier = "urn:new"},
                               {.id = "new", .version = 2, .identifier = "urn:other"},
                               {.id = "new", .version = 4}}));
}

// The same batch twice: as it is, and together with a key that has to be ranked.
TEST_F(NewerVersionsTest, ComeToWhatTheGeneralWayMakes) {
  std::string rows[2];
  std::string changes[2];
  for (const bool ranked : {false, true}) {
    const std::string mark = ranked ? "r" : "s";
    Upsert(*ours_, {{.id = mark + "a"}, {.id = mark + "b", .patient = "q"}, {.id = mark + "c"}});
    std::vector<Reading> batch = {{.id = mark + "a", .version = 2, .body_site = "leg"},
                                  {.id = mark + "b", .patient = "q", .updated = 7},
                                  {.id = mark + "c", .version = 2},
                                  {.id = mark + "c", .version = 3, .body_site = "wrist"},
                                  {.id = mark + "d"},
                                  {.id = mark + "e", .version = 2, .body_site = "leg"},
                                  {.id = mark + "e"}};
    EXPECT_TRUE(AreSimplyNewer(batch));
    if (ranked) batch.insert(batch.end(), {{.id = "twice"}, {.id = "twice", .body_site = "leg"}});
    const UpsertResult result = Upsert(*ours_, batch);
    EXPECT_EQ(result.rows_updated, 3);
    EXPECT_EQ(result.rows_inserted, ranked ? 3 : 2);
    ASSERT_EQ(result.exceptions.size(), 1u);
    EXPECT_EQ(result.exceptions.begin()->second.superseded, ranked ? 3 : 2);
    EXPECT_EQ(result.exceptions.begin()->second.duplicate, 1);  // b: the same content
    EXPECT_EQ(result.rows_removed, 0);
    rows[ranked] = RowsOf(mark);
    changes[ranked] = Changes("SELECT substr(id, 2), version_id, body_site, deleted, _change_type");
  }
  EXPECT_EQ(rows[0], rows[1]);
  EXPECT_EQ(std::ranges::count(rows[0], ';'), 5);
  EXPECT_EQ(changes[1], changes[0] + "wice 1 leg false insert ;");
  EXPECT_EQ(changes[0],
            "a 1 arm false update_preimage ;a 2 leg false update_postimage ;"
            "b 1 arm false update_postimage ;b 1 arm false update_preimage ;"
            "c 1 arm false update_preimage ;c 3 wrist false update_postimage ;"
            "d 1 arm false insert ;e 2 leg false insert ;");
}

// However many versions of one key come, few are held in memory, and the rows are the same.
TEST_F(NewerVersionsTest, MoreRowsThanAreHeldAreRanked) {
  for (const int count : {10'000, 10'001}) {
    const std::string mark = count == 10'000 ? "s" : "r";
    Upsert(*ours_, {{.id = mark + "a"}});
    const Batch batch = StageVersions(mark + "a", count);
    EXPECT_EQ(AreSimplyNewer(batch), count == 10'000);
    const UpsertRequest request{
        view_, batch.staged, [&](const auto&) { return CommitNote{{{batch.partition, 1}}, {}}; }};
    const auto result = lake::Upsert(*ours_, request, {});
    ASSERT_TRUE(result) << result.error().ToString();
    EXPECT_EQ(result->rows_updated, 1);
    EXPECT_EQ(result->rows_inserted, 0);
    EXPECT_EQ(result->exceptions.at(batch.partition).superseded, count - 1);
    EXPECT_EQ(Changes("SELECT substr(id, 2), version_id, _change_type"),
              fmt::format("a 1 update_preimage ;a {} update_postimage ;", count));
  }
  EXPECT_EQ(Table(), "ra 10001 arm;sa 10000 arm;");
}

TEST_F(NewerVersionsTest, EndsWhenItIsAskedTo) {
  Upsert(*ours_, {{.id = "a"}});
  std::stop_source stop;
  stop.request_stop();
  const auto taken =
      Take(Stage(*ours_, {{.id = "a", .version = 2}}, true), {.stop = stop.get_token()});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace vitalake::lake
