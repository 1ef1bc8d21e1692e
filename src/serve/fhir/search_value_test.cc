#include "serve/fhir/search_value.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

constexpr Micros kSecond = 1'000'000, kDay = 86'400 * kSecond;

TEST(FhirSearchValueTest, TakesPrefixesBeforeValuesAlone) {
  EXPECT_EQ(TakePrefix("ge2020").prefix, Prefix::kGe);
  EXPECT_EQ(TakePrefix("ge2020").rest, "2020");
  EXPECT_EQ(TakePrefix("ap-5").prefix, Prefix::kAp);
  EXPECT_EQ(TakePrefix("2020").prefix, Prefix::kEq);
  EXPECT_EQ(TakePrefix("net").rest, "net");
  EXPECT_EQ(TakePrefix("xx20").rest, "xx20");
}

TEST(FhirSearchValueTest, SplitsWhereNothingIsEscaped) {
  EXPECT_EQ(SplitEscaped("a\\,b,c", ',').size(), 2u);
  EXPECT_EQ(Unescaped(SplitEscaped("a\\,b,c", ',')[0]), "a,b");
  EXPECT_EQ(Unescaped("a\\\\b"), "a\\b");
  EXPECT_EQ(SplitEscaped("", ',').size(), 1u);
}

TEST(FhirSearchValueTest, TellsTheFormsOfTokens) {
  EXPECT_FALSE(ParseSearchToken("8867-4").system);
  EXPECT_EQ(ParseSearchToken("|8867-4").system, "");
  EXPECT_EQ(ParseSearchToken("http://loinc.org|8867-4").system, "http://loinc.org");
  EXPECT_EQ(ParseSearchToken("http://loinc.org|8867-4").code, "8867-4");
  EXPECT_EQ(ParseSearchToken("http://loinc.org|").code, "");
  EXPECT_EQ(ParseSearchToken("a\\|b").code, "a|b");
}

TEST(FhirSearchValueTest, TakesPartialDatesAsRanges) {
  const auto year = ParseSearchDate("1970"), month = ParseSearchDate("1970-02"),
             day = ParseSearchDate("1970-01-02"), minute = ParseSearchDate("1970-01-01T01:00Z"),
             second = ParseSearchDate("1970-01-01T01:00:00+01:00");
  EXPECT_EQ(year->begin, 0);
  EXPECT_EQ(year->end, 365 * kDay);
  EXPECT_EQ(month->begin, 31 * kDay);
  EXPECT_EQ(month->end, (31 + 28) * kDay);
  EXPECT_EQ(day->begin, kDay);
  EXPECT_EQ(day->end, 2 * kDay);
  EXPECT_EQ(minute->end - minute->begin, 60 * kSecond);
  EXPECT_EQ(second->begin, 0);
  EXPECT_EQ(second->end, kSecond);
  EXPECT_FALSE(ParseSearchDate("1970-13"));
  EXPECT_FALSE(ParseSearchDate("yesterday"));
}

// The ranges of FHIR R4, search.html, section "number".
TEST(FhirSearchValueTest, TakesNumbersAsPreciseAsTheyAreWritten) {
  const auto whole = ParseSearchNumber("100"), fine = ParseSearchNumber("100.00"),
             power = ParseSearchNumber("1e2"), small = ParseSearchNumber("5.40e-3"),
             negative = ParseSearchNumber("-2.5");
  EXPECT_EQ(whole->low, 99.5);
  EXPECT_EQ(whole->high, 100.5);
  EXPECT_EQ(fine->low, 99.995);
  EXPECT_EQ(fine->high, 100.005);
  EXPECT_EQ(power->low, 95);
  EXPECT_EQ(power->high, 105);
  EXPECT_EQ(small->low, 0.005395);
  EXPECT_EQ(small->high, 0.005405);
  EXPECT_EQ(negative->low, -2.55);
  EXPECT_EQ(negative->high, -2.45);
  for (const char* wrong : {"", "x", "1.", "1e", "--1", "1e999", "1234567890123456"}) {
    EXPECT_FALSE(ParseSearchNumber(wrong)) << wrong;
  }
}

TEST(FhirSearchValueTest, ReadsQuantitiesInAllForms) {
  const auto full = ParseSearchQuantity("ge5.4|http://unitsofmeasure.org|mg");
  EXPECT_EQ(full->prefix, Prefix::kGe);
  EXPECT_EQ(full->number.value, 5.4);
  EXPECT_EQ(full->system, "http://unitsofmeasure.org");
  EXPECT_EQ(full->unit, "mg");
  EXPECT_EQ(ParseSearchQuantity("5.4||mg")->unit, "mg");
  EXPECT_EQ(ParseSearchQuantity("5.4")->unit, "");
  EXPECT_FALSE(ParseSearchQuantity("mg"));
  EXPECT_FALSE(ParseSearchQuantity("5|a|b|c"));
  EXPECT_FALSE(ParseSearchQuantity("5|mg"));
}

}  // namespace
}  // namespace vitalake::serve
