#include "lake/gold.h"

#include <thread>

#include "engine/relation.h"
#include "lake/gold_fixture.h"
#include "lake/gold_sources.h"

namespace vitalake::lake {
namespace {

class GoldTest : public GoldFixture {
 protected:
  void AddPatient(std::string_view id, std::string_view replaced_by = "") {
    Do(
        fmt::format("INSERT INTO patient (id_space, id, replaced_by, birth_date, family_name) "
                    "VALUES ('', '{0}', nullif('{1}', ''), DATE '1960-02-03', 'F{0}')",
                    id, replaced_by));
  }
  void AddReading(std::string_view id, std::string_view patient, int systolic,
                  std::string_view day = "2026-01-05") {
    Do(fmt::format(
        "INSERT INTO observation (id_space, id, patient_id, effective_time, effective_date, "
        "status, quality, systolic_pressure_value, diastolic_pressure_value) VALUES ('', '{}', "
        "'{}', TIMESTAMPTZ '{} 08:00:00Z', DATE '{}', 'final', '', {}, 80)",
        id, patient, day, day, systolic));
  }
  std::string Readings() {
    return Scalar(fmt::format("SELECT string_agg(id || ':' || readings, ' ' ORDER BY id) FROM ({})",
                              Table("gold.patient_observations")));
  }
};

TEST_F(GoldTest, FirstRefreshWritesEverythingAndTheNextHasNothingToDo) {
  AddPatient("a");
  AddReading("o1", "a", 120);
  Commit();
  const auto first = Refresh();
  ASSERT_EQ(first.size(), 4u);
  for (const GoldResult& result : first) EXPECT_TRUE(result.full);
  EXPECT_EQ(first[0].table, "gold.bp_daily");
  EXPECT_EQ(first[0].rows_inserted, 1);
  EXPECT_EQ(first[0].source_versions.at("silver.observation"), 1);
  ExpectGold("after the first refresh");
  EXPECT_TRUE(Refresh().empty());
  for (const GoldResult& result : Refresh(true)) {
    EXPECT_EQ(result.rows_inserted + result.rows_updated + result.rows_deleted, 0) << result.table;
  }
}

TEST_F(GoldTest, AChangeRecomputesItsPersonAlone) {
  for (int i = 0; i < 50; ++i) {
    AddPatient(fmt::format("p{}", i));
    AddReading(fmt::format("o{}", i), fmt::format("p{}", i), 110 + i);
  }
  Commit();
  Refresh();
  Do("UPDATE observation SET systolic_pressure_value = 190 WHERE id = 'o7'");
  Commit();
  for (const GoldResult& result : Refresh()) {
    EXPECT_FALSE(result.full) << result.table;
    EXPECT_EQ(result.keys_touched, 1);
    EXPECT_EQ(result.rows_updated, 1) << result.table;
    EXPECT_EQ(result.rows_inserted + result.rows_deleted, 0) << result.table;
  }
  ExpectGold("after one correction");
}

TEST_F(GoldTest, AChangedValueLeavesTheRowsInTheirPlaces) {
  for (int i = 0; i < 50; ++i) {
    AddPatient(fmt::format("p{:02}", i));
    AddReading(fmt::format("o{}", i), fmt::format("p{:02}", i), 110 + i);
  }
  Commit();
  Refresh();
  const std::string name = "gold.bp_daily";
  const auto places = [&] {
    engine::RelationOptions options;
    options.columns = {"patient_id"};
    options.with_positions = true;
    const auto rows = engine::RelationSql(lake_->Files(*lake_->Latest(name), name), options);
    return Scalar(fmt::format(
        "SELECT string_agg(_row || ':' || patient_id, ' ' ORDER BY _row) FROM ({})", *rows));
  };
  const std::string before = places();
  const std::string path = (*lake_->Latest(name))->files().front()->path;
  Do("UPDATE observation SET systolic_pressure_value = 190 WHERE id = 'o7'");
  Commit();
  Refresh();
  EXPECT_NE((*lake_->Latest(name))->files().front()->path, path);
  EXPECT_EQ(places(), before);
  ExpectGold("after a value changed");
}

TEST_F(GoldTest, NewRowsJoinASmallFileThatIsReplacedAnyway) {
  AddPatient("a");
  AddPatient("b");
  AddReading("o1", "a", 120);
  Commit();
  Refresh();
  Do("UPDATE observation SET systolic_pressure_value = 130 WHERE id = 'o1'");
  AddReading("o2", "b", 140);
  Commit();
  Refresh();
  EXPECT_EQ((*lake_->Latest("gold.bp_daily"))->files().size(), 1u);
  ExpectGold("after a change and a new row");
}

TEST_F(GoldTest, AReadingThatChangesItsDayLeavesTheOldOne) {
  AddPatient("a");
  AddReading("o1", "a", 120, "2026-01-05");
  AddReading("o2", "a", 130, "2026-01-06");
  Commit();
  Refresh();
  Do("UPDATE observation SET effective_date = DATE '2026-01-06', "
     "effective_time = TIMESTAMPTZ '2026-01-06 09:00:00Z' WHERE id = 'o1'");
  Commit();
  Refresh();
  ExpectGold("after a change of day");
  EXPECT_EQ(Count(Table("gold.bp_daily")), 1);
}

TEST_F(GoldTest, PersonsFollowTheLinksOfTheirPatients) {
  for (const char* id : {"a", "b", "c", "d"}) {
    AddPatient(id);
    AddReading(fmt::format("o{}", id), id, 120);
  }
  Commit();
  Refresh();
  const auto link = [&](const std::string& id, const std::string& to, const std::string& expected) {
    Do(fmt::format("UPDATE patient SET replaced_by = nullif('{}', '') WHERE id = '{}'", to, id));
    Commit();
    Refresh();
    ExpectGold(fmt::format("after {} -> {}", id, to));
    EXPECT_EQ(Readings(), expected) << id << " -> " << to;
  };
  link("a", "b", "b:2 c:1 d:1");
  link("b", "c", "c:3 d:1");
  link("c", "d", "d:4");
  link("d", "b", "b:4");     // b, c, d in a circle; a before it
  link("c", "", "c:4");      // broken
  link("b", "", "b:3 c:1");  // a and d lead no further
  link("d", "", "b:2 c:1 d:1");
  link("a", "", "a:1 b:1 c:1 d:1");
}

TEST_F(GoldTest, APatientWithoutReadingsHasARowAndReadingsWithoutAPatientHaveNone) {
  AddPatient("quiet");
  AddReading("o1", "unknown", 130);
  Commit();
  Refresh();
  ExpectGold("at first");
  EXPECT_EQ(Readings(), "quiet:0");
  AddPatient("unknown");
  Do("DELETE FROM patient WHERE id = 'quiet'");
  Commit();
  Refresh();
  ExpectGold("when the patient came");
  EXPECT_EQ(Readings(), "unknown:1");
}

TEST_F(GoldTest, ManyTouchedAreComputedWhole) {
  Do("INSERT INTO patient (id_space, id) SELECT '', 'p' || i FROM range(2500) t(i)");
  Do("INSERT INTO observation (id_space, id, patient_id, effective_time, effective_date, status, "
     "systolic_pressure_value) SELECT '', 'o' || i, 'p' || i, TIMESTAMPTZ '2026-01-05 08:00:00Z', "
     "DATE '2026-01-05', 'final', 100 + i % 90 FROM range(2500) t(i)");
  Commit();
  Refresh();
  Do("UPDATE observation SET systolic_pressure_value = systolic_pressure_value + 1 "
     "WHERE id <> 'o17'");
  Commit();
  for (const GoldResult& result : Refresh()) {
    if (result.table != "gold.bp_daily") continue;
    EXPECT_TRUE(result.full);
    EXPECT_EQ(result.rows_updated, 2499);
  }
  ExpectGold("after a change of nearly all");
}

TEST_F(GoldTest, TwoSpacesMayShareIds) {
  AddPatient("a");
  AddPatient("b");
  AddReading("o1", "a", 120);
  Do("INSERT INTO patient SELECT * REPLACE ('s' AS id_space) FROM patient");
  Do("INSERT INTO observation SELECT * REPLACE ('s' AS id_space, 140 AS systolic_pressure_value) "
     "FROM observation");
  Do("UPDATE patient SET replaced_by = 'b' WHERE id = 'a' AND id_space = 's'");
  Commit();
  Refresh();
  ExpectGold("at first");
  Do("UPDATE observation SET systolic_pressure_value = 141 WHERE id_space = 's'");
  Commit();
  for (const GoldResult& result : Refresh()) EXPECT_LE(result.rows_updated, 1) << result.table;
  ExpectGold("after a change in one space");
}

TEST_F(GoldTest, RefreshesOfTwoProcessesEndInTheSame) {
  for (int i = 0; i < 20; ++i) {
    AddPatient(fmt::format("p{}", i));
    AddReading(fmt::format("o{}", i), fmt::format("p{}", i), 110 + i);
  }
  Commit();
  Refresh();
  for (int round = 0; round < 5; ++round) {
    Do(fmt::format("UPDATE observation SET systolic_pressure_value = {} WHERE id = 'o{}'",
                   150 + round, round));
    Commit();
    const auto other = OpenLake();
    std::jthread second([&] {
      const auto done = RefreshGold(*other);
      EXPECT_TRUE(done.has_value()) << done.error().ToString();
    });
    Refresh();
    second.join();
    ExpectGold(fmt::format("after round {}", round));
  }
}

TEST_F(GoldTest, TheChangeFeedLeadsFromOneVersionToTheNext) {
  for (const char* id : {"a", "b", "c"}) {
    AddPatient(id);
    AddReading(fmt::format("o{}", id), id, 120);
  }
  Commit();
  Refresh();
  const std::string name = "gold.bp_daily";
  Do(fmt::format("CREATE TEMP TABLE before AS {}", Table(name)));
  Do("UPDATE observation SET systolic_pressure_value = 150 WHERE id = 'oa'");
  Do("DELETE FROM observation WHERE id = 'ob'");
  AddReading("od", "c", 133, "2026-01-09");
  Commit();
  Refresh();
  delta::Table* const table = *lake_->OpenTable(name);
  const delta::SnapshotPtr snapshot = *table->Latest();
  const auto files = table->Changes(snapshot->version(), snapshot->version());
  ASSERT_TRUE(files.has_value());
  Do(fmt::format("CREATE TEMP TABLE changes AS {}",
                 *engine::ChangesSql(lake_->Files(snapshot, name), *files)));
  const auto changes = [](std::string_view types) {
    return fmt::format(
        "(SELECT * EXCLUDE (_change_type, _commit_version, _commit_timestamp) FROM changes "
        "WHERE _change_type IN ({}))",
        types);
  };
  Do(fmt::format("CREATE TEMP TABLE after AS (FROM before EXCEPT ALL {}) UNION ALL {}",
                 changes("'update_preimage', 'delete'"), changes("'update_postimage', 'insert'")));
  EXPECT_EQ(Scalar("SELECT string_agg(_change_type, ' ' ORDER BY _change_type) FROM changes"),
            "delete insert update_postimage update_preimage");
  EXPECT_EQ(Count(fmt::format("(FROM after) EXCEPT ALL ({})", Table(name))), 0);
  EXPECT_EQ(Count(fmt::format("({}) EXCEPT ALL (FROM after)", Table(name))), 0);
}

// Random changes of every kind; after each refresh gold is the recomputation, row for row.
class GoldPropertyTest : public GoldFixture, public testing::WithParamInterface<int> {
 protected:
  static constexpr int kPatients = 12;

