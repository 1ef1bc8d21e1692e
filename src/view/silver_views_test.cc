// The silver views over published examples; expected values are read off the JSON by hand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "view/view.h"

namespace vitalake::view {
namespace {

const std::filesystem::path kSource = VITALAKE_SOURCE_DIR;
const std::filesystem::path kExamples = kSource / "../shared/data/hl7-r4-examples";

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The cells that are not null, by column.
using Row = std::map<std::string, std::string>;

std::string Shown(const ColumnSpec& column, const Cell& cell) {
  switch (column.type) {
    case ColumnType::kVarchar:
      return std::string(cell.text);
    case ColumnType::kBoolean:
      return cell.boolean ? "true" : "false";
    case ColumnType::kDouble:
      return fmt::format("{}", cell.number);
    default:
      return std::to_string(cell.integer);
  }
}

std::shared_ptr<const View> SilverView(std::string_view name) {
  auto view = View::Compile(ReadFile(kSource / "views" / fmt::format("{}.json", name)));
  EXPECT_TRUE(view.has_value()) << view.error().ToString();
  return *view;
}

std::vector<Row> RowsOf(std::string_view view_name, std::string_view resource) {
  const auto view = SilverView(view_name);
  ViewRunner runner(view);
  JsonParser parser;
  const auto tree = parser.Parse(resource);
  EXPECT_TRUE(tree.has_value());
  std::vector<Row> rows;
  const auto ran = runner.Run(*tree, [&](std::span<const Cell> cells) {
    Row& row = rows.emplace_back();
    for (size_t i = 0; i < cells.size(); ++i) {
      const ColumnSpec& column = view->columns()[i];
      if (!cells[i].is_null) row[column.name] = Shown(column, cells[i]);
    }
  });
  EXPECT_TRUE(ran.has_value()) << ran.error().place << ": " << ran.error().message;
  return rows;
}

std::vector<Row> RowsOfExample(std::string_view view_name, std::string_view example) {
  return RowsOf(view_name, ReadFile(kExamples / fmt::format("{}.json", example)));
}

// Leaves out the columns that hold JSON text.
Row Plain(Row row, std::initializer_list<std::string_view> json_columns) {
  for (std::string_view name : json_columns) {
    EXPECT_TRUE(row[std::string(name)].starts_with('[')) << name;
    row.erase(std::string(name));
  }
  return row;
}

TEST(PatientView, OfficialNameHomeAddressAndPhones) {
  const auto rows = RowsOfExample("patient", "Patient-example");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("work_phones"),
            R"([{"system":"phone","value":"(03) 5555 6473","use":"work","rank":1}])");
  EXPECT_EQ(rows[0].at("mobile_phones"),
            R"([{"system":"phone","value":"(03) 3410 5613","use":"mobile","rank":2}])");
  EXPECT_EQ(rows[0].at("emails"), "[]");
  EXPECT_EQ(Plain(rows[0], {"work_phones", "mobile_phones", "emails", "identifiers", "replaces",
                            "replaces_reference"}),
            (Row{{"id", "example"},
                 {"resource_type", "Patient"},
                 {"active", "true"},
                 {"gender", "male"},
                 {"birth_date", "1819"},
                 {"birth_date_sent", "1974-12-25"},
                 {"deceased", "false"},
                 {"managing_organization", "1"},
                 {"managing_organization_reference", "Organization/1"},
                 {"is_test", "false"},
                 {"family_name", "Chalmers"},
                 {"given_name", "Peter James"},
                 {"name_use", "official"},
                 {"line", "534 Erewhon St"},
                 {"city", "PleasantVille"},
                 {"district", "Rainbow"},
                 {"state", "Vic"},
                 {"postal_code", "3999"},
                 {"address_text", "534 Erewhon St PeasantVille, Rainbow, Vic  3999"},
                 {"address_use", "home"},
                 {"mrn", "12345"},
                 {"mrn_system", "urn:oid:1.2.36.146.595.217.0.1"}}));
}

TEST(PatientView, NamesAndAddressesWithoutUse) {
  const auto rows = RowsOfExample("patient", "Patient-xds");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("family_name"), "Doe");
  EXPECT_EQ(rows[0].at("city"), "Metropolis");
  EXPECT_EQ(rows[0].at("country"), "USA");
  EXPECT_FALSE(rows[0].contains("name_use"));
}

