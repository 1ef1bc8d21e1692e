// The conflict rule: all orders of arrival of a set of versions end in the same row.
//
// Every order of a set gets a key of its own, so one lake tries all of them at once: once with all
// messages in one run, once with the i-th message of every order in the i-th run.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "ingest/test_lake.h"

namespace vitalake::ingest {
namespace {

struct Version {
  std::string version;  // "" = none
  std::string status;
  int systolic = 120;
  bool is_delete = false;
};

std::string Message(const std::string& id, const Version& v) {
  if (v.is_delete) {
    return fmt::format(
        R"({{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"DELETE","url":"Observation/{}"}}}}]}})",
        id);
  }
  const std::string meta =
      v.version.empty()
          ? ""
          : fmt::format(R"("meta":{{"versionId":"{0}","lastUpdated":"2026-01-0{0}T00:00:00Z"}},)",
                        v.version);
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}",{}"status":"{}","code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},)"
      R"("subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2026-01-01T08:00:00Z","component":[)"
      R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"8480-6"}}]}},"valueQuantity":{{"value":{},"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}},)"
      R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"8462-4"}}]}},"valueQuantity":{{"value":80,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}]}})",
      id, meta, v.status, v.systolic);
}

struct Case {
  const char* name;
  std::vector<Version> versions;
  std::string expected;  // status|version_id|systolic|retracted|deleted
};

class ConflictRule : public testing::TestWithParam<Case> {
 protected:
  // Each order with the id it has.
  std::vector<std::vector<size_t>> Orders() const {
    std::vector<size_t> order(GetParam().versions.size());
    std::iota(order.begin(), order.end(), 0);
    std::vector<std::vector<size_t>> orders;
    do {
      orders.push_back(order);
    } while (std::next_permutation(order.begin(), order.end()));
    return orders;
  }

  void ExpectOneState(TestLake& lake, size_t orders) const {
    EXPECT_EQ(lake.Rows("SELECT concat_ws('|', status, coalesce(version_id, '-'), "
                        "coalesce(CAST(systolic_pressure_value AS VARCHAR), '-'), "
                        "retracted_at IS NOT NULL, deleted), count(*) "
                        "FROM silver.observation GROUP BY 1 ORDER BY 1"),
              fmt::format("{},{}\n", GetParam().expected, orders));
    // Its pressures are rows of silver.vital_sign, and agree.
    const std::string value = GetParam().expected.find("|-|true") == std::string::npos
                                  ? std::to_string(orders)
                                  : std::string("0");
    EXPECT_EQ(lake.Rows("SELECT count(value) FROM silver.vital_sign WHERE code = '8480-6'"),
              value + "\n");
    EXPECT_EQ(lake.Rows("SELECT count(*) FROM silver.observation o WHERE (SELECT count(*) FROM "
                        "silver.vital_sign v WHERE v.id = o.id) <> 2"),
              "0\n");
    EXPECT_EQ(lake.Rows("SELECT count(*) FROM ops.ledger WHERE received <> written + superseded + "
                        "duplicate + quarantined + out_of_scope OR finished_at IS NULL"),
              "0\n");
  }
};

TEST_P(ConflictRule, InOneRun) {
  TestLake lake;
  const auto orders = Orders();
  std::string file;
  for (size_t i = 0; i < orders.size(); ++i) {
    for (const size_t at : orders[i]) {
      file += Message(fmt::format("order-{}", i), GetParam().versions[at]) + "\n";
    }
  }
  const BatchSummary summary = lake.Ingest({{"all.ndjson", file}});
  EXPECT_EQ(summary.counts.received,
            static_cast<int64_t>(orders.size() * GetParam().versions.size()));
  ExpectOneState(lake, orders.size());
}

TEST_P(ConflictRule, InARunEach) {
  TestLake lake;
  const auto orders = Orders();
  for (size_t step = 0; step < GetParam().versions.size(); ++step) {
    std::string file;
    for (size_t i = 0; i < orders.size(); ++i) {
      file += Message(fmt::format("order-{}", i), GetParam().versions[orders[i][step]]) + "\n";
    }
    lake.Ingest({{fmt::format("step-{}.ndjson", step), file}});
  }
  ExpectOneState(lake, orders.size());
}

