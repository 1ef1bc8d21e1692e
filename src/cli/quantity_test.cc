#include "cli/quantity.h"

#include <gtest/gtest.h>

namespace vitalake::cli {
namespace {

using std::chrono::nanoseconds;

TEST(ParseSize, TakesDecimalAndBinaryUnits) {
  EXPECT_EQ(ParseSize("4096").value(), 4096);
  EXPECT_EQ(ParseSize("1GB").value(), 1'000'000'000);
  EXPECT_EQ(ParseSize("512MB").value(), 512'000'000);
  EXPECT_EQ(ParseSize("128MiB").value(), 134'217'728);
  EXPECT_EQ(ParseSize("1 kib").value(), 1024);
  EXPECT_EQ(ParseSize("1.5G").value(), 1'500'000'000);
  EXPECT_EQ(ParseSize("2TiB").value(), 2'199'023'255'552);
  EXPECT_EQ(ParseSize("0").value(), 0);
}

TEST(ParseSize, RefusesEverythingElse) {
  for (const char* text :
       {"", "GB", "-1GB", "1XB", "1GB2", "1..5GB", "1e3", "1 G B", "many", "90000000TB"}) {
    EXPECT_EQ(ParseSize(text).error().kind, ErrorKind::kInvalidArgument) << text;
  }
}

TEST(ParseDuration, TakesUnitsAndSums) {
  EXPECT_EQ(ParseDuration("400ms").value(), std::chrono::milliseconds(400));
  EXPECT_EQ(ParseDuration("10s").value(), std::chrono::seconds(10));
  EXPECT_EQ(ParseDuration("24h").value(), std::chrono::hours(24));
  EXPECT_EQ(ParseDuration("7d").value(), std::chrono::hours(168));
  EXPECT_EQ(ParseDuration("1h30m").value(), std::chrono::minutes(90));
  EXPECT_EQ(ParseDuration("1.5h").value(), std::chrono::minutes(90));
  EXPECT_EQ(ParseDuration("250us").value(), nanoseconds(250'000));
  EXPECT_EQ(ParseDuration("0").value(), nanoseconds(0));
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"", "10", "s", "-1s", "1 week", "10sx", "1h30", "300000d"}) {
    EXPECT_EQ(ParseDuration(text).error().kind, ErrorKind::kInvalidArgument) << text;
  }
}

TEST(Format, SizesSecondsAndCounts) {
  EXPECT_EQ(FormatSize(0), "0 B");
  EXPECT_EQ(FormatSize(999), "999 B");
  EXPECT_EQ(FormatSize(12'345), "12.3 kB");
  EXPECT_EQ(FormatSize(999'999), "1.0 MB");
  EXPECT_EQ(FormatSize(825'000'000), "825.0 MB");
  EXPECT_EQ(FormatSeconds(0.43), "0.4 s");
  EXPECT_EQ(FormatSeconds(12.4), "12 s");
  EXPECT_EQ(FormatSeconds(185), "3:05");
  EXPECT_EQ(FormatSeconds(3727), "1:02:07");
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1'234'567), "1,234,567");
  EXPECT_EQ(FormatCount(-1'000), "-1,000");
}

}  // namespace
}  // namespace vitalake::cli