TEST(PatientView, OldNamesAndHomesAreLeftOut) {
  const auto rows = RowsOf("patient", R"({"resourceType":"Patient","id":"p","birthDate":"1950",
      "meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HTEST"}]},
      "name":[{"use":"old","family":"A"},{"use":"usual","family":"B"}],
      "address":[{"use":"old","city":"X"}],"deceasedDateTime":"2020-05-01T10:00:00Z",
      "link":[{"type":"replaced-by","other":{"reference":"http://h/fhir/Patient/q/_history/2"}},
              {"type":"replaces","other":{"reference":"urn:uuid:1"}},
              {"type":"replaces","other":{"reference":"Patient/r"}}]})");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(Plain(rows[0], {"work_phones", "mobile_phones", "emails", "identifiers"}),
            (Row{{"id", "p"},
                 {"resource_type", "Patient"},
                 {"birth_date_sent", "1950"},
                 {"deceased", "true"},
                 {"deceased_time", "1588327200000000"},
                 {"deceased_sent", "2020-05-01T10:00:00Z"},
                 {"replaced_by", "q"},
                 {"replaced_by_reference", "http://h/fhir/Patient/q/_history/2"},
                 {"replaces", R"(["r"])"},
                 {"replaces_reference", R"(["urn:uuid:1","Patient/r"])"},
                 {"is_test", "true"},
                 {"family_name", "B"},
                 {"name_use", "usual"}}));
}

TEST(PatientView, NameAsTextOnly) {
  const auto rows = RowsOfExample("patient", "Patient-ch-example");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("name_text"), "张无忌");
  EXPECT_FALSE(rows[0].contains("family_name"));
  EXPECT_FALSE(rows[0].contains("given_name"));
  EXPECT_EQ(rows[0].at("last_updated"), "1463360152000000");  // 2016-05-16T00:55:52Z
  EXPECT_EQ(rows[0].at("version_id"), "1");
}

TEST(ObservationView, BothSidesOfAReading) {
  const auto rows = RowsOfExample("observation", "Observation-blood-pressure");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(Plain(rows[0], {"identifiers"}),
            (Row{{"id", "blood-pressure"},
                 {"resource_type", "Observation"},
                 {"status", "final"},
                 {"category_code", "vital-signs"},
                 {"code", "85354-9"},
                 {"patient_id", "example"},
                 {"subject_reference", "Patient/example"},
                 {"effective_sent", "2012-09-17"},
                 {"effective_date", "15600"},
                 {"practitioner", "example"},
                 {"practitioner_reference", "Practitioner/example"},
                 {"body_site_code", "368209003"},
                 {"interpretation_code", "L"},
                 {"systolic_components", "1"},
                 {"diastolic_components", "1"},
                 {"systolic_value_sent", "107"},
                 {"systolic_unit_sent", "mmHg"},
                 {"systolic_unit_code", "mm[Hg]"},
                 {"systolic_unit_system", "http://unitsofmeasure.org"},
                 {"systolic_interpretation", "normal"},
                 {"systolic_interpretation_code", "N"},
                 {"diastolic_value_sent", "60"},
                 {"diastolic_unit_sent", "mmHg"},
                 {"diastolic_unit_code", "mm[Hg]"},
                 {"diastolic_unit_system", "http://unitsofmeasure.org"},
                 {"diastolic_interpretation", "low"},
                 {"diastolic_interpretation_code", "L"}}));
}

TEST(ObservationView, AbsentValues) {
  const auto cancelled = RowsOfExample("observation", "Observation-blood-pressure-cancel");
  ASSERT_EQ(cancelled.size(), 1u);
  EXPECT_EQ(cancelled[0].at("status"), "cancelled");
  EXPECT_EQ(cancelled[0].at("systolic_absent_reason"), "not-asked");
  EXPECT_EQ(cancelled[0].at("diastolic_absent_reason"), "not-asked");
  EXPECT_FALSE(cancelled[0].contains("systolic_value_sent"));
  const auto partly = RowsOfExample("observation", "Observation-blood-pressure-dar");
  ASSERT_EQ(partly.size(), 1u);
  EXPECT_EQ(partly[0].at("systolic_value_sent"), "107");
  EXPECT_EQ(partly[0].at("diastolic_absent_reason"), "not-performed");
  EXPECT_FALSE(partly[0].contains("diastolic_value_sent"));
}