INSTANTIATE_TEST_SUITE_P(
    Sets, ConflictRule,
    testing::Values(
        Case{
            "HighestVersionWins",
            {{"1", "final", 121}, {"2", "amended", 122}, {"", "final", 119}, {"3", "amended", 123}},
            "amended|3|123.0|false|false"},
        Case{"SameContentRaisesTheRank",
             {{"1", "final", 121}, {"2", "final", 122}, {"3", "final", 121}, {"2", "final", 122}},
             "final|3|121.0|false|false"},
        Case{"OnlyDigitsAreANumber",
             {{"2", "final", 122},
              {"1e3", "amended", 121},
              {"0x1F", "amended", 123},
              {"3.6", "amended", 124}},
             "final|2|122.0|false|false"},
        Case{"RetractionWithoutVersionStays",
             {{"1", "final", 121},
              {"9", "amended", 122},
              {"", "entered-in-error", 121},
              {"1", "final", 121}},
             "entered-in-error|-|-|true|false"},
        Case{"RetractionWithVersionIsOvertaken",
             {{"1", "final", 121}, {"2", "entered-in-error", 121}, {"3", "corrected", 125}},
             "corrected|3|125.0|false|false"},
        Case{"RetractionWithVersionStaysOverLower",
             {{"1", "final", 121},
              {"3", "cancelled", 121},
              {"2", "amended", 125},
              {"", "final", 118}},
             "cancelled|3|-|true|false"},
        Case{"DeleteStaysAndKeepsTheBestVersion",
             {{"1", "final", 121}, {"2", "amended", 122}, {"", "", 0, true}, {"1", "final", 121}},
             "entered-in-error|2|-|true|true"},
        Case{"ARetractionThatIsDeletedTooStaysTheBestVersion",
             {{"", "entered-in-error", 121}, {"3", "final", 123}, {"", "", 0, true}},
             "entered-in-error|-|-|true|true"}),
    [](const auto& info) { return info.param.name; });

// A panel of `status` with a pulse beside the pressures; `systolic` and `pulse` are Quantities.
std::string Panel(const std::string& id, int version, const std::string& status,
                  const std::string& systolic, const std::string& pulse) {
  const auto component = [](const std::string& code, const std::string& value) {
    return fmt::format(
        R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}},"valueQuantity":{}}})",
        code, value);
  };
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}","meta":{{"versionId":"{}"}},"status":"{}",)"
      R"("code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},)"
      R"("subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2026-01-01T08:00:00Z",)"
      R"("component":[{},{},{}]}})"
      "\n",
      id, version, status, component("8480-6", systolic),
      component("8462-4", R"({"value":110,"code":"mm[Hg]"})"), component("8867-4", pulse));
}

// Of each reading, its rows of either table that are retracted, and have a value.
std::string Retracted(TestLake& lake) {
  return lake.Rows(
      "SELECT o.id, o.retracted_at IS NOT NULL, o.systolic_pressure_value, "
      "count(v.retracted_at), count(v.value), count(*), string_agg(v.code, ' ' ORDER BY "
      "v.component) "
      "FROM silver.observation o JOIN silver.vital_sign v ON v.id = o.id GROUP BY ALL ORDER BY 1");
}

TEST(ConflictRuleOfPanels, ARetractionReachesAllRowsWhateverItsValuesAre) {
  const std::string pressure = R"({"value":180,"code":"mm[Hg]"})";
  const std::string pulse = R"({"value":70,"code":"/min"})";
  // Those of the retractions.
  const std::vector<std::pair<std::string, std::string>> quantities = {
      {pressure, pulse},
      {pressure, R"({"value":{},"code":"/min"})"},
      {pressure, R"({"value":70,"unit":["/min","bpm"]})"},
      {R"({"value":{},"code":"mm[Hg]"})", pulse},
      {R"({"value":{},"code":["mm[Hg]"]})", R"({"value":[],"comparator":{}})"}};
  std::string finals;
  std::string retractions;
  std::string expected;
  for (size_t i = 0; i < quantities.size(); ++i) {
    for (const std::string status : {"entered-in-error", "cancelled"}) {
      const std::string id = fmt::format("{}-{}", i, status);
      finals += Panel(id, 1, "final", pressure, pulse);
      retractions += Panel(id, 2, status, quantities[i].first, quantities[i].second);
    }
    for (const std::string status : {"cancelled", "entered-in-error"}) {
      expected += fmt::format("{}-{},true,,3,0,3,8480-6 8462-4 8867-4\n", i, status);
    }
  }
  const std::vector<std::vector<std::string>> orders = {
      {finals, retractions}, {retractions, finals}, {retractions}, {finals + retractions}};
  for (const auto& files : orders) {
    TestLake lake;
    for (size_t step = 0; step < files.size(); ++step) {
      const auto summary = lake.Ingest({{fmt::format("step-{}.ndjson", step), files[step]}});
      EXPECT_EQ(summary.counts.quarantined, 0);
      if (step == 0) continue;
      EXPECT_EQ(lake.Rows("SELECT count(*) FROM ops.issue WHERE rule = 'view'"), "0\n");
    }
    EXPECT_EQ(Retracted(lake), expected);
  }
}

}  // namespace
}  // namespace vitalake::ingest
