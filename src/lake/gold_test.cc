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
  ASSERT_EQ(first.size(), 6u);
  for (const GoldResult& result : first) EXPECT_TRUE(result.full);
  EXPECT_EQ(first[1].table, "gold.bp_daily");
  EXPECT_EQ(first[1].rows_inserted, 1);
  EXPECT_EQ(first[1].source_versions.at("silver.observation"), 1);
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

// Each on the days of their own changes, but a person's patients on those of one another.
TEST_F(GoldTest, TheDaysOfAChangeAreThoseOfAllPatientsOfThePerson) {
  AddPatient("a", "b");
  AddPatient("b");
  AddPatient("c");
  AddReading("o1", "a", 120, "2026-01-05");
  AddReading("o2", "b", 130, "2026-01-05");
  AddReading("o3", "b", 140, "2026-01-06");
  AddReading("o4", "c", 150, "2026-01-06");
  Commit();
  Refresh();
  Do("UPDATE observation SET systolic_pressure_value = 134 WHERE id = 'o2'");
  Do("UPDATE observation SET systolic_pressure_value = 151 WHERE id = 'o4'");
  Commit();
  for (const GoldResult& result : Refresh()) EXPECT_FALSE(result.full) << result.table;
  ExpectGold("after changes of two persons on two days");
  EXPECT_EQ(Scalar(fmt::format("SELECT string_agg(patient_id || ' ' || day || ' ' || "
                               "mean_systolic, '; ' ORDER BY patient_id, day) FROM ({})",
                               Table("gold.bp_daily"))),
            "b 2026-01-05 127.0; b 2026-01-06 140.0; c 2026-01-06 151.0");
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
  const auto say = [&](const std::string& id, const std::string& replaces,
                       const std::string& expected) {
    Do(fmt::format("UPDATE patient SET replaces = nullif('{}', '') WHERE id = '{}'", replaces, id));
    Commit();
    Refresh();
    ExpectGold(fmt::format("after {} replaces {}", id, replaces));
    EXPECT_EQ(Readings(), expected) << id << " replaces " << replaces;
  };
  say("c", R"(["a","b"])", "c:3 d:1");
  say("b", R"(["a"])", "c:3 d:1");  // b before c, and b leads to c
  link("a", "d", "c:2 d:2");        // its own word goes before
  link("a", "", "c:3 d:1");
  say("c", "", "b:2 c:1 d:1");
  say("b", "", "a:1 b:1 c:1 d:1");
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

TEST_F(GoldTest, AReadingThatNamesItsPatientByAnIdentifierIsOfWhoHoldsItAlone) {
  const auto add = [&](const std::string& id, const std::string& subject, const std::string& day) {
    AddReading(id, "", 120, day);
    Do(
        fmt::format("UPDATE observation SET patient_id = NULL, subject_identifier = '{}' "
                    "WHERE id = '{}'",
                    subject, id));
  };
  const auto hold = [&](const std::string& id, const std::string& identifiers) {
    Do(fmt::format("UPDATE patient SET identifiers = nullif('{}', '') WHERE id = '{}'", identifiers,
                   id));
  };
  const auto expect = [&](const std::string& when, const std::string& readings) {
    Commit();
    for (const GoldResult& result : Refresh()) EXPECT_FALSE(result.full) << result.table << when;
    ExpectGold(when);
    EXPECT_EQ(Readings(), readings) << when;
  };
  const std::string one = R"([{"system":"urn:mrn","value":"1"}])";
  AddPatient("a");
  AddPatient("b");
  AddReading("own", "a", 130);
  add("o1", "urn:mrn|1", "2026-01-06");
  Commit();
  Refresh();
  EXPECT_EQ(Readings(), "a:1 b:0");
  hold("a", one);
  expect("when the patient came", "a:2 b:0");
  add("o2", "urn:mrn|1", "2026-01-07");
  add("o3", "1", "2026-01-08");            // of whatever system
  add("o4", "urn:other|1", "2026-01-08");  // of another one
  add("o5", "|1", "2026-01-08");           // of none
  expect("after more readings", "a:4 b:0");
  hold("b", one);
  expect("when two hold it", "a:1 b:0");
  Do("UPDATE patient SET replaced_by = 'b' WHERE id = 'a'");
  expect("when the two are one person", "b:4");
  Do("UPDATE patient SET replaced_by = NULL WHERE id = 'a'");
  hold("a", "");
  expect("when it is another's", "a:1 b:3");
  Do("UPDATE observation SET subject_identifier = NULL, patient_id = 'a' WHERE id = 'o2'");
  expect("when one reading says otherwise", "a:2 b:2");
  Do("UPDATE observation SET subject_identifier = NULL, patient_id = 'a' WHERE id IN ('o1', 'o3')");
  expect("when none is left", "a:4 b:0");
  add("o6", "urn:mrn|1", "2026-01-09");
  expect("when there is one again", "a:4 b:1");
  hold("b", R"([{"system":"urn:mrn","value":"2"}])");
  expect("when nobody holds it", "a:4 b:0");
  hold("b", one);
  expect("when somebody does again", "a:4 b:1");
  Do("UPDATE patient SET retracted_at = TIMESTAMPTZ '2026-02-01 00:00:00Z' WHERE id = 'b'");
  expect("when its holder is no more", "a:4");
  Do("UPDATE patient SET retracted_at = NULL WHERE id = 'b'");
  expect("when the holder is back", "a:4 b:1");
  // The only reading that named anybody so goes with its holder's identifier.
  hold("b", "");
  Do("UPDATE observation SET subject_identifier = NULL, patient_id = 'a' WHERE id LIKE 'o%'");
  expect("when neither is left", "a:7 b:0");
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

// One vital sign of a patient at a time of 5 January.
std::string VitalSql(std::string_view patient, std::string_view code, std::string_view value,
                     std::string_view time, std::string_view text = "NULL") {
  return fmt::format(
      "INSERT INTO vital_sign (id_space, id, patient_id, code, value, value_text, effective_time, "
      "effective_date, status, quality) VALUES ('', '{0}-{1}-{3}', '{0}', '{1}', {2}, {4}, "
      "TIMESTAMPTZ '2026-01-05 {3}Z', DATE '2026-01-05', 'final', '')",
      patient, code, value, time, text);
}

// Sums: 2^70 + 2^71 + 512 is 3 * 2^70 as a double, and 3 * 2^70 / 3 is 2^70.
TEST_F(GoldTest, AValueTooLargeForTheExactSumStopsNothing) {
  AddPatient("a");
  AddPatient("b");
  Do(VitalSql("a", "56086-2", "power(2, 71)", "08:00:00"));
  Do(VitalSql("a", "56086-2", "512", "09:00:00"));
  Do(VitalSql("a", "8867-4", "1e12", "09:00:00"));
  AddReading("o1", "b", 120);
  AddReading("o2", "b", 140);
  AddReading("o3", "b", 160);
  Do("UPDATE observation SET systolic_pressure_value = 1e20 WHERE id = 'o3'");
  Commit();
  Refresh();
  ExpectGold("at first");
  Do(VitalSql("a", "56086-2", "power(2, 70)", "10:00:00"));
  Commit();
  for (const GoldResult& result : Refresh()) EXPECT_FALSE(result.full) << result.table;
  ExpectGold("after one more");
  EXPECT_EQ(Scalar(fmt::format("SELECT string_agg(code || ' ' || readings || ' ' || (mean = "
                               "power(2, 70)) || ' ' || max, '; ' ORDER BY code) FROM ({}) "
                               "WHERE patient_id = 'a'",
                               Table("gold.vital_daily"))),
            "56086-2 3 true 2.3611832414348226e+21; 8867-4 1 false 1000000000000.0");
  EXPECT_EQ(Scalar(fmt::format("SELECT concat_ws(' ', readings, mean_systolic, max_systolic) "
                               "FROM ({})",
                               Table("gold.bp_daily"))),
            "3 130.0 1e+20");
  EXPECT_EQ(Scalar(fmt::format("SELECT concat_ws(' ', readings, avg_systolic_pressure, "
                               "avg_28d_systolic_pressure) FROM ({}) WHERE id = 'b'",
                               Table("gold.patient_observations"))),
            "3 130.0 130.0");
}

TEST_F(GoldTest, ValuesOfTwoUnitsHaveNoMean) {
  AddPatient("a");
  const auto glucose = [&](const char* value, const char* unit, const char* time) {
    Do(VitalSql("a", "2339-0", value, time));
    Do(fmt::format("UPDATE vital_sign SET unit = {} WHERE id = 'a-2339-0-{}'", unit, time));
  };
  const auto days = [&] {
    return Scalar(fmt::format(
        "SELECT string_agg(coalesce(unit, '-') || ' ' || readings || ' ' || mean || ' ' || min || "
        "' ' || max, '; ' ORDER BY unit) FROM ({})",
        Table("gold.vital_daily")));
  };
  glucose("100", "'mg/dL'", "08:00:00");
  glucose("5.5", "'mmol/L'", "09:00:00");
  glucose("7", "NULL", "10:00:00");
  Commit();
  Refresh();
  EXPECT_EQ(days(), "mg/dL 1 100.0 100.0 100.0; mmol/L 1 5.5 5.5 5.5; - 1 7.0 7.0 7.0");
  ExpectGold("at first");
  Do("UPDATE vital_sign SET unit = 'mg/dL', value = 110 WHERE value = 7");
  Commit();
  for (const GoldResult& result : Refresh()) EXPECT_FALSE(result.full) << result.table;
  EXPECT_EQ(days(), "mg/dL 2 105.0 100.0 110.0; mmol/L 1 5.5 5.5 5.5");
  ExpectGold("after a correction");
}

// At home 132/78 is hypertension, in the office stage 1.
TEST_F(GoldTest, WithoutASettingAReadingOfAStreamIsOfHomeAndOneOfAFileOfTheOffice) {
  const auto category = [&](const char* patient) {
    return Scalar(fmt::format("SELECT category FROM ({}) WHERE id = '{}'",
                              Table("gold.patient_observations"), patient));
  };
  const std::pair<const char*, const char*> sources[] = {
      {"stream", "vitals/http/0/0#000001"},
      {"bronze", "bronze/topic/0/0"},  // a stream may be called so
      {"file", "bronze/mixed/2026/11/27/x.ndjson"},
      {"nested", "bronze/mixed/2026/11/27/a/x.ndjson"},
      {"set", "vitals/http/0/0"}};
  for (const auto& [patient, partition] : sources) {
    AddPatient(patient);
    for (const char* day : {"2026-01-05", "2026-01-06"}) {
      AddReading(fmt::format("{}-{}", patient, day), patient, 132, day);
    }
    Do(fmt::format(
        "UPDATE observation SET source_partition = '{}', diastolic_pressure_value = 78, "
        "setting = {} WHERE patient_id = '{}'",
        partition, std::string_view(patient) == "set" ? "'office'" : "NULL", patient));
  }
  Commit();
  Refresh();
  EXPECT_EQ(category("stream"), "AHA/ACC 2025 home: hypertension");
  EXPECT_EQ(category("bronze"), "AHA/ACC 2025 home: hypertension");
  EXPECT_EQ(category("file"), "AHA/ACC 2025 office: stage 1");
  EXPECT_EQ(category("nested"), "AHA/ACC 2025 office: stage 1");
  EXPECT_EQ(category("set"), "AHA/ACC 2025 office: stage 1");
  // Single values, too.
  AddPatient("halves");
  for (const char* time : {"08:00:00", "09:00:00"}) {
    Do(VitalSql("halves", "8480-6", "132", time));
    Do(VitalSql("halves", "8462-4", "78", time));
  }
  Do("UPDATE vital_sign SET source_partition = 'vitals/http/0/0'");
  Do("UPDATE vital_sign SET effective_date = DATE '2026-01-06', effective_time = effective_time + "
     "INTERVAL 1 DAY WHERE id LIKE '%09:00:00'");
  Commit();
  Refresh();
  EXPECT_EQ(category("halves"), "AHA/ACC 2025 home: hypertension");
  ExpectGold("with single values");
}

class News2GoldTest : public GoldTest {
 protected:
  // "08:00 total/parameters scale response ages" of each row of the patient.
  std::string Scores(std::string_view patient) {
    return Scalar(fmt::format(
        "SELECT string_agg(strftime(time AT TIME ZONE 'UTC', '%H:%M') || ' ' || total || '/' || "
        "parameters || ' ' || scale || ' ' || response || ' ' || concat_ws(',', "
        "respiratory_rate_age_s, oxygen_saturation_age_s, on_oxygen_age_s, systolic_age_s, "
        "pulse_age_s, alert_age_s, temperature_age_s), '; ' ORDER BY time) FROM ({}) "
        "WHERE patient_id = '{}'",
        Table("gold.news2"), patient));
  }
};

// RCP 2017, chart 1: 22 is 2, 93 is 2, oxygen 2, 100 is 2, 111 is 2, alert 0, 38.5 is 1.
TEST_F(News2GoldTest, EveryInputCountsAndKeepsItsAge) {
  AddPatient("a");
  Do(VitalSql("a", "9279-1", "22", "08:00:00"));
  Do(VitalSql("a", "2708-6", "93", "08:00:00"));
  Do(VitalSql("a", "3151-8", "2", "08:10:00"));
  Do(VitalSql("a", "8480-6", "100", "08:20:00"));
  Do(VitalSql("a", "8867-4", "111", "08:20:00"));
  Do(VitalSql("a", "67775-7", "NULL", "08:30:00", "'Alert'"));
  Do(VitalSql("a", "8310-5", "38.5", "08:30:00"));
  Commit();
  Refresh();
  EXPECT_EQ(Scores("a"),
            "08:00 4/2 1 incomplete 0,0; 08:10 6/3 1 urgent 600,600,0; "
            "08:20 10/5 1 emergency 1200,1200,600,0,0; "
            "08:30 11/7 1 emergency 1800,1800,1200,600,600,0,0");
  ExpectGold("at first");
  Do("UPDATE vital_sign SET value = 19 WHERE code = '9279-1'");
  Commit();
  Refresh();
  EXPECT_EQ(Scores("a").substr(0, 27), "08:00 2/2 1 incomplete 0,0;");
  ExpectGold("after a correction");
}

// 12 hours are the most; a moment later the input is not there any more.
TEST_F(News2GoldTest, StaleInputsAreNotScored) {
  AddPatient("a");
  Do(VitalSql("a", "9279-1", "25", "08:00:00"));
  Do(VitalSql("a", "8310-5", "37", "20:00:00"));
  Do(VitalSql("a", "8310-5", "37", "20:00:01"));
  Commit();
  Refresh();
  EXPECT_EQ(Scores("a"),
            "08:00 3/1 1 ward-review 0; 20:00 3/2 1 ward-review 43200,0; 20:00 0/1 1 incomplete 0");
}

// A cuff alone; a child; one whose age nobody knows.
TEST_F(News2GoldTest, WhoHasNoScore) {
  AddPatient("cuff");
  Do(VitalSql("cuff", "8480-6", "85", "08:00:00"));
  Do(VitalSql("cuff", "8867-4", "120", "08:00:00"));
  AddPatient("child");
  Do("UPDATE patient SET birth_date = DATE '2010-01-06' WHERE id = 'child'");  // 16 tomorrow
  Do(VitalSql("child", "9279-1", "25", "08:00:00"));
  Do(VitalSql("unknown", "9279-1", "25", "08:00:00"));
  Commit();
  Refresh();
  EXPECT_EQ(Count(Table("gold.news2")), 0);
  Do("UPDATE patient SET birth_date = DATE '2010-01-05' WHERE id = 'child'");
  AddPatient("unknown");
  Commit();
  for (const GoldResult& result : Refresh()) EXPECT_FALSE(result.full) << result.table;
  EXPECT_EQ(Scores("child"), "08:00 3/1 1 ward-review 0");
  EXPECT_EQ(Scores("unknown"), "08:00 3/1 1 ward-review 0");
  ExpectGold("when they are known");
}

// 92 % on air: 2 points by scale 1, none by scale 2.
TEST_F(News2GoldTest, ScaleTwoHoldsWhereThePatientsSettingsSaySo) {
  AddPatient("a");
  for (const char* time : {"08:00:00", "09:00:00", "10:00:00"}) {
    Do(VitalSql("a", "2708-6", "92", time));
  }
  Commit();
  Refresh();
  Do("INSERT INTO action (id_space, id, target, action, time, expiry, payload) VALUES ('', 'x', "
     "'a', 'settings', TIMESTAMPTZ '2026-01-05 07:00:00Z', TIMESTAMPTZ '2026-01-05 10:00:00Z', "
     "'{\"from\":\"2026-01-05T09:00:00Z\",\"oxygen_scale\":2}')");
  Commit();
  for (const GoldResult& result : Refresh()) EXPECT_FALSE(result.full) << result.table;
  EXPECT_EQ(Scores("a"),
            "08:00 2/1 1 incomplete 0; 09:00 0/1 2 incomplete 0; 10:00 2/1 1 incomplete 0");
  ExpectGold("after a setting");
}

TEST_F(GoldTest, SingleValuesOfOneMomentAndDeviceAreOneReading) {
  AddPatient("a");
  const auto half = [&](const char* id, const char* code, int value, const char* time,
                        const char* device, const char* quality) {
    Do(fmt::format(
        "INSERT INTO vital_sign (id_space, id, patient_id, code, value, effective_time, "
        "effective_date, device, status, quality) VALUES ('', '{}', 'a', '{}', {}, "
        "TIMESTAMPTZ '2026-01-05 {}Z', DATE '2026-01-05', '{}', 'final', '{}')",
        id, code, value, time, device, quality));
  };
  half("s1", "8480-6", 205, "08:00:00", "d", "unusual");
  half("d1", "8462-4", 80, "08:00:00", "d", "");
  half("s2", "8480-6", 140, "09:00:00", "d", "");
  half("d2", "8462-4", 90, "09:00:00", "other", "");
  half("s3", "8480-6", 80, "10:00:00", "d", "");  // swapped
  half("d3", "8462-4", 120, "10:00:00", "d", "");
  half("s4", "8480-6", 130, "11:00:00", "d", "");  // two of one moment
  half("s5", "8480-6", 132, "11:00:00", "d", "");
  half("d4", "8462-4", 70, "11:00:00", "d", "");
  half("d5", "8462-4", 72, "11:00:00", "d", "");
  Commit();
  Refresh();
  EXPECT_EQ(Scalar(fmt::format("SELECT readings || ' ' || readings_excluded || ' ' || "
                               "last_systolic_pressure || ' ' || last_diastolic_pressure FROM ({})",
                               Table("gold.patient_observations"))),
            "5 1 132.0 72.0");
  EXPECT_EQ(Scalar(fmt::format("SELECT readings || ' ' || max_systolic || ' ' || max_diastolic "
                               "FROM ({})",
                               Table("gold.bp_daily"))),
            "5 205.0 90.0");
  Do("DELETE FROM vital_sign WHERE id = 'd1'");
  Commit();
  Refresh();
  ExpectGold("after a half is gone");
}

TEST_F(GoldTest, SingleValuesOfOneMomentArePairedWhateverTheirLocalDays) {
  AddPatient("a");
  Do(VitalSql("a", "8480-6", "120", "04:30:00"));
  Do(VitalSql("a", "8462-4", "80", "04:30:00"));
  Do("UPDATE vital_sign SET effective_date = DATE '2026-01-04' WHERE code = '8480-6'");
  Commit();
  Refresh();
  const auto readings = [&] {
    return Scalar(
        fmt::format("SELECT concat_ws(' ', readings, last_systolic_pressure, "
                    "last_diastolic_pressure) FROM ({})",
                    Table("gold.patient_observations")));
  };
  EXPECT_EQ(readings(), "1 120.0 80.0");
  ExpectGold("at first");
  Do("UPDATE vital_sign SET value = 82 WHERE code = '8462-4'");
  Commit();
  Refresh();
  EXPECT_EQ(readings(), "1 120.0 82.0");
  ExpectGold("after a correction of one");
}

TEST_F(GoldTest, AlertsCountAsTheirLastStepSays) {
  AddPatient("a");
  const auto step = [&](const char* alert, const char* patient, const char* state,
                        const char* opened, int minute, bool notify) {
    Do(fmt::format(
        "INSERT INTO alert (id_space, alert_id, patient_id, vital, rule, severity, "
        "state, opened_at, updated_at, closed_at, notify, sequence, source_partition) "
        "VALUES ('', '{}', '{}', '8867-4', 'high', 'medium', '{}', "
        "TIMESTAMPTZ '2026-01-{}:00Z', TIMESTAMPTZ '2026-01-06 00:{:02}:00Z', "
        "{}, {}, {}, 's/t/0/0')",
        alert, patient, state, opened, minute,
        std::string_view(state) == "closed" ? "TIMESTAMPTZ '2026-01-06 01:00:00Z'" : "NULL", notify,
        minute));
  };
  step("x", "a", "open", "05 23:59", 1, true);
  step("x", "a", "closed", "05 23:59", 2, false);
  step("y", "a", "open", "05 10:00", 3, true);
  step("z", "a", "withdrawn", "06 00:00", 4, true);
  step("w", "", "open", "05 10:00", 5, true);  // of nobody
  Commit();
  Refresh();
  const auto days = [&] {
    return Scalar(fmt::format(
        "SELECT string_agg(concat_ws(' ', patient_id, day, alerts, still_on, withdrawn, "
        "notifications, longest_s), '; ' ORDER BY patient_id, day) FROM ({})",
        Table("gold.alert_daily")));
  };
  EXPECT_EQ(days(), "a 2026-01-05 2 1 0 2 3660; a 2026-01-06 1 0 1 1");
  // A later step, and a merge.
  step("y", "a", "withdrawn", "05 10:00", 6, false);
  AddPatient("b");
  Do("UPDATE patient SET replaced_by = 'b' WHERE id = 'a'");
  Commit();
  Refresh();
  EXPECT_EQ(days(), "b 2026-01-05 2 0 1 2 3660; b 2026-01-06 1 0 1 1");
  ExpectGold("after a merge");
}

class ApartGoldTest : public GoldTest {
 protected:
  bool IsUpkeepApart() const override { return true; }
};

TEST_F(ApartGoldTest, WithoutMemoryOfItsOwnGoldTakesThatOfAllElse) {
  ASSERT_NE(&lake_->upkeep_engine(), &lake_->engine());
  auto upkeep = lake_->upkeep_engine().Connect();
  ASSERT_TRUE(upkeep.has_value());
  ASSERT_TRUE(upkeep
                  ->Execute("SET GLOBAL memory_limit = '256KB'; "
                            "SET GLOBAL max_temp_directory_size = '0KB'")
                  .has_value());
  const auto own = upkeep->Execute("CREATE TEMP TABLE t AS SELECT range FROM range(1000000)");
  ASSERT_FALSE(own.has_value());
  ASSERT_EQ(own.error().kind, ErrorKind::kLimit);
  AddPatient("a");
  Do(VitalSql("a", "9279-1", "22", "08:00:00"));
  Commit();
  EXPECT_FALSE(Refresh().empty());
  ExpectGold("with the memory of all else");
}

}  // namespace
}  // namespace vitalake::lake