// An id alone does not say of what: what is no Practitioner or Device keeps its literal reference.
TEST(ObservationView, IdsOfPerformersAndDevicesAreOfOneType) {
  const auto row = [](std::string_view view, std::string_view performers, std::string_view device) {
    const auto rows =
        RowsOf(view, fmt::format(R"({{"resourceType":"Observation","id":"o","performer":[{}],)"
                                 R"("device":{{"reference":"{}"}},"code":{{"coding":[{{"system":)"
                                 R"("http://loinc.org","code":"85354-9"}}]}},"valueString":"x"}})",
                                 performers, device));
    EXPECT_EQ(rows.size(), 1u);
    return rows.empty() ? Row() : rows[0];
  };
  for (const auto& [view, name] : {std::pair("observation", std::string("practitioner")),
                                   std::pair("vital_sign", std::string("performer"))}) {
    const Row other = row(view, R"({"reference":"Patient/a"})", "DeviceMetric/d");
    EXPECT_FALSE(other.contains(name)) << view;
    EXPECT_EQ(other.at(name + "_reference"), "Patient/a");
    EXPECT_FALSE(other.contains("device")) << view;
    EXPECT_EQ(other.at("device_reference"), "DeviceMetric/d");
    const Row usual = row(view, R"({"reference":"Patient/a"},{"reference":"Practitioner/b"})",
                          "http://h.org/Device/d");
    EXPECT_EQ(usual.at(name), "b");
    EXPECT_EQ(usual.at("device"), "d");
  }
}

// Diastolic first, numbers as strings, a period, a mean, a repeated component.
TEST(ObservationView, FindsComponentsByCode) {
  const auto rows = RowsOf("observation", R"({"resourceType":"Observation","id":"o",
      "code":{"text":"pressure"},"subject":{"identifier":{"system":"s","value":"v"}},
      "effectivePeriod":{"start":"2024-03-01T08:00:00+02:00","end":"2024-03-01T08:05:00+02:00"},
      "device":{"reference":"Device/d"},"encounter":{"reference":"Encounter/e"},
      "component":[
       {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},
        "valueQuantity":{"value":"79.50","comparator":">"}},
       {"code":{"coding":[{"system":"http://snomed.info/sct","code":"8480-6"}]},
        "valueQuantity":{"value":1}},
       {"code":{"coding":[{"system":"x","code":"y"},{"system":"http://loinc.org","code":"8480-6"}]},
        "valueQuantity":{"value":217}},
       {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},
        "valueQuantity":{"value":218}},
       {"code":{"coding":[{"system":"http://loinc.org","code":"8478-0"}]},
        "valueQuantity":{"value":101.0,"unit":"mmHg"}}]})");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(Plain(rows[0], {"identifiers"}),
            (Row{{"id", "o"},
                 {"resource_type", "Observation"},
                 {"subject_identifier_system", "s"},
                 {"subject_identifier_value", "v"},
                 {"effective_sent", "2024-03-01T08:00:00+02:00"},
                 {"effective_time", "1709272800000000"},
                 {"effective_date", "19783"},
                 {"effective_end_sent", "2024-03-01T08:05:00+02:00"},
                 {"effective_end", "1709273100000000"},
                 {"device", "d"},
                 {"device_reference", "Device/d"},
                 {"encounter", "e"},
                 {"encounter_reference", "Encounter/e"},
                 {"systolic_components", "2"},
                 {"diastolic_components", "1"},
                 {"systolic_value_sent", "217"},
                 {"diastolic_value_sent", "79.50"},
                 {"diastolic_comparator", ">"},
                 {"mean_value_sent", "101.0"},
                 {"mean_unit_sent", "mmHg"}}));
}

