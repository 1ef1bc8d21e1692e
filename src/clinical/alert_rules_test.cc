#include "clinical/alert_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "clinical/codes.h"
#include "clinical/rule_set.h"

namespace vitalake::clinical {
namespace {

using ::testing::HasSubstr;

const RuleSet& Rules(std::string_view name) { return *RuleBook::Builtin()->Find(name); }

TEST(AlertRulesTest, SevereLevelsAreTheGuidelines) {
  const PressureAlerts& aha = *Rules("aha-acc-2025").alerts;
  EXPECT_FALSE(aha.adult.severe.systolic->Contains(180));
  EXPECT_TRUE(aha.adult.severe.systolic->Contains(180.5));
  EXPECT_FALSE(aha.adult.severe.diastolic->Contains(120));
  EXPECT_TRUE(aha.adult.severe.diastolic->Contains(121));
  const PressureAlerts& esc = *Rules("esc-2024").alerts;
  EXPECT_TRUE(esc.adult.severe.systolic->Contains(180));
  EXPECT_TRUE(esc.adult.severe.diastolic->Contains(110));
  EXPECT_FALSE(esc.adult.severe.diastolic->Contains(109));
}

TEST(AlertRulesTest, PregnancyHasLimitsOfItsOwn) {
  for (const std::string_view name : {"aha-acc-2025", "esc-2024"}) {
    const PressureLevels& levels = *Rules(name).alerts->pregnancy;
    EXPECT_TRUE(levels.high.systolic->Contains(140)) << name;
    EXPECT_TRUE(levels.high.diastolic->Contains(90)) << name;
    EXPECT_TRUE(levels.severe.systolic->Contains(160)) << name;
    EXPECT_TRUE(levels.severe.diastolic->Contains(110)) << name;
    EXPECT_TRUE(levels.low.systolic->Contains(89)) << name;
    EXPECT_EQ(levels.repeat_in, 15) << name;
  }
}

// Limits of `code` in `unit` for a scale; fails the test when there are none.
const VitalLimits& LimitsOf(std::string_view set, std::string_view code, Unit unit,
                            OxygenScale scale = OxygenScale::kOne) {
  static const VitalLimits none;
  for (const VitalLimits& limits : Rules(set).limits) {
    const bool has =
        std::find(limits.codes.begin(), limits.codes.end(), code) != limits.codes.end();
    if (has && limits.unit == unit && limits.scale == scale) return limits;
  }
  ADD_FAILURE() << set << " has no limits for " << code;
  return none;
}

TEST(AlertRulesTest, GlucoseLevelsInBothUnits) {
  const VitalLimits& mass = LimitsOf("glucose-limits", "41653-7", Unit::kMilligramPerDecilitre);
  EXPECT_TRUE(mass.low.at_once->Contains(53.9));
  EXPECT_FALSE(mass.low.at_once->Contains(54));
  EXPECT_TRUE(mass.low.ordinary->Contains(69));
  EXPECT_TRUE(mass.high.noted->Contains(181));
  EXPECT_FALSE(mass.high.ordinary->Contains(250));
  const VitalLimits& molar = LimitsOf("glucose-limits", "14743-9", Unit::kMillimolePerLitre);
  EXPECT_TRUE(molar.low.at_once->Contains(2.9));
  EXPECT_FALSE(molar.low.at_once->Contains(3.0));
  EXPECT_TRUE(molar.high.ordinary->Contains(14.0));
}

// What opens at once is what the chart gives 3 points.
TEST(AlertRulesTest, AtOnceIsThreePointsOfNews2) {
  const auto at_once = [](const VitalLimits& limits, double value) {
    return (limits.low.at_once && limits.low.at_once->Contains(value)) ||
           (limits.high.at_once && limits.high.at_once->Contains(value));
  };
  for (double x = 1; x < 200; x += 0.25) {
    EXPECT_EQ(at_once(LimitsOf("vital-limits", "8867-4", Unit::kPerMinute), x), PulsePoints(x) == 3)
        << x;
    EXPECT_EQ(at_once(LimitsOf("vital-limits", "9279-1", Unit::kPerMinute), x),
              RespiratoryPoints(x) == 3)
        << x;
    EXPECT_EQ(at_once(LimitsOf("vital-limits", "8480-6", Unit::kMmHg), x), SystolicPoints(x) == 3)
        << x;
    if (x > 92) continue;  // scale 2 wants to know about oxygen from there on
    EXPECT_EQ(at_once(LimitsOf("vital-limits", "2708-6", Unit::kPercent), x),
              SaturationPoints(x, OxygenScale::kOne, {}) == 3)
        << x;
    EXPECT_EQ(at_once(LimitsOf("vital-limits", "2708-6", Unit::kPercent, OxygenScale::kTwo), x),
              SaturationPoints(x, OxygenScale::kTwo, {}) == 3)
        << x;
  }
}

TEST(AlertRulesTest, EveryLimitIsOfAListedCodeInItsUnit) {
  for (const std::string_view name : RuleBook::Builtin()->names()) {
    for (const VitalLimits& limits : Rules(name).limits) {
      for (const std::string& code : limits.codes) {
        const VitalCode* vital = CodeTable::Builtin()->Canonical(code);
        ASSERT_NE(vital, nullptr) << code;
        const VitalCode::Measure* measure = vital->MeasureFor(limits.unit);
        ASSERT_NE(measure, nullptr) << code;
        EXPECT_EQ(measure->unit, limits.unit) << code << ": must be the canonical unit";
      }
    }
  }
}

std::string MessageOf(const std::string& text) {
  const auto set = ReadRuleSet("x.yaml",
                               "name: a\nguideline: g\nversion: \"1\"\neffective: 2020-01-01\n"
                               "population: p\n" +
                                   text);
  return set ? "" : set.error().message;
}

TEST(AlertRulesTest, NamesFileLineAndKeyOfErrors) {
  EXPECT_EQ(MessageOf("limits: [{codes: [x], unit: \"%\", low: {ordinary: {below: 1}}}]\n"), "");
  EXPECT_THAT(MessageOf("limits: []\n"), HasSubstr("x.yaml:6: limits: must not be empty"));
  EXPECT_THAT(MessageOf("limits: [{codes: [x], unit: furlong}]\n"),
              HasSubstr("limits[0].unit: must be a known unit"));
  EXPECT_THAT(MessageOf("limits: [{codes: [x], unit: \"%\", low: {ordinary: {above: 1}}}]\n"),
              HasSubstr("limits[0].low.ordinary: must have 'below' or 'at_most' alone"));
  EXPECT_THAT(MessageOf("limits: [{codes: [x], unit: \"%\", scale: 3}]\n"),
              HasSubstr("limits[0].scale: must be 1 or 2"));
  EXPECT_THAT(MessageOf("limits: [{codes: [x], unit: \"%\", hysteresis: -1}]\n"),
              HasSubstr("limits[0].hysteresis: must not be negative"));
  EXPECT_THAT(MessageOf("alerts: {hihg: {}}\ninterpretation: {systolic: [{code: N}], "
                        "diastolic: [{code: N}]}\n"),
              HasSubstr("alerts.hihg: unknown key"));
}

}  // namespace
}  // namespace vitalake::clinical
