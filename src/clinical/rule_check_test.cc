#include "clinical/rule_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/embedded.h"
#include "clinical/rule_set.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> rules();
}

namespace vitalake::clinical {
namespace {

using ::testing::HasSubstr;

std::string BuiltIn(std::string_view name) {
  for (const EmbeddedFile& file : embedded::rules()) {
    if (file.name == name) return std::string(file.text);
  }
  ADD_FAILURE() << name;
  return {};
}

// What is said of a built-in file in which `old` is replaced; "" when it passes. It reads as a rule
// set all the same: what streams have recorded must.
std::string Said(std::string_view name, std::string_view old, std::string_view fresh) {
  std::string text = BuiltIn(name);
  const size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  text.replace(at, old.size(), fresh);
  EXPECT_TRUE(ReadRuleSet("my.yaml", text)) << fresh;
  const Status done = CheckRuleFile("my.yaml", text, *CodeTable::Builtin());
  return done ? "" : done.error().message;
}

TEST(RuleCheckTest, TheBuiltInFilesPass) {
  for (const EmbeddedFile& file : embedded::rules()) {
    if (file.name == "codes.yaml") continue;
    const Status done = CheckRuleFile(file.name, file.text, *CodeTable::Builtin());
    EXPECT_TRUE(done) << done.error().ToString();
  }
}

TEST(RuleCheckTest, EveryFileSaysForWhomItHolds) {
  constexpr std::string_view kFile = "vital-limits.yaml", kAge = "age: {from: 16}\n";
  EXPECT_THAT(Said(kFile, kAge, ""), HasSubstr("my.yaml:7: (top): the key 'age' is missing"));
  EXPECT_THAT(Said(kFile, kAge, "age: {}\n"), HasSubstr(": age: must have 'from' or 'to'"));
  EXPECT_THAT(Said(kFile, kAge, "age: {from: -1}\n"), HasSubstr("age.from: must not be negative"));
  EXPECT_THAT(Said(kFile, kAge, "age: {from: 16, to: 12}\n"),
              HasSubstr("age.to: must not be below"));
  EXPECT_EQ(Said(kFile, kAge, "age: {to: 12}\n"), "");
}

TEST(RuleCheckTest, LimitsAreOfKnownCodesInTheirUnits) {
  constexpr std::string_view kFile = "vital-limits.yaml";
  EXPECT_THAT(Said(kFile, "8867-4", "8867-X"),
              HasSubstr("limits[1].codes[0]: '8867-X' is no vital sign of codes.yaml; did you mean "
                        "8867-4?"));
  EXPECT_THAT(Said(kFile, "8867-4", "8893-0"), HasSubstr("did you mean 8867-4?"))
      << "not canonical";
  EXPECT_THAT(Said(kFile, "8867-4", "85354-9"), HasSubstr("is no vital sign")) << "a panel";
  EXPECT_THAT(Said(kFile, "unit: \"%\"", "unit: kg"),
              HasSubstr("limits[3].unit: must be %, in which 2708-6 is stored"));
  EXPECT_THAT(Said(kFile, "unit: \"mm[Hg]\"", "unit: kPa"), HasSubstr("must be mm[Hg]"));
  EXPECT_THAT(Said("glucose-limits.yaml", "unit: mg/dL", "unit: \"%\""),
              HasSubstr("must be mg/dL or mmol/L"));
}

TEST(RuleCheckTest, LimitsCanBeMeant) {
  constexpr std::string_view kFile = "vital-limits.yaml";
  EXPECT_THAT(Said(kFile, "ordinary: {at_least: 110.5}", "ordinary: {at_least: 30}"),
              HasSubstr("limits[1]: the low limit 'low.at_once' must be below the high limit "
                        "'high.ordinary'"));
  EXPECT_THAT(
      Said(kFile, "at_once: {at_least: 130.5}", "at_once: {at_least: 105}"),
      HasSubstr("limits[1]: 'high.at_once' must be at least as extreme as 'high.ordinary'"));
  EXPECT_THAT(Said(kFile, "at_once: {below: 91.5}", "at_once: {below: 95}"),
              HasSubstr("'low.at_once' must be at least as extreme as 'low.ordinary'"));
  EXPECT_EQ(Said(kFile, "at_once: {below: 91.5}", "at_once: {below: 93.5}"), "") << "as extreme";
  EXPECT_THAT(Said(kFile, "at_once: {below: 91.5}", "at_once: {at_most: 93.5}"),
              HasSubstr("'low.at_once' must be"))
      << "93.5 itself";
  EXPECT_THAT(Said(kFile, "ordinary: {at_least: 39.05}", "ordinary: {at_least: 102}"),
              HasSubstr("limits[5]: 'high.ordinary' must be from 25 to 45"));
  EXPECT_THAT(Said("glucose-limits.yaml", "noted: {above: 180}", "noted: {above: 300}"),
              HasSubstr("'high.ordinary' must be at least as extreme as 'high.noted'"));
}

TEST(RuleCheckTest, PressureLevelsCanBeMeant) {
  constexpr std::string_view kFile = "aha-acc-2025.yaml";
  EXPECT_THAT(
      Said(kFile, "severe: {systolic: {above: 180}, diastolic: {above: 120}}",
           "severe: {systolic: {above: 150}, diastolic: {above: 120}}"),
      HasSubstr("alerts: 'severe.systolic' must be at least as extreme as 'high.systolic'"));
  EXPECT_THAT(Said(kFile, "systolic_at_least: 200, diastolic_at_least: 130}\n  # An",
                   "systolic_at_least: 200, diastolic_at_least: 90}\n  # An"),
              HasSubstr("'at_once.diastolic' must be at least as extreme as 'severe.diastolic'"));
  EXPECT_THAT(Said(kFile, "low: {systolic: {below: 90}", "low: {systolic: {below: 190}"),
              HasSubstr("alerts: the low limit 'low.systolic' must be below"));
  EXPECT_THAT(Said(kFile, "    severe: {systolic: {at_least: 160}, diastolic: {at_least: 110}}",
                   "    severe: {systolic: {at_least: 130}, diastolic: {at_least: 110}}"),
              HasSubstr("alerts.pregnancy: 'severe.systolic' must be"));
}

}  // namespace
}  // namespace vitalake::clinical
