#include "ingest/monitoring/patient_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitalake::ingest {
namespace {

using ::testing::HasSubstr;

// What is said of limits; "" when they pass. Recorded ones are read again whatever they are.
std::string Said(std::string_view limits) {
  const std::string text =
      "{\"from\":\"2026-01-01T00:00:00Z\",\"limits\":" + std::string(limits) + "}";
  const auto settings = SettingsFromPayload(text);
  EXPECT_TRUE(settings) << text;
  const Status done = CheckLimits(*settings);
  return done ? "" : done.error().message;
}

TEST(PatientSettingsTest, LimitsAreWhatAReadingMayHave) {
  EXPECT_EQ(Said(R"({"85354-9":{"high":150,"low":95,"diastolic_high":95,"diastolic_low":50}})"),
            "");
  EXPECT_EQ(Said(R"({"2339-0":{"high":300},"15074-8":{"high":16.7},"2708-6":{"low":88}})"), "");
  EXPECT_EQ(Said(R"({"8867-4":{"high":-5}})"), "`limits.8867-4.high` must be from 20 to 300 /min");
  EXPECT_EQ(Said(R"({"2708-6":{"low":101}})"), "`limits.2708-6.low` must be from 40 to 100 %");
  EXPECT_THAT(Said(R"({"85354-9":{"diastolic_high":250}})"), HasSubstr("from 20 to 200 mm[Hg]"));
  EXPECT_EQ(Said(R"({"85354-9":{"high":250}})"), "") << "of the systolic pressure";
  EXPECT_THAT(Said(R"({"15074-8":{"high":250}})"), HasSubstr("from 0.5 to 83 mmol/L"));
  EXPECT_THAT(Said(R"({"67775-7":{"high":1}})"), HasSubstr("nothing is measured"));
}

}  // namespace
}  // namespace vitalake::ingest
