#include "lake/gold.h"
#include "lake/gold_fixture.h"

namespace vitalake::lake {
namespace {

// Random changes of every kind; after each refresh gold is the recomputation, row for row.
class GoldPropertyTest : public GoldFixture, public testing::WithParamInterface<int> {
 protected:
  static constexpr int kPatients = 12;

  bool IsUpkeepApart() const override { return GetParam() % 2 == 0; }
  uint64_t Below(uint64_t bound) { return seeded_.Below(bound); }
  std::string Patient() { return fmt::format("p{}", Below(kPatients)); }
  std::string Space() { return Below(4) == 0 ? "s" : ""; }
  std::string Day() { return fmt::format("2026-01-{:02}", 1 + 9 * Below(4)); }
  std::string Any(std::initializer_list<const char*> values) {
    return std::data(values)[Below(values.size())];
  }
  std::string Value() { return Below(8) == 0 ? "NULL" : fmt::format("{}", 60 + Below(130)); }
  std::string Quality() { return Any({"''", "NULL", "'implausible'", "'x repeat_of'", "'x'"}); }
  std::string SubjectIdentifier() { return Any({"'urn:a|1'", "'urn:a|2'", "'1'", "'|1'", "NULL"}); }
  std::string Identifiers() {
    return Any({"NULL", R"('[{"system":"urn:a","value":"1"}]')", R"('[{"value":"1"}]')",
                R"('[{"system":"urn:a","value":"2"},{"system":"urn:b","value":"1"}]')"});
  }
  std::string Status() { return Any({"'final'", "'amended'", "'entered-in-error'"}); }

  void Insert(const std::string& table) {
    const std::string day = Day();
    const std::string id = fmt::format("'{}'", table == "patient" ? Patient() : random_.Uuid());
    const std::string space = Space();
    if (table == "alert") {
      return Do(fmt::format(
          "INSERT INTO alert (id_space, alert_id, patient_id, vital, rule, severity, state, "
          "opened_at, updated_at, notify, sequence, source_partition) VALUES ('{}', 'a{}', '{}', "
          "'8867-4', 'high', 'high', {}, TIMESTAMPTZ '{} 08:00:00Z', "
          "TIMESTAMPTZ '2026-02-{:02} 00:00:00Z', {}, {}, 's/t/0/1')",
          space, Below(9), Patient(), Any({"'open'", "'closed'", "'withdrawn'"}), Day(),
          1 + Below(20), Any({"true", "false"}), sequence_++));
    }
    if (table == "action") {
      return Do(fmt::format(
          "INSERT INTO action (id_space, id, target, action, time, expiry, payload) VALUES ('{}', "
          "{}, '{}', {}, TIMESTAMPTZ '{} 01:30:00Z', {}, "
          "'{{\"oxygen_scale\":{},\"pregnant\":{}}}')",
          space, id, Patient(), Any({"'settings'", "'patient'"}), Day(),
          Any({"NULL", "TIMESTAMPTZ '2026-01-19 00:00:00Z'"}), 1 + Below(2),
          Any({"false", "false", "true"})));
    }
    if (table == "patient") {
      Do(fmt::format("DELETE FROM patient WHERE id = {} AND id_space = '{}'", id, space));
      Do(
          fmt::format("INSERT INTO patient (id_space, id, birth_date, replaced_by, replaces, "
                      "identifiers) VALUES "
                      "('{}', {}, DATE '1950-06-07', {}, {}, {})",
                      space, id, Below(2) ? "NULL" : "'" + Patient() + "'",
                      Below(3) ? "NULL" : fmt::format(R"('["{}","{}"]')", Patient(), Patient()),
                      Identifiers()));
      return;
    }
    const bool pressure = table == "observation";
    Do(fmt::format(
        "INSERT INTO {} (id_space, id, patient_id, subject_identifier, effective_date, "
        "effective_time, status, "
        "quality, device, {}) VALUES ('{}', {}, {}, {}, {}, {}, {}, {}, {})",
        table,
        pressure ? "systolic_pressure_value, diastolic_pressure_value, setting, device_type"
                 : "value, code, unit, panel",
        space, id, Below(4) ? fmt::format("'{}', NULL", Patient()) : "NULL, " + SubjectIdentifier(),
        Below(12) ? "DATE '" + day + "'" : "NULL",
        Below(6) ? fmt::format("TIMESTAMPTZ '{} {:02}:00:00Z'", day, Below(3)) : "NULL", Status(),
        Quality(), Any({"NULL", "'d1'"}),
        pressure ? fmt::format("{}, {}, {}, {}", Value(), Value(), Any({"'home'", "NULL"}),
                               Any({"'cuff'", "'cuffless'", "NULL"}))
                 : fmt::format("{}, {}, 'u', {}", Value(),
                               Any({"'8480-6'", "'8462-4'", "'8867-4'", "'9279-1'", "'2708-6'",
                                    "'3151-8'", "NULL"}),
                               Any({"NULL", "'85354-9'"}))));
  }

  void Change(const std::string& table) {
    if (table == "alert" || table == "action") return Insert(table);
    const std::string one = fmt::format(
        "WHERE rowid IN (SELECT rowid FROM {0} ORDER BY hash(id, id_space, {1}) LIMIT 1)", table,
        Below(1'000'000));
    const bool patient = table == "patient";
    const std::string value = table == "observation" ? "systolic_pressure_value" : "value";
    switch (Below(9)) {
      case 0:
        return Do(fmt::format("DELETE FROM {} {}", table, one));
      case 7:
        return patient
                   ? Do(fmt::format("UPDATE patient SET identifiers = {} {}", Identifiers(), one))
                   : Do(fmt::format("UPDATE {} SET patient_id = NULL, subject_identifier = {} {}",
                                    table, SubjectIdentifier(), one));
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
  int64_t sequence_ = 0;
};

TEST_P(GoldPropertyTest, IncrementalIsFullRecomputation) {
  for (int i = 0; i < 60; ++i) {
    Insert(Any({"patient", "observation", "observation", "vital_sign", "vital_sign", "vital_sign",
                "alert", "action"}));
  }
  Commit();
  Refresh();
  ExpectGold("at first");
  int narrowed = 0;
  for (int step = 0; step < 10 && !HasFailure(); ++step) {
    // Often few kinds of change at once: those narrow a refresh most.
    const auto tables =
        Below(2) ? std::vector<std::string>{Any({"observation", "vital_sign", "alert", "action"})}
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
