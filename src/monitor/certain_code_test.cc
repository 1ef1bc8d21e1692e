// The code that silver has of values with a comparator is the one the monitor judges by.
#include <gtest/gtest.h>

#include "clinical/blood_pressure.h"
#include "monitor/limits.h"
#include "monitor/monitor_fixture.h"

namespace vitalake::monitor {
namespace {

using clinical::Comparator;

TEST(CertainCodeTest, IsTheMonitors) {
  using enum Comparator;
  for (const std::string_view name : {"aha-acc-2025", "esc-2024"}) {
    const clinical::RuleSet& rules = *clinical::RuleBook::Builtin()->Find(name);
    const auto table = RuleTable::Make(*clinical::RuleBook::Builtin(), name);
    ASSERT_TRUE(table);
    const VitalRule* const rule = table->Find({.time = kStart});
    ASSERT_NE(rule, nullptr);
    for (const Comparator comparator : {kLess, kLessOrEqual, kGreaterOrEqual, kGreater}) {
      for (double systolic = 50; systolic <= 220; systolic += 5) {
        for (double diastolic = 70; diastolic <= 140; diastolic += 5) {
          Told told = Bp(0, systolic, diastolic);
          told.reading.comparator = comparator;
          const std::string_view judged = JudgeLevel(*rule, told.View(), {.age_years = 50}).code;
          const auto silver =
              clinical::CertainCode(rules, clinical::KnownOf(systolic, comparator),
                                    clinical::KnownOf(diastolic, Comparator::kNone));
          // N only where the mean alone is low: no code is of that.
          EXPECT_EQ(silver, judged == "N" ? "" : judged)
              << name << " " << static_cast<int>(comparator) << " " << systolic << "/" << diastolic;
        }
      }
    }
  }
}

}  // namespace
}  // namespace vitalake::monitor
