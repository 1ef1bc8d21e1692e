// What resources of unusual shape become in the silver tables, ops.issue and ops.quarantine.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ingest/replay.h"
#include "ingest/test_lake.h"

namespace vitalake::ingest {
namespace {

constexpr std::string_view kCategory =
    R"("category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],)";

std::string Coded(std::string_view code, std::string_view system) {
  return fmt::format(R"("code":{{"coding":[{{{}"code":"{}"}}]}})",
                     system.empty() ? "" : fmt::format(R"("system":"{}",)", system), code);
}

std::string Component(std::string_view code, std::string_view value, std::string_view unit,
                      std::string_view system = "http://loinc.org") {
  return fmt::format(R"({{{},"valueQuantity":{{"value":{},"unit":"{}"}}}})", Coded(code, system),
                     value, unit);
}

std::string Observation(std::string_view id, std::string_view code, std::string_view rest,
                        std::string_view system = "http://loinc.org") {
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}","status":"final",{}{},"subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2026-01-01T08:00:00Z",{}}})"
      "\n",
      id, kCategory, Coded(code, system), rest);
}

std::string Panel(std::string_view id, std::string_view components) {
  return Observation(id, "85354-9", fmt::format(R"("component":[{}])", components));
}

TEST(SilverRows, ACodeWithoutASystemIsLoincsInEveryTable) {
  TestLake lake;
  lake.Ingest(
      {{"a.ndjson",
        Observation("pulse", "8867-4", R"("valueQuantity":{"value":72,"unit":"/min"})", "") +
            Observation("panel", "85354-9",
                        fmt::format(R"("component":[{},{}])", Component("8480-6", "16", "kPa", ""),
                                    Component("8462-4", "10", "kPa", "")),
                        "")}});
  EXPECT_EQ(lake.Rows("SELECT id, round(systolic_pressure_value), code, quality FROM "
                      "silver.observation"),
            "panel,120.0,85354-9,converted\n");
  EXPECT_EQ(lake.Rows("SELECT id, code, round(value), quality FROM silver.vital_sign ORDER BY ALL"),
            "panel,8462-4,75.0,converted\npanel,8480-6,120.0,converted\npulse,8867-4,72.0,\n");
  EXPECT_EQ(
      lake.Rows("SELECT id, count(*) FROM ops.issue WHERE rule = 'code' GROUP BY 1 ORDER BY 1"),
      "panel,3\npulse,1\n");
}

TEST(SilverRows, ACodeOfAnotherSystemKeepsItsValueAndIsNoVitalSign) {
  TestLake lake;
  lake.Ingest({{"a.ndjson",
                Observation("pulse", "8867-4", R"("valueQuantity":{"value":72,"unit":"furlong"})",
                            "http://lab.example")}});
  EXPECT_EQ(lake.Rows("SELECT code, value, unit, value_sent, unit_sent FROM silver.vital_sign"),
            ",72.0,furlong,72,furlong\n");
  EXPECT_EQ(lake.Rows("SELECT element_path FROM ops.issue WHERE rule = 'code'"),
            "Observation.code.coding[0]\n");
}

TEST(SilverRows, EachHasTheTokensOfItsOwnValues) {
  TestLake lake;
  const std::string pair =
      Component("8480-6", "120", "mmHg") + "," + Component("8462-4", "80", "mmHg");
  lake.Ingest({{"a.ndjson", Panel("a", pair + "," + Component("8867-4", "310", "/min")) +
                                Panel("b", pair + "," + Component("8867-4", "\"70\"", "/min")) +
                                Panel("c", Component("8480-6", "80", "mmHg") + "," +
                                               Component("8462-4", "\"120\"", "mmHg") + "," +
                                               Component("8867-4", "70", "/min"))}});
  EXPECT_EQ(lake.Rows("SELECT id, quality FROM silver.observation ORDER BY 1"),
            "a,\nb,\nc,text_number implausible\n");
  EXPECT_EQ(lake.Rows("SELECT id, code, quality FROM silver.vital_sign ORDER BY 1, 2"),
            "a,8462-4,\na,8480-6,\na,8867-4,implausible\n"
            "b,8462-4,\nb,8480-6,\nb,8867-4,text_number\n"
            "c,8462-4,text_number implausible\nc,8480-6,implausible\nc,8867-4,\n");
}

TEST(SilverRows, EmptyTextsAreAbsent) {
  TestLake lake;
  lake.Ingest(
      {{"a.ndjson",
        R"({"resourceType":"Patient","id":"e","name":[{"use":"official","family":"","given":[""]},{"use":"usual","family":"Real","given":["","Jo"]}],)"
        R"("address":[{"use":"home","city":"","country":"NL"}],"identifier":[{"system":"s","value":""}],)"
        R"("telecom":[{"system":"phone","use":"work","value":"","rank":1},{"system":"phone","use":"work","value":"555","rank":2}]})"}});
  EXPECT_EQ(lake.Rows("SELECT family_name, given_name, city IS NULL, country, work_phone, "
                      "identifiers FROM silver.patient"),
            "Real,Jo,true,NL,555,[{\"system\":\"s\"}]\n");
  EXPECT_EQ(lake.Rows("SELECT count(*) FROM ops.issue WHERE rule = 'empty'"), "6\n");
}

