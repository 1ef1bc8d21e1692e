#include "clinical/codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitalake::clinical {
namespace {

using testing::HasSubstr;

std::string_view Canonical(std::string_view system, std::string_view code) {
  const VitalCode* vital = CodeTable::Builtin()->Find(system, code);
  return vital ? std::string_view(vital->code) : "";
}

TEST(CodesTest, MapsCodingsToOneCode) {
  constexpr std::string_view kSnomed = "http://snomed.info/sct";
  constexpr std::string_view kMdc = "urn:iso:std:iso:11073:10101";
  EXPECT_EQ(Canonical("http://loinc.org", "8480-6"), "8480-6");
  EXPECT_EQ(Canonical("http://loinc.org", "59408-5"), "2708-6");
  EXPECT_EQ(Canonical("http://loinc.org", "2708-6"), "2708-6");
  EXPECT_EQ(Canonical("http://loinc.org", "55284-4"), "85354-9");
  EXPECT_EQ(Canonical("http://loinc.org", "8306-3"), "8302-2");
  EXPECT_EQ(Canonical(kSnomed, "271649006"), "8480-6");
  EXPECT_EQ(Canonical(kSnomed, "27113001"), "29463-7");
  EXPECT_EQ(Canonical(kMdc, "150456"), "2708-6");
  EXPECT_EQ(Canonical("urn:oid:2.16.840.1.113883.6.1", "8867-4"), "8867-4");
}

TEST(CodesTest, TellsAllCodesOfOne) {
  const CodeTable& table = *CodeTable::Builtin();
  EXPECT_THAT(table.CodesOf(*table.Canonical("85354-9")),
              testing::UnorderedElementsAre("85354-9", "55284-4", "75367002"));
}

TEST(CodesTest, WithoutASystemIsLoincs) {
  EXPECT_EQ(Canonical("", "59408-5"), "2708-6");
  EXPECT_EQ(Canonical("", "271649006"), "");
}

TEST(CodesTest, NeedsTheCodesOwnSystem) {
  EXPECT_EQ(Canonical("http://snomed.info/sct", "8480-6"), "");
  EXPECT_EQ(Canonical("http://loinc.org", ""), "");
  EXPECT_EQ(Canonical("http://loinc.org", "8480-60"), "");
  EXPECT_EQ(Canonical("http://loinc.org", "718-7"), "");
}

// Every code that is in scope by the domain's list.
TEST(CodesTest, ListsEveryVitalSignInScope) {
  for (const char* code :
       {"85354-9",  "8480-6",  "8462-4",  "8478-0",  "8867-4",  "9279-1",  "2708-6",
        "8310-5",   "29463-7", "8302-2",  "39156-5", "9843-4",  "85353-1", "2339-0",
        "2345-7",   "41653-7", "2340-8",  "15074-8", "14749-6", "14743-9", "99504-3",
        "105272-9", "2344-0",  "14745-4", "3151-8",  "3150-6"}) {
    EXPECT_NE(CodeTable::Builtin()->Canonical(code), nullptr) << code;
  }
  EXPECT_EQ(CodeTable::Builtin()->Canonical("59408-5"), nullptr) << "an alias is not canonical";
  for (const VitalCode& vital : CodeTable::Builtin()->codes()) {
    const bool fluid = vital.code == "2344-0" || vital.code == "14745-4";
    EXPECT_EQ(vital.only_cgm, fluid) << vital.code;
    const bool panel = vital.role == Role::kPressurePanel || vital.role == Role::kPanel;
    EXPECT_EQ(vital.measures.empty(), panel) << vital.code;
  }
}

// A unit may be assumed for pressure, pulse, respiration and oxygen saturation only.
TEST(CodesTest, AssumesUnitsForFewCodes) {
  for (const VitalCode& vital : CodeTable::Builtin()->codes()) {
    const bool wanted = vital.code == "8480-6" || vital.code == "8462-4" ||
                        vital.code == "8867-4" || vital.code == "9279-1" || vital.code == "2708-6";
    EXPECT_EQ(vital.absent_unit.has_value(), wanted) << vital.code;
  }
}

TEST(CodesTest, FindsAMeasureForAUnit) {
  const VitalCode* glucose = CodeTable::Builtin()->Canonical("15074-8");
  EXPECT_EQ(glucose->MeasureFor(Unit::kMillimolePerLitre)->unit, Unit::kMillimolePerLitre);
  EXPECT_EQ(glucose->MeasureFor(Unit::kGramPerLitre)->unit, Unit::kMilligramPerDecilitre);
  EXPECT_EQ(glucose->MeasureFor(Unit::kMmHg), nullptr);
  EXPECT_EQ(glucose->MeasureFor(Unit::kUnknown), nullptr);
}

std::string MessageOf(std::string_view text) {
  const auto table = CodeTable::Make("codes.yaml", text);
  return table ? "" : table.error().message;
}

TEST(CodesTest, NamesFileLineAndKeyOfErrors) {
  EXPECT_THAT(MessageOf("version: \"1\"\nsystem: {}\n"),
              HasSubstr("codes.yaml:2: system: unknown key"));
  EXPECT_THAT(MessageOf("version: \"1\"\n"), HasSubstr("the key 'systems' is missing"));
  const std::string head = "version: \"1\"\nsystems: {loinc: [http://loinc.org]}\ncodes:\n";
  EXPECT_EQ(MessageOf(head + "  - {code: 1-1, display: a}\n"), "");
  EXPECT_THAT(MessageOf(head + "  - {code: 1-1, display: a, colour: b}\n"),
              HasSubstr("codes.yaml:4: codes[0].colour: unknown key"));
  EXPECT_THAT(MessageOf(head + "  - code: 1-1\n    display: a\n    measures:\n      - unit: ell\n"),
              HasSubstr("codes.yaml:7: codes[0].measures[0].unit: not a UCUM code"));
  EXPECT_THAT(MessageOf(head + "  - code: 1-1\n    display: a\n    measures:\n"
                               "      - {unit: kg, usual: [2, x]}\n"),
              HasSubstr("codes[0].measures[0].usual[1]: must be a number"));
  EXPECT_THAT(MessageOf(head + "  - code: 1-1\n    display: a\n    measures:\n"
                               "      - {unit: kg, usual: [3, 2]}\n"),
              HasSubstr("usual: the lower end is above the upper one"));
  EXPECT_THAT(MessageOf(head + "  - {code: 1-1, display: a}\n  - {code: 1-1, display: b}\n"),
              HasSubstr("codes.yaml:5: codes[1].code: the code 1-1 is listed twice"));
  EXPECT_THAT(MessageOf(head + "  - {code: 1-1, display: a, also: {snomed: [\"1\"]}}\n"),
              HasSubstr("'snomed' is not among the systems"));
  EXPECT_THAT(MessageOf("version: [1\n"), HasSubstr("codes.yaml:"));
}

}  // namespace
}  // namespace vitalake::clinical