  uint64_t Below(uint64_t bound) { return seeded_.Below(bound); }
  std::string Patient() { return fmt::format("p{}", Below(kPatients)); }
  std::string Space() { return Below(4) == 0 ? "s" : ""; }
  std::string Day() { return fmt::format("2026-01-{:02}", 1 + 9 * Below(4)); }
  std::string Any(std::initializer_list<const char*> values) {
    return std::data(values)[Below(values.size())];
  }
  std::string Value() { return Below(8) == 0 ? "NULL" : fmt::format("{}", 60 + Below(130)); }
  std::string Quality() { return Any({"''", "NULL", "'implausible'", "'x repeat_of'", "'x'"}); }
  std::string Status() { return Any({"'final'", "'amended'", "'entered-in-error'"}); }

  void Insert(const std::string& table) {
    const std::string day = Day();
    const std::string id = fmt::format("'{}'", table == "patient" ? Patient() : random_.Uuid());
    const std::string space = Space();
    if (table == "patient") {
      Do(fmt::format("DELETE FROM patient WHERE id = {} AND id_space = '{}'", id, space));
      Do(
          fmt::format("INSERT INTO patient (id_space, id, birth_date, replaced_by) VALUES "
                      "('{}', {}, DATE '1950-06-07', {})",
                      space, id, Below(2) ? "NULL" : "'" + Patient() + "'"));
      return;
    }
    const bool pressure = table == "observation";
    Do(fmt::format(
        "INSERT INTO {} (id_space, id, patient_id, effective_date, effective_time, status, "
        "quality, device, {}) VALUES ('{}', {}, {}, {}, {}, {}, {}, {}, {})",
        table,
        pressure ? "systolic_pressure_value, diastolic_pressure_value, setting, device_type"
                 : "value, code, unit, panel",
        space, id, Below(9) ? "'" + Patient() + "'" : "NULL",
        Below(12) ? "DATE '" + day + "'" : "NULL",
        Below(6) ? fmt::format("TIMESTAMPTZ '{} {:02}:00:00Z'", day, Below(3)) : "NULL", Status(),
        Quality(), Any({"NULL", "'d1'"}),
        pressure ? fmt::format("{}, {}, {}, {}", Value(), Value(), Any({"'home'", "NULL"}),
                               Any({"'cuff'", "'cuffless'", "NULL"}))
                 : fmt::format("{}, {}, 'u', {}", Value(),
                               Any({"'8480-6'", "'8462-4'", "'8867-4'", "NULL"}),
                               Any({"NULL", "'85354-9'"}))));
  }

