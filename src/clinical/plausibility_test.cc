#include "clinical/plausibility.h"

#include <gtest/gtest.h>

#include <string>

namespace vitalake::clinical {
namespace {

// "impossible", "unit", "absent-unit", "number", or the tokens; "!" behind a critical value.
std::string Tier(std::string_view code, std::string_view value, std::string_view unit,
                 std::string_view comparator = "") {
  const VitalCode* vital = CodeTable::Builtin()->Canonical(code);
  if (vital == nullptr) return "no such code";
  const Measured measured = Measure(*vital, value, unit, ParseComparator(comparator));
  const std::string mark = measured.critical ? "!" : "";
  switch (measured.fault) {
    case ValueFault::kNone:
      return measured.quality.ToString() + mark;
    case ValueFault::kNotNumber:
      return "number" + mark;
    case ValueFault::kImpossible:
      return "impossible" + mark;
    case ValueFault::kUnknownUnit:
      return "unit" + mark;
    case ValueFault::kAbsentUnit:
      return "absent-unit" + mark;
  }
  return "";
}

std::string Systolic(std::string_view value) { return Tier("8480-6", value, "mm[Hg]"); }
std::string Diastolic(std::string_view value) { return Tier("8462-4", value, "mm[Hg]"); }

// Impossible: S <= 0 or > 350. Implausible: outside 40-300.
TEST(PlausibilityTest, TiersOfSystolic) {
  EXPECT_EQ(Systolic("-1"), "impossible");
  EXPECT_EQ(Systolic("0"), "impossible");
  EXPECT_EQ(Systolic("0.1"), "implausible!");
  EXPECT_EQ(Systolic("39.9"), "implausible!");
  EXPECT_EQ(Systolic("40"), "unusual!");
  EXPECT_EQ(Systolic("69.9"), "unusual!");
  EXPECT_EQ(Systolic("70"), "");
  EXPECT_EQ(Systolic("180"), "");
  EXPECT_EQ(Systolic("180.1"), "!");
  EXPECT_EQ(Systolic("199.9"), "!");
  EXPECT_EQ(Systolic("200"), "unusual!");
  EXPECT_EQ(Systolic("300"), "unusual!");
  EXPECT_EQ(Systolic("300.1"), "implausible!");
  EXPECT_EQ(Systolic("350"), "implausible!");
  EXPECT_EQ(Systolic("350.1"), "impossible");
}

// Impossible: D < 0. Implausible: outside 20-200.
TEST(PlausibilityTest, TiersOfDiastolic) {
  EXPECT_EQ(Diastolic("-0.1"), "impossible");
  EXPECT_EQ(Diastolic("0"), "implausible");
  EXPECT_EQ(Diastolic("19.9"), "implausible");
  EXPECT_EQ(Diastolic("20"), "unusual");
  EXPECT_EQ(Diastolic("40"), "");
  EXPECT_EQ(Diastolic("120"), "");
  EXPECT_EQ(Diastolic("120.1"), "!");
  EXPECT_EQ(Diastolic("130"), "unusual!");
  EXPECT_EQ(Diastolic("200"), "unusual!");
  EXPECT_EQ(Diastolic("200.1"), "implausible!");
}

TEST(PlausibilityTest, NeedsAFiniteNumber) {
  EXPECT_EQ(Systolic("NaN"), "number");
  EXPECT_EQ(Systolic("1e999"), "number");
  EXPECT_EQ(Systolic("-1e999"), "number");
  EXPECT_EQ(Systolic("12x"), "number");
  EXPECT_EQ(Systolic(""), "number");
  EXPECT_EQ(ParseNumber("1e-999"), 0.0);
  EXPECT_EQ(ParseNumber("1.2e2"), 120.0);
}

TEST(PlausibilityTest, ConvertsUnits) {
  const VitalCode* systolic = CodeTable::Builtin()->Canonical("8480-6");
  const Measured kpa = Measure(*systolic, "16", "kPa", Comparator::kNone);
  EXPECT_NEAR(kpa.value, 120.00992, 1e-9);
  EXPECT_EQ(kpa.quality.ToString(), "converted");
  EXPECT_EQ(kpa.unit, Unit::kMmHg);
  EXPECT_EQ(Measure(*systolic, "120", "mmHg", Comparator::kNone).quality.ToString(), "");
  EXPECT_EQ(Systolic("16"), "implausible!") << "mm[Hg] was said";
  EXPECT_EQ(Tier("8480-6", "120", "furlong"), "unit");
  EXPECT_EQ(Tier("8480-6", "120", "kg"), "unit");
}

// A unit that is absent: S 40-300, D 20-200, % and /min; never glucose, temperature, weight.
TEST(PlausibilityTest, AssumesAbsentUnits) {
  EXPECT_EQ(Tier("8480-6", "39.9", ""), "absent-unit");
  EXPECT_EQ(Tier("8480-6", "40", ""), "unit_assumed unusual!");
  EXPECT_EQ(Tier("8480-6", "120", ""), "unit_assumed");
  EXPECT_EQ(Tier("8480-6", "300", ""), "unit_assumed unusual!");
  EXPECT_EQ(Tier("8480-6", "300.1", ""), "absent-unit");
  EXPECT_EQ(Tier("8480-6", "351", ""), "impossible");
  EXPECT_EQ(Tier("8462-4", "19.9", ""), "absent-unit");
  EXPECT_EQ(Tier("8462-4", "20", ""), "unit_assumed unusual");
  EXPECT_EQ(Tier("8462-4", "200", ""), "unit_assumed unusual!");
  EXPECT_EQ(Tier("8462-4", "200.1", ""), "absent-unit");
  EXPECT_EQ(Tier("8867-4", "70", ""), "unit_assumed");
  EXPECT_EQ(Tier("9279-1", "15", ""), "unit_assumed");
  EXPECT_EQ(Tier("2708-6", "97", ""), "unit_assumed");
  EXPECT_EQ(Tier("2708-6", "0.97", ""), "absent-unit");
  for (const char* code : {"2339-0", "15074-8", "8310-5", "29463-7", "8302-2"}) {
    EXPECT_EQ(Tier(code, "37", ""), "absent-unit") << code;
  }
}

TEST(PlausibilityTest, CriticalValuesOfOtherVitalSigns) {
  const struct {
    std::string_view code, unit, ordinary, critical;
  } cases[] = {// glucose level 2 low: < 54 mg/dL, < 3.0 mmol/L
               {"2339-0", "mg/dL", "54", "53.9"},
               {"15074-8", "mmol/L", "3.0", "2.99"},
               // three points of one NEWS2 parameter, rounded half up to the chart's precision
               {"2708-6", "%", "91.5", "91.4"},
               {"9279-1", "/min", "8.5", "8.4"},
               {"9279-1", "/min", "24.4", "24.5"},
               {"8867-4", "/min", "40.5", "40.4"},
               {"8867-4", "/min", "130.4", "130.5"},
               {"8310-5", "Cel", "35.05", "35.04"}};
  for (const auto& c : cases) {
    EXPECT_FALSE(Tier(c.code, c.ordinary, c.unit).ends_with("!")) << c.code << " " << c.ordinary;
    EXPECT_TRUE(Tier(c.code, c.critical, c.unit).ends_with("!")) << c.code << " " << c.critical;
  }
}

TEST(PlausibilityTest, ComparatorsAreOffScale) {
  EXPECT_EQ(Tier("8480-6", "180", "mm[Hg]", ">"), "off_scale!");
  EXPECT_EQ(Tier("8480-6", "180", "mm[Hg]", ">="), "off_scale");
  EXPECT_EQ(Tier("8480-6", "181", "mm[Hg]", ">="), "off_scale!");
  EXPECT_EQ(Tier("8480-6", "179", "mm[Hg]", ">"), "off_scale");
  EXPECT_EQ(Tier("8480-6", "70", "mm[Hg]", "<"), "off_scale!");
  EXPECT_EQ(Tier("8480-6", "70", "mm[Hg]", "<="), "off_scale");
  EXPECT_EQ(Tier("8480-6", "190", "mm[Hg]", "<"), "off_scale") << "may be anything below";
  EXPECT_EQ(Tier("8480-6", "60", "mm[Hg]", ">"), "unusual off_scale") << "may be anything above";
  EXPECT_EQ(Tier("2339-0", "54", "mg/dL", "<"), "off_scale!");
}

std::string Pair(std::optional<std::string_view> systolic,
                 std::optional<std::string_view> diastolic) {
  const CodeTable& codes = *CodeTable::Builtin();
  std::optional<Measured> s, d;
  if (systolic) s = Measure(*codes.Canonical("8480-6"), *systolic, "mm[Hg]", Comparator::kNone);
  if (diastolic) d = Measure(*codes.Canonical("8462-4"), *diastolic, "mm[Hg]", Comparator::kNone);
  return JudgePair(s ? &*s : nullptr, d ? &*d : nullptr).ToString();
}

// Implausible: S <= D, pulse pressure < 10.
TEST(PlausibilityTest, TiersOfPairs) {
  EXPECT_EQ(Pair("120", "80"), "");
  EXPECT_EQ(Pair("90", "80"), "");
  EXPECT_EQ(Pair("89.9", "80"), "implausible");
  EXPECT_EQ(Pair("80", "80"), "implausible");
  EXPECT_EQ(Pair("80", "120"), "implausible");
  EXPECT_EQ(Pair("120", std::nullopt), "partial");
  EXPECT_EQ(Pair(std::nullopt, "80"), "partial");
  EXPECT_EQ(Pair(std::nullopt, std::nullopt), "partial");
  EXPECT_EQ(Pair("210", "80"), "unusual");
  EXPECT_EQ(Pair("210", "205"), "implausible") << "implausible stands over unusual";
}

TEST(PlausibilityTest, MeanPressure) { EXPECT_DOUBLE_EQ(MeanPressure(120, 90), 100); }

TEST(QualityTest, KeepsTheOrderAndUnknownWordsOut) {
  const std::string all =
      "unit_assumed converted text_number time_imprecise clock_ahead implausible unusual partial "
      "off_scale repeat_of";
  EXPECT_EQ(QualitySet::Parse(all).ToString(), all);
  EXPECT_EQ(QualitySet::Parse("partial  nonsense converted partial").ToString(),
            "converted partial");
  EXPECT_EQ(QualitySet().ToString(), "");
}

}  // namespace
}  // namespace vitalake::clinical
