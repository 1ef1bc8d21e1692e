#include "clinical/blood_pressure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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

// Ends of the bands that lie within what is known, with their neighbours: where the code may
// change.
std::vector<double> PlacesOf(const std::vector<RuleSet::CodeBand>& bands, const KnownValue& known) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> places = {known.least, known.most};
  for (const RuleSet::CodeBand& band : bands) {
    for (const double end : {band.bounds.low, band.bounds.high}) {
      if (!std::isfinite(end)) continue;
      for (const double place :
           {std::nextafter(end, -kInfinity), end, std::nextafter(end, kInfinity)}) {
        if (place > known.least && place < known.most) places.push_back(place);
      }
    }
  }
  return places;
}

// The mildest code of one side that a value may have; empty: N, or either side.
std::string_view MildestCode(const std::vector<RuleSet::CodeBand>& bands,
                             const std::optional<KnownValue>& known) {
  if (!known) return {};
  std::string_view mildest;
  for (const double place : PlacesOf(bands, *known)) {
    const std::string_view code = CodeOf(bands, place);
    if (code.empty() || code == "N") return {};
    if (!mildest.empty() && mildest[0] != code[0] && mildest[0] != 'A' && code[0] != 'A') return {};
    if (mildest.empty() || Gravity(code) < Gravity(mildest)) mildest = code;
  }
  return mildest;
}

bool Within(const std::optional<Bounds>& bounds, std::optional<double> value) {
  return bounds && value && bounds->Contains(*value);
}

bool Within(const std::optional<Bounds>& bounds, const std::optional<KnownValue>& known) {
  return bounds && known && bounds->Contains(known->least) && bounds->Contains(known->most);
}

bool ReachesAlert(const RuleSet& rules, const std::optional<KnownValue>& systolic,
                  const std::optional<KnownValue>& diastolic) {
  if (!rules.alerts) return false;
  const PressureLevels& levels = rules.alerts->adult;
  return Within(levels.high.systolic, systolic) || Within(levels.high.diastolic, diastolic) ||
         Within(levels.low.systolic, systolic) || Within(levels.low.diastolic, diastolic);
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

std::string_view CertainCode(const RuleSet& rules, const std::optional<KnownValue>& systolic,
                             const std::optional<KnownValue>& diastolic) {
  const auto exact = [](const std::optional<KnownValue>& known) {
    return !known || known->is_exact();
  };
  const auto value = [](const std::optional<KnownValue>& known) {
    return known ? std::optional(known->least) : std::nullopt;
  };
  if (exact(systolic) && exact(diastolic)) {
    return InterpretationCode(rules, value(systolic), value(diastolic));
  }
  const std::string_view high = MildestCode(rules.systolic, systolic);
  const std::string_view low = MildestCode(rules.diastolic, diastolic);
  const std::string_view graver = Gravity(low) > Gravity(high) ? low : high;
  const bool may_be_graver = graver == "L" || graver == "H";
  return may_be_graver && !ReachesAlert(rules, systolic, diastolic) ? std::string_view() : graver;
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