  void Change(const std::string& table) {
    const std::string one = fmt::format(
        "WHERE rowid IN (SELECT rowid FROM {0} ORDER BY hash(id, id_space, {1}) LIMIT 1)", table,
        Below(1'000'000));
    const bool patient = table == "patient";
    const std::string value = table == "observation" ? "systolic_pressure_value" : "value";
    switch (Below(7)) {
      case 0:
        return Do(fmt::format("DELETE FROM {} {}", table, one));
      case 1:
        return Do(
            fmt::format("UPDATE {} SET retracted_at = TIMESTAMPTZ '2026-02-01 00:00:00Z', {} "
                        "= NULL {}",
                        table, patient ? "replaced_by" : value, one));
      case 2:
        return Do(fmt::format("UPDATE {} SET {} {}", table,
                              patient ? "birth_date = DATE '1940-01-01'" : "quality = " + Quality(),
                              one));
      case 3:
        return Do(fmt::format(
            "UPDATE {} SET {} {}", table,
            patient ? "replaced_by = NULL" : fmt::format("effective_date = DATE '{}'", Day()),
            one));
      case 4:
        return Do(fmt::format("UPDATE {} SET {} = '{}' {}", table,
                              patient ? "replaced_by" : "patient_id", Patient(), one));
      default:
        return patient ? Do(fmt::format("UPDATE patient SET replaced_by = '{}' {}", Patient(), one))
                       : Do(fmt::format("UPDATE {} SET {} = {} {}", table, value, Value(), one));
    }
  }