TEST(SilverRows, ALargeVersionIsTheHighest) {
  TestLake lake;
  const auto with_version = [](std::string_view version, std::string_view systolic) {
    std::string text =
        Panel("a", Component("8480-6", systolic, "mmHg") + "," + Component("8462-4", "80", "mmHg"));
    return text.replace(text.find(R"("status")"), 0,
                        fmt::format(R"("meta":{{"versionId":"{}"}},)", version));
  };
  lake.Ingest({{"1.ndjson", with_version("5", "120")}});
  lake.Ingest({{"2.ndjson", with_version("9223372036854775808", "150")}});
  lake.Ingest({{"3.ndjson", with_version("6", "130")}});
  EXPECT_EQ(lake.Rows("SELECT version_id, systolic_pressure_value FROM silver.observation"),
            "9223372036854775808,150.0\n");
}

TEST(SilverRows, AValueOfSeveralPartsIsKeptAsItsJson) {
  TestLake lake;
  constexpr std::string_view kRatio = R"({"numerator":{"value":72},"denominator":{"value":1.0}})";
  lake.Ingest(
      {{"a.ndjson",
        Observation("a", "8867-4", fmt::format(R"("valueRatio":{})", kRatio)) +
            Observation("b", "8867-4",
                        R"("valueSampledData":{"origin":{"value":0},"period":10,"dimensions":1})") +
            Observation("c", "8867-4", R"("valuePeriod":{"start":"2026-01-01"})")}});
  EXPECT_EQ(lake.Rows("SELECT value, value_text = '" + std::string(kRatio) +
                      "' FROM silver.vital_sign WHERE id = 'a'"),
            ",true\n");
  EXPECT_EQ(lake.Rows("SELECT id, value_text IS NOT NULL FROM silver.vital_sign ORDER BY 1"),
            "a,true\nb,true\nc,true\n");
}

TEST(SilverRows, NoResourceTypeOfR4IsQuarantined) {
  TestLake lake;
  std::string typo = Panel("k", Component("8480-6", "120", "mmHg"));
  typo.replace(typo.find("Observation"), 1, "o");
  const BatchSummary summary =
      lake.Ingest({{"a.ndjson", typo + R"({"resourceType":"Encounter","id":"e"})" + "\n"}});
  EXPECT_EQ(summary.counts.quarantined, 1);
  EXPECT_EQ(summary.counts.out_of_scope, 1);
  EXPECT_EQ(lake.Rows("SELECT reason, element_path, message LIKE '%did you mean ''Observation''?' "
                      "FROM ops.quarantine"),
            "type,resourceType,true\n");
}

TEST(SilverRows, AnUnresolvedSubjectIsRecorded) {
  TestLake lake;
  std::string text = Panel("k", Component("8480-6", "120", "mmHg"));
  text.replace(text.find("Patient/p"), 9, "urn:uuid:1");
  lake.Ingest({{"a.ndjson", text}});
  EXPECT_EQ(lake.Rows("SELECT element_path, contains(message, 'urn:uuid:1') FROM ops.issue WHERE "
                      "rule = 'reference'"),
            "Observation.subject.reference,true\n");
}

TEST(SilverRows, APositionNamesLineAndEntry) {
  TestLake lake;
  const std::string bad = R"({"resourceType":"Patient","id":"a","birthDate":"1.1.1950"})";
  const std::string bundle =
      R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)" + bad +
      R"(},{"resource":)" + bad + "}]}";
  lake.Ingest({{"lines.ndjson", bundle + "\n" + bad + "\n[" + bad + "]\n"},
               {"whole.json", "[\n" + bad + ",\n" + bad + "]"}});
  EXPECT_EQ(lake.Rows("SELECT parse_filename(position[:instr(position, ':') - 1]) || "
                      "position[instr(position, ':'):] AS p FROM ops.quarantine ORDER BY p"),
            "lines.ndjson:1/0\nlines.ndjson:1/1\nlines.ndjson:2\nlines.ndjson:3/0\n"
            "whole.json:0\nwhole.json:1\n");
}

TEST(SilverRows, AConflictThatLosesInAReplayStaysInQuarantine) {
  TestLake lake;
  const auto sent = [](int version, std::string_view identifier) {
    std::string text = Panel("c", Component("8480-6", fmt::format("12{}", version), "mmHg"));
    std::string more = fmt::format(R"("meta":{{"versionId":"{}"}},)", version);
    if (!identifier.empty()) {
      more += fmt::format(R"("identifier":[{{"system":"urn:ietf:rfc:3986","value":"{}"}}],)",
                          identifier);
    }
    return text.replace(text.find(R"("status")"), 0, more);
  };
  lake.Ingest({{"1.ndjson", sent(5, "")}});
  lake.Ingest({{"2.ndjson", sent(3, "one") + sent(2, "two")}});
  EXPECT_EQ(lake.Rows("SELECT reason FROM ops.quarantine"), "key-conflict\n");
  auto done = ReplayQuarantine(lake.lake(), {});
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(done->still_refused, 1);
  EXPECT_EQ(done->counts.superseded, 0);
  EXPECT_EQ(lake.Rows("SELECT replayed_at FROM ops.quarantine"), "\n");
  done = ReplayQuarantine(lake.lake(), {}, {.key = fhir::KeyRule::kIdentifier});
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(done->counts.written, 1);
  EXPECT_EQ(lake.Rows("SELECT count(replayed_at) FROM ops.quarantine"), "1\n");
  EXPECT_EQ(lake.Rows("SELECT count(*) FROM ops.ledger WHERE received <> written + superseded + "
                      "duplicate + quarantined + out_of_scope"),
            "0\n");
}

}  // namespace
}  // namespace vitalake::ingest
