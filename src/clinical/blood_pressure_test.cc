#include "clinical/blood_pressure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vitalake::clinical {
namespace {

using testing::HasSubstr;

const RuleSet& Rules(std::string_view name) { return *RuleBook::Builtin()->Find(name); }
const RuleSet& Aha() { return Rules("aha-acc-2025"); }
const RuleSet& Esc() { return Rules("esc-2024"); }
const RuleSet& Reference() { return Rules("reference-platform"); }

TEST(InterpretationTest, AhaThresholds) {
  const struct {
    double systolic, diastolic;
    std::string_view code;
  } cases[] = {{69.9, 60, "LL"}, {70, 60, "L"},     {89.9, 60, "L"}, {90, 60, "N"},
               {119, 79.9, "N"}, {129.9, 79, "N"},  {130, 79, "H"},  {120, 80, "H"},
               {180, 79, "H"},   {180.1, 79, "HH"}, {119, 120, "H"}, {119, 120.1, "HH"},
               {85, 85, "L"},    {85, 121, "HH"},   {69, 121, "LL"}, {69, 85, "LL"}};
  for (const auto& c : cases) {
    EXPECT_EQ(InterpretationCode(Aha(), c.systolic, c.diastolic), c.code)
        << c.systolic << "/" << c.diastolic;
  }
}

TEST(InterpretationTest, EscThresholds) {
  const struct {
    double systolic, diastolic;
    std::string_view code;
  } cases[] = {{69.9, 60, "LL"},  {70, 60, "L"},   {90, 60, "N"},    {139.9, 89.9, "N"},
               {140, 60, "H"},    {120, 90, "H"},  {179.9, 90, "H"}, {180, 90, "HH"},
               {120, 109.9, "H"}, {120, 110, "HH"}};
  for (const auto& c : cases) {
    EXPECT_EQ(InterpretationCode(Esc(), c.systolic, c.diastolic), c.code)
        << c.systolic << "/" << c.diastolic;
  }
}

// The bands of the reference platform's generator; the other value is normal.
TEST(InterpretationTest, ReferencePlatformBands) {
  const struct {
    double value;
    std::string_view code;
  } systolic[] = {{271, "A"}, {270, "HH"}, {201, "HH"}, {200, "H"}, {141, "H"},
                  {140, "N"}, {111, "N"},  {110, "L"},  {101, "L"}, {100, "LL"}},
    diastolic[] = {{231, "A"}, {230, "HH"}, {181, "HH"}, {180, "H"}, {121, "H"},
                   {120, "N"}, {81, "N"},   {80, "L"},   {61, "L"},  {60, "LL"}};
  for (const auto& c : systolic) {
    EXPECT_EQ(InterpretationCode(Reference(), c.value, 100), c.code) << c.value;
  }
  for (const auto& c : diastolic) {
    EXPECT_EQ(InterpretationCode(Reference(), 120, c.value), c.code) << c.value;
  }
  EXPECT_EQ(InterpretationCode(Reference(), 300, 190), "A") << "the graver counts";
}

TEST(InterpretationTest, ScoresWhatIsThere) {
  EXPECT_EQ(InterpretationCode(Aha(), 185, std::nullopt), "HH");
  EXPECT_EQ(InterpretationCode(Aha(), std::nullopt, 79), "N");
  EXPECT_EQ(InterpretationCode(Aha(), std::nullopt, std::nullopt), "");
}

TEST(InterpretationTest, KeepsToItsAges) {
  const auto code = [](double s, double d, std::optional<double> age) {
    const AgedCode aged = InterpretationForAge(Aha(), s, d, age);
    return std::string(aged.code) + (aged.age_unknown ? " age unknown" : "");
  };
  EXPECT_EQ(code(150, 95, 13), "H");
  EXPECT_EQ(code(150, 95, 12.9), "");
  EXPECT_EQ(code(210, 95, 12.9), "");
  EXPECT_EQ(code(150, 95, std::nullopt), "");
  EXPECT_EQ(code(199.9, 95, std::nullopt), "");
  EXPECT_EQ(code(200, 95, std::nullopt), "HH age unknown");
  EXPECT_EQ(code(150, 129.9, std::nullopt), "");
  EXPECT_EQ(code(150, 130, std::nullopt), "HH age unknown");
  EXPECT_EQ(code(70, 50, std::nullopt), "");
  EXPECT_EQ(code(69.9, 50, std::nullopt), "LL age unknown");
  EXPECT_EQ(InterpretationForAge(Reference(), 150, 100, std::nullopt).code, "H") << "no age rule";
}

// Both sides of every threshold, systolic with a low diastolic and the other way round.
TEST(CategoryTest, TablesOfEverySetting) {
  const struct {
    const RuleSet& rules;
    Setting setting;
    double systolic, diastolic;
    std::string_view name;
  } cases[] = {{Aha(), Setting::kOffice, 119.9, 79.9, "normal"},
               {Aha(), Setting::kOffice, 120, 79.9, "elevated"},
               {Aha(), Setting::kOffice, 129.9, 79.9, "elevated"},
               {Aha(), Setting::kOffice, 130, 79.9, "stage 1"},
               {Aha(), Setting::kOffice, 119, 80, "stage 1"},
               {Aha(), Setting::kOffice, 139.9, 89.9, "stage 1"},
               {Aha(), Setting::kOffice, 140, 60, "stage 2"},
               {Aha(), Setting::kOffice, 119, 90, "stage 2"},
               {Aha(), Setting::kOffice, 180, 120, "stage 2"},
               {Aha(), Setting::kOffice, 180.1, 60, "severe"},
               {Aha(), Setting::kOffice, 119, 120.1, "severe"},
               {Aha(), Setting::kHome, 129.9, 79.9, "below hypertension"},
               {Aha(), Setting::kHome, 130, 60, "hypertension"},
               {Aha(), Setting::kHome, 100, 80, "hypertension"},
               {Aha(), Setting::kDay, 129.9, 79.9, "below hypertension"},
               {Aha(), Setting::kDay, 130, 60, "hypertension"},
               {Aha(), Setting::kDay, 100, 80, "hypertension"},
               {Aha(), Setting::kNight, 109.9, 64.9, "below hypertension"},
               {Aha(), Setting::kNight, 110, 60, "hypertension"},
               {Aha(), Setting::kNight, 100, 65, "hypertension"},
               {Aha(), Setting::k24h, 124.9, 74.9, "below hypertension"},
               {Aha(), Setting::k24h, 125, 60, "hypertension"},
               {Aha(), Setting::k24h, 100, 75, "hypertension"},
               {Esc(), Setting::kOffice, 119.9, 69.9, "non-elevated"},
               {Esc(), Setting::kOffice, 120, 69.9, "elevated"},
               {Esc(), Setting::kOffice, 119, 70, "elevated"},
               {Esc(), Setting::kOffice, 139.9, 89.9, "elevated"},
               {Esc(), Setting::kOffice, 140, 60, "hypertension"},
               {Esc(), Setting::kOffice, 119, 90, "hypertension"},
               {Esc(), Setting::kOffice, 179.9, 109.9, "hypertension"},
               {Esc(), Setting::kOffice, 180, 60, "severe"},
               {Esc(), Setting::kOffice, 119, 110, "severe"},
               {Esc(), Setting::kHome, 134.9, 84.9, "below hypertension"},
               {Esc(), Setting::kHome, 135, 60, "hypertension"},
               {Esc(), Setting::kHome, 100, 85, "hypertension"},
               {Esc(), Setting::kDay, 135, 60, "hypertension"},
               {Esc(), Setting::kDay, 134.9, 84.9, "below hypertension"},
               {Esc(), Setting::kNight, 119.9, 69.9, "below hypertension"},
               {Esc(), Setting::kNight, 120, 60, "hypertension"},
               {Esc(), Setting::kNight, 100, 70, "hypertension"},
               {Esc(), Setting::k24h, 129.9, 79.9, "below hypertension"},
               {Esc(), Setting::k24h, 130, 60, "hypertension"},
               {Esc(), Setting::k24h, 100, 80, "hypertension"}};
  for (const auto& c : cases) {
    EXPECT_EQ(BandOfMean(c.rules, c.setting, c.systolic, c.diastolic), c.name)
        << c.rules.name << " " << ToString(c.setting) << " " << c.systolic << "/" << c.diastolic;
  }
}

CategoryInput Input(double systolic, double diastolic) {
  CategoryInput input;
  input.readings = 2;
  input.local_dates = 2;
  input.mean_systolic = systolic;
  input.mean_diastolic = diastolic;
  input.age_years = 50;
  return input;
}

std::string Told(const RuleSet& rules, const CategoryInput& input) {
  return Categorize(rules, input).ToString(rules, input.setting);
}

TEST(CategoryTest, NamesGuidelineAndSetting) {
  CategoryInput input = Input(135, 70);
  EXPECT_EQ(Told(Aha(), input), "stage 1 (AHA/ACC 2025, office)");
  input.setting = Setting::kHome;
  EXPECT_EQ(Told(Esc(), input), "hypertension (ESC 2024, home)");
}

TEST(CategoryTest, SaysWhyThereIsNone) {
  CategoryInput input = Input(135, 70);
  input.readings = 1;
  EXPECT_EQ(Told(Aha(), input), "not assessed: fewer than 2 readings");
  input = Input(135, 70);
  input.local_dates = 1;
  EXPECT_EQ(Told(Aha(), input), "not assessed: readings on one date only");
  input = Input(135, 70);
  input.age_years.reset();
  EXPECT_EQ(Told(Aha(), input), "not assessed: age unknown");
  input.age_years = 0.9;
  EXPECT_EQ(Told(Aha(), input), "not assessed: under 1 year");
  input.age_years = 12.99;
  EXPECT_THAT(Told(Aha(), input), HasSubstr("not assessed: a child"));
  input.age_years = 13;
  EXPECT_EQ(Told(Aha(), input), "stage 1 (AHA/ACC 2025, office)");
  for (const Device device : {Device::kCuffless, Device::kUnknownType}) {
    input.device = device;
    EXPECT_THAT(Told(Aha(), input), HasSubstr("confirm with a cuff"));
  }
  input.device = Device::kCuff;
  EXPECT_EQ(Told(Aha(), input), "stage 1 (AHA/ACC 2025, office)");
  EXPECT_THAT(Told(Reference(), input), HasSubstr("not assessed"));
}

TEST(CategoryTest, HasAPregnancyTable) {
  CategoryInput input = Input(139.9, 89.9);
  input.pregnant = true;
  const auto name = [&](double s, double d) {
    input.mean_systolic = s;
    input.mean_diastolic = d;
    return Categorize(Aha(), input).name;
  };
  EXPECT_EQ(name(139.9, 89.9), "below hypertension");
  EXPECT_EQ(name(140, 80), "hypertension in pregnancy");
  EXPECT_EQ(name(120, 90), "hypertension in pregnancy");
  EXPECT_EQ(name(159.9, 109.9), "hypertension in pregnancy");
  EXPECT_EQ(name(160, 80), "severe in pregnancy");
  EXPECT_EQ(name(120, 110), "severe in pregnancy");
}

constexpr Micros kDay = Micros{24} * 3600 * 1'000'000;

TEST(RuleSetTest, IsChosenByEffectiveTime) {
  const std::string head =
      "name: a\nguideline: g\npopulation: p\n"
      "interpretation: {systolic: [{code: N}], diastolic: [{code: N}]}\n";
  const std::string one = head + "version: \"1\"\neffective: 1970-01-11\n";
  const std::string two = head + "version: \"2\"\neffective: 1970-01-21\n";
  const EmbeddedFile files[] = {{"two.yaml", two}, {"one.yaml", one}};
  const auto book = RuleBook::Make(files);
  ASSERT_TRUE(book) << book.error().ToString();
  EXPECT_EQ((*book)->Find("a", 20 * kDay - 1)->version, "1");
  EXPECT_EQ((*book)->Find("a", 20 * kDay)->version, "2");
  EXPECT_EQ((*book)->Find("a", 0)->version, "1") << "before all: the earliest";
  EXPECT_EQ((*book)->Find("a")->version, "2");
  EXPECT_EQ((*book)->Find("b"), nullptr);
  const EmbeddedFile twice[] = {{"one.yaml", one}, {"again.yaml", one}};
  EXPECT_FALSE(RuleBook::Make(twice));
}

std::string MessageOf(const std::string& text) {
  const auto set = ReadRuleSet("x.yaml", text);
  return set ? "" : set.error().message;
}

TEST(RuleSetTest, NamesFileLineAndKeyOfErrors) {
  const std::string head =
      "name: a\nguideline: g\nversion: \"1\"\neffective: 2020-01-01\npopulation: p\n";
  const std::string right = "interpretation: {systolic: [{code: N}], diastolic: [{code: N}]}\n";
  EXPECT_EQ(MessageOf(head + right), "");
  EXPECT_THAT(MessageOf(head), HasSubstr("the key 'interpretation' is missing"));
  EXPECT_THAT(MessageOf(head + right + "colour: x\n"), HasSubstr("x.yaml:7: colour: unknown key"));
  EXPECT_THAT(
      MessageOf("name: a\nguideline: g\nversion: \"1\"\neffective: soon\npopulation: p\n" + right),
      HasSubstr("x.yaml:4: effective: must be a date"));
  EXPECT_THAT(MessageOf(head + "interpretation: {systolic: [{code: H, above: 1}], "
                               "diastolic: [{code: N}]}\n"),
              HasSubstr("interpretation.systolic: the last line must fit every value"));
  EXPECT_THAT(MessageOf(head + "interpretation: {systolic: [{code: X}], diastolic: []}\n"),
              HasSubstr("interpretation.systolic[0].code: must be N"));
  EXPECT_THAT(
      MessageOf(head + right + "categories:\n  office:\n    - {name: x, systolic: {above: y}}\n"),
      HasSubstr("x.yaml:9: categories.office[0].systolic.above: must be a number"));
  EXPECT_THAT(MessageOf(head + right + "categories: {office: [{name: x, systolic: {above: 1}}]}\n"),
              HasSubstr("the last category must fit every value"));
  EXPECT_THAT(MessageOf(head + right + "categories: {train: []}\n"),
              HasSubstr("categories.train: unknown key"));
}

TEST(RuleSetTest, EveryGuidelineDeclaresAgeAndPopulation) {
  for (const std::string_view name : RuleBook::Builtin()->names()) {
    const RuleSet& rules = Rules(name);
    EXPECT_FALSE(rules.population.empty()) << name;
    if (name == "reference-platform") continue;
    EXPECT_TRUE(rules.age_from) << name;
    if (!rules.limits.empty()) continue;
    EXPECT_TRUE(rules.alerts) << name;
    EXPECT_EQ(rules.age_from, 13) << name;
    ASSERT_TRUE(rules.without_age) << name;
    EXPECT_FALSE(rules.pregnancy.empty()) << name;
    for (const auto& table : rules.categories) EXPECT_FALSE(table.empty()) << name;
  }
  EXPECT_EQ(RuleBook::kDefault, "aha-acc-2025");
}

}  // namespace
}  // namespace vitalake::clinical