  SeededRandom seeded_{static_cast<uint64_t>(GetParam())};
};

TEST_P(GoldPropertyTest, IncrementalIsFullRecomputation) {
  for (int i = 0; i < 60; ++i) {
    Insert(Any({"patient", "observation", "observation", "vital_sign", "vital_sign"}));
  }
  Commit();
  Refresh();
  ExpectGold("at first");
  int narrowed = 0;
  for (int step = 0; step < 10 && !HasFailure(); ++step) {
    // Often few kinds of change at once: those narrow a refresh most.
    const auto tables = Below(2) ? std::vector<std::string>{Any({"observation", "vital_sign"})}
                                 : std::vector<std::string>{"patient", "observation", "vital_sign"};
    for (uint64_t n = 1 + Below(4); n > 0; --n) {
      const std::string table = tables[Below(tables.size())];
      Below(3) ? Change(table) : Insert(table);
    }
    Commit();
    if (Below(4) == 0) continue;  // several commits of silver for one refresh
    for (const GoldResult& result : Refresh()) narrowed += result.full ? 0 : 1;
    ExpectGold(fmt::format("after step {} of seed {}", step, GetParam()));
  }
  EXPECT_GT(narrowed, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GoldPropertyTest, testing::Range(1, 5));

}  // namespace
}  // namespace vitalake::lake
