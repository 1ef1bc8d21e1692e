#include "clinical/sql_functions.h"

#include <gtest/gtest.h>

namespace vitalake::clinical::sql {
namespace {

constexpr std::string_view kLoinc = "http://loinc.org";

TEST(SqlFunctionsTest, Codes) {
  EXPECT_EQ(VitalCodeOf(kLoinc, "59408-5"), "2708-6");
  EXPECT_EQ(VitalCodeOf(kLoinc, "718-7"), std::nullopt);
  EXPECT_EQ(VitalCodeOf(std::nullopt, "8480-6"), "8480-6");
  EXPECT_EQ(VitalCodeOf("http://acme.lab", "8480-6"), std::nullopt);
  EXPECT_EQ(VitalCodeOfCodings(R"([{"system":"http://acme.lab","code":"BT"},
      {"system":"http://loinc.org","code":"8310-5"}])"),
            "8310-5");
  EXPECT_EQ(VitalCodeOfCodings(R"({"system":"http://loinc.org","code":"8331-1"})"), "8310-5");
  EXPECT_EQ(VitalCodeOfCodings(R"([{"code":"a"},{"system":"http://loinc.org","code":"72514-3"}])"),
            "72514-3");
  EXPECT_EQ(VitalCodeOfCodings(R"([{"code":"a"},{"code":"b"}])"), "a");
  EXPECT_EQ(VitalCodeOfCodings(R"([{"code":"8867-4"}])"), "8867-4");
  EXPECT_EQ(VitalCodeOfCodings(R"([{"system":"http://acme.lab","code":"8867-4"}])"), std::nullopt);
  EXPECT_EQ(VitalCodeOfCodings("[]"), std::nullopt);
  EXPECT_EQ(VitalCodeOfCodings("{"), std::nullopt);
  EXPECT_EQ(VitalCodeOfCodings(std::nullopt), std::nullopt);
  EXPECT_TRUE(VitalListed(kLoinc, "8867-4"));
  EXPECT_FALSE(VitalListed(kLoinc, "72514-3"));
  EXPECT_EQ(VitalDisplay("8867-4"), "Heart rate");
  EXPECT_EQ(VitalDisplay("72514-3"), std::nullopt);
}

// NEWS2 2017: 3 points alone at once, 2 points ordinary; glucose by the consensus of 2019.
TEST(SqlFunctionsTest, CodesOfVitalSigns) {
  EXPECT_EQ(VitalInterpretation("2708-6", 91, "%", 50), "LL");
  EXPECT_EQ(VitalInterpretation("2708-6", 93, "%", 50), "L");
  EXPECT_EQ(VitalInterpretation("2708-6", 96, "%", 50), "N");
  EXPECT_EQ(VitalInterpretation("8867-4", 131, "/min", 16), "HH");
  EXPECT_EQ(VitalInterpretation("8867-4", 131, "/min", 15), std::nullopt) << "a child";
  EXPECT_EQ(VitalInterpretation("8867-4", 131, "/min", std::nullopt), "HH");
  EXPECT_EQ(VitalInterpretation("2339-0", 53, "mg/dL", 5), "LL");
  EXPECT_EQ(VitalInterpretation("2339-0", 181, "mg/dL", 5), "H") << "noted";
  EXPECT_EQ(VitalInterpretation("2339-0", 2.9, "mmol/L", 5), std::nullopt) << "in the unit sent";
  EXPECT_EQ(VitalInterpretation("15074-8", 2.9, "mmol/L", 5), "LL");
  EXPECT_EQ(VitalInterpretation("29463-7", 80, "kg", 50), std::nullopt);
  EXPECT_EQ(VitalInterpretation("2708-6", std::nullopt, "%", 50), std::nullopt);
}

TEST(SqlFunctionsTest, Values) {
  EXPECT_DOUBLE_EQ(*VitalValue("29463-7", "185", "[lb_av]"), 83.91458845);
  EXPECT_EQ(VitalUnit("29463-7", "[lb_av]"), "kg");
  EXPECT_EQ(VitalUnit("15074-8", "mmol/l"), "mmol/L");
  EXPECT_EQ(VitalUnit("2339-0", "mg/dL"), "mg/dL");
  EXPECT_EQ(VitalUnit("8867-4", std::nullopt), "/min");
  EXPECT_EQ(VitalUnit("29463-7", std::nullopt), std::nullopt);
  EXPECT_EQ(VitalUnit("72514-3", "{score}"), "{score}");
  EXPECT_EQ(VitalValue("72514-3", "4", "{score}"), 4.0);
  EXPECT_EQ(VitalValue("29463-7", "185", "ell"), std::nullopt);
  EXPECT_EQ(VitalValue("29463-7", std::nullopt, "kg"), std::nullopt);
  EXPECT_EQ(VitalValue("8480-6", "351", "mm[Hg]"), std::nullopt);
  EXPECT_EQ(VitalQuality("29463-7", "185", "[lb_av]", std::nullopt), "converted");
  EXPECT_EQ(VitalQuality("8867-4", "70", "", ">"), "unit_assumed off_scale");
  EXPECT_EQ(VitalQuality("72514-3", "4", "", "<"), "off_scale");
  EXPECT_EQ(VitalQuality("72514-3", std::nullopt, "", "<"), "");
  EXPECT_EQ(UnitSentOf("http://unitsofmeasure.org", "mm[Hg]", "mmHg"), "mm[Hg]");
  EXPECT_EQ(UnitSentOf(std::nullopt, std::nullopt, std::nullopt), std::nullopt);
}

TEST(SqlFunctionsTest, BloodPressure) {
  EXPECT_EQ(BpValue("8480-6", "217", "mm[Hg]"), 217.0);
  EXPECT_NEAR(*BpValue("8462-4", "10", "kPa"), 75.0062, 1e-9);
  EXPECT_EQ(BpQuality("217", "mmHg", {}, "102", "mmHg", {}), "unusual");
  EXPECT_EQ(BpQuality("16", "kPa", {}, "80", "", {}), "unit_assumed converted");
  EXPECT_EQ(BpQuality("120", "mmHg", ">", {}, {}, {}), "partial off_scale");
  EXPECT_EQ(BpQuality("80", "mmHg", {}, "120", "mmHg", {}), "implausible");
  EXPECT_EQ(BpInterpretation(135.0, 70.0), "H");
  EXPECT_EQ(BpInterpretation(135.0, 70.0, "esc-2024"), "N");
  EXPECT_EQ(BpInterpretation(135.0, 70.0, "reference-platform"), "L") << "of 70";
  EXPECT_EQ(BpInterpretation(135.0, 70.0, "nobody's"), std::nullopt);
  EXPECT_EQ(BpInterpretation(std::nullopt, std::nullopt), std::nullopt);
  EXPECT_EQ(BpInterpretationForAge(135.0, 70.0, std::nullopt), std::nullopt);
  EXPECT_EQ(BpInterpretationForAge(135.0, 70.0, 40.0), "H");
  EXPECT_EQ(BpRuleSet(), "aha-acc-2025");
  EXPECT_EQ(BpRuleVersion(), "2025.1");
  EXPECT_EQ(BpBand(121.0, 70.0), "elevated");
  EXPECT_EQ(BpBand(121.0, 70.0, "home"), "below hypertension");
  EXPECT_EQ(BpBand(121.0, 70.0, "train"), std::nullopt);
  EXPECT_EQ(BpBand(std::nullopt, std::nullopt), std::nullopt);
  EXPECT_EQ(BpCategory(135.0, 70.0, 2, 2, 40.0, "home", std::nullopt),
            "hypertension (AHA/ACC 2025, home)");
  EXPECT_EQ(BpCategory(135.0, 70.0, 2, 2, 40.0, {}, "cuffless"),
            "not assessed: no cuff known: confirm with a cuff");
  EXPECT_EQ(BpCategory({}, {}, 0, 0, {}, {}, {}), "not assessed: fewer than 2 readings");
}

TEST(SqlFunctionsTest, Times) {
  EXPECT_EQ(FhirTime("1970-01-01T01:00:00.5+01:00"), 500'000);
  EXPECT_EQ(FhirTime("1970-01-02"), std::nullopt);
  EXPECT_EQ(FhirTime("1970-01-02T00:00:00"), std::nullopt);
  EXPECT_EQ(FhirTime("soon"), std::nullopt);
  EXPECT_EQ(FhirTime(std::nullopt), std::nullopt);
  EXPECT_EQ(FhirDate("1970-01-02"), 1);
  EXPECT_EQ(FhirDate("1970-01-02T00:30:00+02:00"), 1) << "the local date as sent";
  EXPECT_EQ(FhirDate("1970-01"), std::nullopt);
  EXPECT_EQ(FhirPrecision("1970-01"), "month");
  EXPECT_EQ(FhirPrecision("1970-01-01T00:00:00.0Z"), "fraction");
  EXPECT_EQ(FhirPrecision("x"), std::nullopt);
  EXPECT_EQ(FhirOffsetMinutes("1970-01-01T00:00:00-03:30"), -210);
  EXPECT_EQ(FhirOffsetMinutes("1970-01-01"), std::nullopt);
  EXPECT_EQ(TimeQuality("1970-01-01"), "time_imprecise");
  EXPECT_EQ(TimeQuality(std::nullopt), "time_imprecise");
  EXPECT_EQ(TimeQuality("1970-01-01T00:00:00Z"), "");
}

TEST(SqlFunctionsTest, Tokens) {
  EXPECT_EQ(MergeTokens("partial converted", "unit_assumed converted"),
            "unit_assumed converted partial");
  EXPECT_EQ(MergeTokens(std::nullopt, ""), "");
}

TEST(SqlFunctionsTest, OfAComparatorOnlyWhatIsCertainCounts) {
  EXPECT_EQ(BpCertainInterpretation(180.0, ">", 80.0, {}), "HH") << "above 180 is severe";
  EXPECT_EQ(BpCertainInterpretation(190.0, "<", 80.0, {}), std::nullopt);
  EXPECT_EQ(BpCertainInterpretation(190.0, "<", 70.0, {}), std::nullopt) << "N is not known";
  EXPECT_EQ(BpCertainInterpretation(190.0, "<", 125.0, {}), "HH") << "of 125";
  EXPECT_EQ(BpCertainInterpretation(70.0, "<", 50.0, {}), "LL");
  EXPECT_EQ(BpCertainInterpretation(85.0, "<", 50.0, {}), "L");
  EXPECT_EQ(BpCertainInterpretation(165.0, ">", 80.0, {}), "H");
  EXPECT_EQ(BpCertainInterpretation({}, {}, 119.0, ">="), "H");
  EXPECT_EQ(BpCertainInterpretation({}, {}, 120.0, ">"), "HH");
  EXPECT_EQ(BpCertainInterpretation(125.0, {}, 75.0, ""), "N");
  EXPECT_EQ(BpCertainInterpretation({}, "<", {}, {}), std::nullopt);
  EXPECT_EQ(VitalInterpretation("2708-6", 90.0, "%", {}, "<"), "LL");
  EXPECT_EQ(VitalInterpretation("2708-6", 95.0, "%", {}, "<"), std::nullopt);
  EXPECT_EQ(VitalInterpretation("2339-0", 54.0, "mg/dL", {}, "<"), "LL");
  EXPECT_EQ(VitalInterpretation("2339-0", 54.0, "mg/dL", {}, {}), "L");
  EXPECT_EQ(VitalInterpretation("2339-0", 200.0, "mg/dL", {}, ">"), std::nullopt);
  EXPECT_EQ(VitalInterpretation("2339-0", 200.0, "mg/dL", {}, {}), "H");
  EXPECT_EQ(VitalInterpretation("2339-0", 400.0, "mg/dL", {}, ">"), "H");
}

TEST(SqlFunctionsTest, GlucoseOfBodyFluidIsNotJudged) {
  EXPECT_EQ(VitalInterpretation("2344-0", 40.0, "mg/dL", {}, {}), std::nullopt);
  EXPECT_EQ(VitalInterpretation("14745-4", 2.0, "mmol/L", {}, {}), std::nullopt);
  EXPECT_EQ(VitalUnit("2344-0", "mg/dL"), "mg/dL") << "kept all the same";
}

}  // namespace
}  // namespace vitalake::clinical::sql