// The codings are those of rules/codes.yaml.
TEST(ObservationView, FindsPressuresByAnyCodingOfTheirs) {
  const auto coding = [](std::string_view system, std::string_view code) {
    return fmt::format(R"({{"code":{{"coding":[{{"system":"{}","code":"{}"}}]}})", system, code);
  };
  struct Codes {
    std::vector<std::string> systems, systolic, diastolic, mean, panel;
  };
  for (const Codes& codes :
       {Codes{{"http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"},
              {"8480-6", "76534-7", "8459-0", "8460-8", "8461-6"},
              {"8462-4", "76535-5", "8453-3", "8454-1", "8455-8"},
              {"8478-0", "76536-2"},
              {"85354-9", "55284-4"}},
        Codes{{"http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"},
              {"271649006"},
              {"271650006"},
              {"6797001"},
              {"75367002"}},
        Codes{{"urn:iso:std:iso:11073:10101", "urn:oid:2.16.840.1.113883.6.24"},
              {"150021"},
              {"150022"},
              {"150023"},
              {}}}) {
    for (const std::string& system : codes.systems) {
      for (const std::string& code : codes.panel) {
        EXPECT_EQ(RowsOf("observation", R"({"resourceType":"Observation","id":"o",)" +
                                            coding(system, code).substr(1) + "}")
                      .size(),
                  1u)
            << code;
      }
      for (size_t i = 0; i < codes.systolic.size(); ++i) {
        const auto value = [](int number) {
          return fmt::format(R"(,"valueQuantity":{{"value":{}}}}})", number);
        };
        const auto rows =
            RowsOf("observation",
                   R"({"resourceType":"Observation","id":"o","code":{"text":"x"},"component":[)" +
                       coding(system, codes.systolic[i]) + value(120) + "," +
                       coding(system, codes.diastolic[i]) + value(80) + "," +
                       coding(system, codes.mean[i % codes.mean.size()]) + value(93) + "]}");
        ASSERT_EQ(rows.size(), 1u) << codes.systolic[i];
        EXPECT_EQ(rows[0].at("systolic_value_sent"), "120");
        EXPECT_EQ(rows[0].at("diastolic_value_sent"), "80");
        EXPECT_EQ(rows[0].at("mean_value_sent"), "93");
      }
    }
  }
}

TEST(ObservationView, FindsPressuresWithoutASystem) {
  const auto rows = RowsOf("observation", R"({"resourceType":"Observation","id":"a",
      "code":{"coding":[{"code":"85354-9"}]},"component":[
      {"code":{"coding":[{"system":"http://lab.example","code":"8480-6"}]},"valueQuantity":{"value":1}},
      {"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":120}},
      {"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":80}}]})");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("code"), "85354-9");
  EXPECT_EQ(rows[0].at("systolic_value_sent"), "120");
  EXPECT_EQ(rows[0].at("systolic_components"), "1");
  EXPECT_EQ(rows[0].at("diastolic_value_sent"), "80");
}

TEST(ObservationView, DeviceTypeAndSettingByTheirSnomedCodes) {
  const auto rows = RowsOf("observation", R"({"resourceType":"Observation","id":"o",
      "contained":[{"resourceType":"Device","id":"d","type":{"coding":[
        {"system":"urn:own","code":"x"},{"system":"http://snomed.info/sct","code":"309641003"}]}}],
      "extension":[{"url":"http://hl7.org/fhir/us/vitals/StructureDefinition/MeasurementSettingExt",
        "valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"264362003"}]}}],
      "device":{"reference":"#d"},
      "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]}})");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("device_type_code"), "309641003");
  EXPECT_EQ(rows[0].at("setting_code"), "264362003");
}

TEST(ObservationView, APeriodWithoutAStartIsTakenAtItsEnd) {
  for (const std::string_view view : {"observation", "vital_sign"}) {
    const auto rows = RowsOf(view, R"({"resourceType":"Observation","id":"o",
        "effectivePeriod":{"end":"2024-03-01T08:05:00+02:00"},
        "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]}})");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].at("effective_sent"), "2024-03-01T08:05:00+02:00");
    EXPECT_EQ(rows[0].at("effective_time"), "1709273100000000");
    EXPECT_EQ(rows[0].at("effective_date"), "19783");
    EXPECT_EQ(rows[0].at("effective_end"), "1709273100000000");
  }
}

TEST(ObservationView, OtherObservationsGiveNoRow) {
  EXPECT_TRUE(RowsOfExample("observation", "Observation-satO2").empty());
  EXPECT_TRUE(RowsOfExample("observation", "Observation-mbp").empty());
}

