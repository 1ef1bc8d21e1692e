#include "fhir/datetime.h"

#include <gtest/gtest.h>

#include "fhir/issue.h"

namespace vitalake::fhir {
namespace {

constexpr Micros kSecond = 1'000'000;

DateTime Parse(std::string_view text) {
  const auto parsed = ParseDateTime(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(DateTime{});
}

TEST(DateTime, KeepsPrecisionAndOffset) {
  EXPECT_EQ(Parse("2023").precision, DatePrecision::kYear);
  EXPECT_EQ(Parse("2023-07").precision, DatePrecision::kMonth);
  EXPECT_EQ(Parse("2023-07-09").precision, DatePrecision::kDay);
  EXPECT_EQ(Parse("2023-07-09T10:30Z").precision, DatePrecision::kMinute);
  EXPECT_EQ(Parse("2023-07-09T10:30:05Z").precision, DatePrecision::kSecond);
  EXPECT_EQ(Parse("2023-07-09T10:30:05.0Z").precision, DatePrecision::kFraction);
  EXPECT_EQ(Parse("2023-07-09T10:30:05Z").offset_minutes, 0);
  EXPECT_EQ(Parse("2023-07-09T10:30:05+05:30").offset_minutes, 330);
  EXPECT_EQ(Parse("2023-07-09T10:30:05-14:00").offset_minutes, -840);
  EXPECT_EQ(Parse("2023-07-09T10:30:05").offset_minutes, std::nullopt);
}

// Seconds since the epoch from `date -u -d ... +%s` (GNU coreutils).
TEST(DateTime, GivesTheMoment) {
  EXPECT_EQ(Parse("2015-02-07T13:28:17-05:00").Utc(), 1423333697 * kSecond);
  EXPECT_EQ(Parse("1969-12-31T23:59:59.999999Z").Utc(), -1);
  EXPECT_EQ(Parse("2016-12-31T23:59:60Z").Utc(), 1483228800 * kSecond);
  EXPECT_EQ(Parse("2020-03-01T00:10+02:00").Utc(), 1583014200 * kSecond);
  EXPECT_EQ(Parse("2020-03-01T00:10:00.1234567+02:00").Utc(), 1583014200 * kSecond + 123456);
  EXPECT_EQ(Parse("2020-03-01T00:10:00").Utc(), std::nullopt);
  EXPECT_EQ(Parse("2020-03-01").Utc(), std::nullopt);
}

TEST(DateTime, SpansItsPrecision) {
  EXPECT_EQ(Parse("1970").LocalBegin(), 0);
  EXPECT_EQ(Parse("1970").LocalEnd(), 365 * 86400 * kSecond);
  EXPECT_EQ(Parse("1972-02").LocalEnd() - Parse("1972-02").LocalBegin(), 29 * 86400 * kSecond);
  EXPECT_EQ(Parse("1970-01-02").LocalEnd(), 2 * 86400 * kSecond);
  EXPECT_EQ(Parse("1970-01-01T00:01+09:00").LocalBegin(), 60 * kSecond);
  EXPECT_EQ(Parse("1970-01-01T00:01+09:00").LocalEnd(), 120 * kSecond);
  EXPECT_EQ(Parse("1970-01-01T00:00:01Z").LocalEnd(), 2 * kSecond);
  EXPECT_EQ(Parse("1970-01-01T00:00:01.5Z").LocalEnd(), kSecond + 500'001);
  EXPECT_EQ(Parse("9999-12").LocalEnd(), 253402300800 * kSecond);
  EXPECT_EQ(Parse("0001").LocalBegin(), -62135596800 * kSecond);
}

TEST(DateTime, CountsDays) {
  EXPECT_EQ(Parse("1970-01-01").LocalDay(), 0);
  EXPECT_EQ(Parse("1969-12-31T23:00:00-11:00").LocalDay(), -1);
  EXPECT_EQ(Parse("2000-03").LocalDay(), 11017);
  EXPECT_EQ(Parse("2021").LocalDay(), 18628);
}

TEST(DateTime, RefusesWrongSyntaxAndMissingDays) {
  for (const char* text : {"",
                           "23",
                           "202",
                           "20230",
                           "0000",
                           "2023-",
                           "2023-13",
                           "2023-00",
                           "2023-1",
                           "2023-02-29",
                           "1900-02-29",
                           "2023-04-31",
                           "2023-01-00",
                           "2023-01-32",
                           "2023/01/01",
                           "01-02-2023",
                           "2023-01-01T",
                           "2023-01-01T10",
                           "2023-01-01T24:00:00Z",
                           "2023-01-01T10:60:00Z",
                           "2023-01-01T10:00:61Z",
                           "2023-01-01T10:00:00.Z",
                           "2023-01-01T10:00:00z",
                           "2023-01-01t10:00:00Z",
                           "2023-01-01 10:00:00Z",
                           "2023-01-01T10:00:00+14:01",
                           "2023-01-01T10:00:00+15:00",
                           "2023-01-01T10:00:00+1:00",
                           "2023-01-01T10:00:00+0100",
                           "2023-01-01T10:00:00Zx",
                           " 2023",
                           "2023 ",
                           "2023-01-01Z",
                           "2023-01-01+01:00",
                           "-2023-01-01",
                           "２０２３"}) {
    EXPECT_FALSE(ParseDateTime(text).has_value()) << text;
  }
  EXPECT_TRUE(ParseDateTime("2024-02-29").has_value());
  EXPECT_TRUE(ParseDateTime("2000-02-29").has_value());
}

TEST(DateTime, NamesPrecisions) {
  EXPECT_EQ(ToString(DatePrecision::kYear), "year");
  EXPECT_EQ(ToString(DatePrecision::kMinute), "minute");
  EXPECT_EQ(ToString(DatePrecision::kFraction), "fraction");
}

// Codes of http://hl7.org/fhir/issue-severity.
TEST(Severity, IsNamedAsInFhir) {
  EXPECT_EQ(ToString(Severity::kFatal), "fatal");
  EXPECT_EQ(ToString(Severity::kError), "error");
  EXPECT_EQ(ToString(Severity::kWarning), "warning");
  EXPECT_EQ(ToString(Severity::kInformation), "information");
}

}  // namespace
}  // namespace vitalake::fhir
