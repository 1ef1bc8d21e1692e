#include "clinical/blood_pressure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vitalake::clinical {
namespace {

constexpr int64_t kLeastReadings = 2, kLeastDates = 2;

int Gravity(std::string_view code) {
  if (code.empty()) return 0;
  if (code[0] == 'A') return 4;
  if (code == "HH" || code == "LL") return 3;
  return code == "N" ? 1 : 2;
}

std::string_view CodeOf(const std::vector<RuleSet::CodeBand>& bands, std::optional<double> value) {
  if (!value) return {};
  for (const RuleSet::CodeBand& band : bands) {
    if (band.bounds.Contains(*value)) return band.code;
  }
  return {};
}

bool Within(const std::optional<Bounds>& bounds, std::optional<double> value) {
  return bounds && value && bounds->Contains(*value);
}

std::string_view NameOf(const std::vector<RuleSet::Category>& categories,
                        std::optional<double> systolic, std::optional<double> diastolic) {
  if (!systolic && !diastolic) return {};
  for (const RuleSet::Category& category : categories) {
    const bool always = !category.systolic && !category.diastolic;
    if (always || Within(category.systolic, systolic) || Within(category.diastolic, diastolic)) {
      return category.name;
    }
  }
  return {};
}

std::string_view AgeReason(const RuleSet& rules, std::optional<double> age) {
  // From 0 years on means everybody, also those whose age is not known.
  if (rules.age_from.value_or(0) <= 0 && !rules.age_to) return {};
  if (!age) return "age unknown";
  if (*age < 1) return "under 1 year";
  if (rules.age_from && *age < *rules.age_from) return "a child: percentile tables are needed";
  if (rules.age_to && *age > *rules.age_to) return "older than the rule set's ages";
  return {};
}

std::string_view ReasonAgainst(const RuleSet& rules, const CategoryInput& input) {
  if (input.readings < kLeastReadings) return "fewer than 2 readings";
  if (input.local_dates < kLeastDates) return "readings on one date only";
  if (input.device == Device::kCuffless || input.device == Device::kUnknownType) {
    return "no cuff known: confirm with a cuff";
  }
  return AgeReason(rules, input.age_years);
}

}  // namespace

std::string_view InterpretationCode(const RuleSet& rules, std::optional<double> systolic,
                                    std::optional<double> diastolic) {
  const std::string_view high = CodeOf(rules.systolic, systolic);
  const std::string_view low = CodeOf(rules.diastolic, diastolic);
  return Gravity(low) > Gravity(high) ? low : high;
}

AgedCode InterpretationForAge(const RuleSet& rules, std::optional<double> systolic,
                              std::optional<double> diastolic, std::optional<double> age_years) {
  if (AgeReason(rules, age_years).empty()) {
    return {InterpretationCode(rules, systolic, diastolic), false};
  }
  if (age_years || !rules.without_age) return {};
  const RuleSet::WithoutAge& limits = *rules.without_age;
  const bool beyond =
      (systolic && (*systolic >= limits.systolic_at_least || *systolic < limits.systolic_below)) ||
      (diastolic && *diastolic >= limits.diastolic_at_least);
  if (!beyond) return {};
  return {InterpretationCode(rules, systolic, diastolic), true};
}

std::string_view BandOfMean(const RuleSet& rules, Setting setting, std::optional<double> systolic,
                            std::optional<double> diastolic) {
  return NameOf(rules.categories[static_cast<size_t>(setting)], systolic, diastolic);
}

std::string Category::ToString(const RuleSet& rules, Setting setting) const {
  if (name.empty()) return fmt::format("not assessed: {}", reason);
  return fmt::format("{} ({}, {})", name, rules.guideline, clinical::ToString(setting));
}

Category Categorize(const RuleSet& rules, const CategoryInput& input) {
  if (const std::string_view reason = ReasonAgainst(rules, input); !reason.empty()) {
    return {{}, reason};
  }
  const std::string_view name =
      input.pregnant ? NameOf(rules.pregnancy, input.mean_systolic, input.mean_diastolic)
                     : BandOfMean(rules, input.setting, input.mean_systolic, input.mean_diastolic);
  if (name.empty()) return {{}, "the rule set has no categories here"};
  return {name, {}};
}

}  // namespace vitalake::clinical