TEST(VitalSignView, TheObservationsOwnValue) {
  const auto rows = RowsOfExample("vital_sign", "Observation-satO2");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("loinc_codes"), R"(["2708-6","59408-5"])");
  EXPECT_EQ(Plain(rows[0], {"identifiers", "codings", "loinc_codes"}),
            (Row{{"id", "satO2"},
                 {"resource_type", "Observation"},
                 {"status", "final"},
                 {"category_code", "vital-signs"},
                 {"in_vital_category", "true"},
                 {"patient_id", "example"},
                 {"subject_reference", "Patient/example"},
                 {"effective_sent", "2014-12-05T09:30:10+01:00"},
                 {"effective_time", "1417768210000000"},
                 {"effective_date", "16409"},
                 {"device_reference", "DeviceMetric/example"},
                 {"value_is_text", "false"},
                 {"value_sent", "95"},
                 {"unit_sent", "%"},
                 {"unit_code", "%"},
                 {"unit_system", "http://unitsofmeasure.org"},
                 {"interpretation", "Normal"},
                 {"interpretation_code", "N"}}));
}

TEST(VitalSignView, ComponentsByPlace) {
  const auto panel = RowsOfExample("vital_sign", "Observation-blood-pressure-dar");
  ASSERT_EQ(panel.size(), 2u);
  EXPECT_EQ(panel[0].at("component"), "0");
  EXPECT_EQ(panel[0].at("value_sent"), "107");
  EXPECT_EQ(panel[0].at("loinc_codes"), R"(["8480-6"])");
  EXPECT_EQ(panel[1].at("component"), "1");
  EXPECT_EQ(panel[1].at("absent_reason"), "not-performed");
  // A total of its own and three components whose values are no Quantity.
  const auto glasgow = RowsOfExample("vital_sign", "Observation-glasgow");
  ASSERT_EQ(glasgow.size(), 4u);
  EXPECT_FALSE(glasgow[0].contains("component"));
  EXPECT_EQ(glasgow[0].at("value_sent"), "13");
  EXPECT_EQ(glasgow[0].at("in_vital_category"), "false");
  EXPECT_EQ(glasgow[1].at("value_text"), "5 (Localizes painful stimuli)");
  EXPECT_EQ(glasgow[1].at("value_code"), "5");
  EXPECT_EQ(glasgow[3].at("code_text"), "Eyes");
}

TEST(VitalSignView, ValuesThatAreNoQuantity) {
  const auto text_of = [](std::string_view value) {
    const auto rows =
        RowsOf("vital_sign",
               fmt::format(R"({{"resourceType":"Observation","id":"o","code":{{"text":"c"}},{}}})",
                           value));
    return rows.size() == 1 && rows[0].contains("value_text") ? rows[0].at("value_text") : "";
  };
  EXPECT_EQ(text_of(R"("valueString":"yes")"), "yes");
  EXPECT_EQ(text_of(R"("valueInteger":3)"), "3");
  EXPECT_EQ(text_of(R"("valueBoolean":false)"), "false");
  EXPECT_EQ(text_of(R"("valueDateTime":"2024-01")"), "2024-01");
  EXPECT_EQ(text_of(R"("valueCodeableConcept":{"coding":[{"code":"a","display":"A"}]})"), "A");
  EXPECT_EQ(text_of(R"("valueCodeableConcept":{"coding":[{"code":"a"}]})"), "a");
  const std::string low = R"("low":{"value":60,"unit":"bpm","code":"/min"})";
  const std::string high = R"("high":{"value":80.50})";
  EXPECT_EQ(text_of(R"("valueRange":{)" + low + "," + high + "}"), "60 - 80.50 bpm");
  EXPECT_EQ(text_of(R"("valueRange":{)" + low + "}"), ">= 60 bpm");
  EXPECT_EQ(text_of(R"("valueRange":{)" + high + "}"), "<= 80.50");
}

TEST(SilverViews, NoExampleIsAFault) {
  size_t files = 0;
  std::map<std::string, size_t> rows;
  JsonParser parser;
  for (const std::string name : {"patient", "observation", "vital_sign"}) {
    ViewRunner runner(SilverView(name));
    for (const auto& entry : std::filesystem::directory_iterator(kExamples)) {
      const std::string text = ReadFile(entry.path());
      const auto tree = parser.Parse(text);
      if (!tree || tree->String("resourceType").empty()) continue;
      ++files;
      const auto ran = runner.Run(*tree, [&](std::span<const Cell>) { ++rows[name]; });
      EXPECT_TRUE(ran.has_value())
          << entry.path() << " " << ran.error().place << ": " << ran.error().message;
    }
  }
  EXPECT_EQ(files, 3u * (22 + 64));
  EXPECT_EQ(rows["patient"], 22u);
  EXPECT_EQ(rows["observation"], 3u);
}

}  // namespace
}  // namespace vitalake::view
