#include "monitor/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "clinical/plausibility.h"

namespace vitalake::monitor {
namespace {

using clinical::Bounds;
using clinical::Comparator;
using clinical::RuleSet;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Micros kDay = Micros{86'400} * 1'000'000;

// The value from which a bound is reached upwards ("at or above"), or below which downwards.
double FromAbove(const std::optional<Bounds>& bounds) {
  if (!bounds) return kNever;
  return bounds->low_open ? std::nextafter(bounds->low, kInfinity) : bounds->low;
}
double FromBelow(const std::optional<Bounds>& bounds) {
  if (!bounds) return kNever;
  return bounds->high_open ? bounds->high : std::nextafter(bounds->high, kInfinity);
}

void SetHigh(double (&target)[Levels::kQuantities], const clinical::PressureBounds& bounds) {
  target[0] = FromAbove(bounds.systolic);
  target[1] = FromAbove(bounds.diastolic);
  target[2] = FromAbove(bounds.mean);
}
void SetLow(double (&target)[Levels::kQuantities], const clinical::PressureBounds& bounds) {
  target[0] = FromBelow(bounds.systolic);
  target[1] = FromBelow(bounds.diastolic);
  target[2] = FromBelow(bounds.mean);
}

// The bound of the code H among the bands of a value.
double NotedHigh(const std::vector<RuleSet::CodeBand>& bands) {
  for (const RuleSet::CodeBand& band : bands) {
    if (band.code == "H") return FromAbove(band.bounds);
  }
  return kNever;
}

uint32_t InSeconds(double minutes) { return static_cast<uint32_t>(minutes * 60); }

Result<VitalRule> Head(const RuleSet& set, Vital vital) {
  VitalRule rule;
  rule.vital = vital;
  rule.effective_from = set.effective_day * kDay;
  // From 0 years on means everybody, also those whose age is not known.
  if (set.age_from && *set.age_from > 0) rule.age_from = *set.age_from;
  if (set.age_to) rule.age_to = *set.age_to;
  rule.not_in_pregnancy = set.not_in_pregnancy;
  const std::string version = fmt::format("{} {}", set.name, set.version);
  if (version.size() >= sizeof rule.version) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("rule set '{}': name and version are longer than {} characters",
                            set.name, sizeof rule.version - 2));
  }
  std::memcpy(rule.version, version.data(), version.size());
  return rule;
}

Result<VitalRule> PressureRule(const RuleSet& set, bool pregnancy) {
  VL_TRY(VitalRule rule, Head(set, Vital::kBloodPressure));
  const clinical::PressureAlerts& alerts = *set.alerts;
  const clinical::PressureLevels& from = pregnancy ? *alerts.pregnancy : alerts.adult;
  rule.pregnancy = pregnancy;
  if (set.without_age) {
    rule.without_age_high = set.without_age->systolic_at_least;
    rule.without_age_diastolic = set.without_age->diastolic_at_least;
    rule.without_age_low = set.without_age->systolic_below;
  }
  if (alerts.fall_from_baseline) rule.fall_from_baseline = *alerts.fall_from_baseline;
  Levels& levels = rule.levels;
  levels.noted_high[0] = NotedHigh(set.systolic);
  levels.noted_high[1] = NotedHigh(set.diastolic);
  SetHigh(levels.high, from.high);
  SetHigh(levels.severe, from.severe);
  SetLow(levels.low, from.low);
  levels.at_once_high[0] = alerts.at_once_systolic;
  levels.at_once_high[1] = alerts.at_once_diastolic;
  levels.at_once_low[0] = alerts.at_once_systolic_below;
  levels.hysteresis = alerts.hysteresis;
  levels.confirm_within_s = InSeconds(alerts.confirm_within);
  levels.repeat_in_s = InSeconds(from.repeat_in);
  levels.escalate_after_s = InSeconds(from.escalate_after);
  return rule;
}

Result<VitalRule> LimitRule(const RuleSet& set, const clinical::VitalLimits& limits, Vital vital) {
  VL_TRY(VitalRule rule, Head(set, vital));
  rule.scale_two = limits.scale == clinical::OxygenScale::kTwo;
  Levels& levels = rule.levels;
  levels.noted_high[0] = FromAbove(limits.high.noted);
  levels.high[0] = FromAbove(limits.high.ordinary);
  levels.at_once_high[0] = FromAbove(limits.high.at_once);
  levels.noted_low[0] = FromBelow(limits.low.noted);
  levels.low[0] = FromBelow(limits.low.ordinary);
  levels.at_once_low[0] = FromBelow(limits.low.at_once);
  levels.hysteresis = limits.hysteresis;
  levels.confirm_within_s = InSeconds(limits.confirm_within);
  return rule;
}

// clinical::KnownValue, or that there is none: reaches no limit.
struct Known {
  double least = kNever, most = kNever;
};

Known KnownOf(std::optional<double> value, Comparator comparator) {
  if (!value || !std::isfinite(*value)) return {};
  const auto [least, most] = clinical::KnownOf(*value, comparator);
  return {least, most};
}

struct Quantities {
  Known known[Levels::kQuantities];
  bool any = false;
  bool exact = true;
};

Quantities QuantitiesOf(const Reading& reading) {
  Quantities out;
  out.known[0] = KnownOf(reading.value, reading.comparator);
  if (reading.vital == Vital::kBloodPressure) {
    out.known[1] = KnownOf(reading.diastolic, reading.diastolic_comparator);
    if (reading.value && reading.diastolic) {
      out.known[2].least = clinical::MeanPressure(out.known[0].least, out.known[1].least);
      out.known[2].most = clinical::MeanPressure(out.known[0].most, out.known[1].most);
    }
  }
  for (int i = 0; i < 2; ++i) {
    out.any |= !std::isnan(out.known[i].least);
    out.exact &= !std::isinf(out.known[i].least) && !std::isinf(out.known[i].most);
  }
  return out;
}

bool Reaches(const Quantities& q, const double (&limit)[Levels::kQuantities], double slack = 0) {
  for (int i = 0; i < Levels::kQuantities; ++i) {
    if (q.known[i].least >= limit[i] - slack) return true;
  }
  return false;
}
bool FallsBelow(const Quantities& q, const double (&limit)[Levels::kQuantities], double slack = 0) {
  for (int i = 0; i < Levels::kQuantities; ++i) {
    if (q.known[i].most < limit[i] + slack) return true;
  }
  return false;
}

OrdinaryLevel OrdinaryOf(bool reached, bool near) {
  return reached ? OrdinaryLevel::kReached : near ? OrdinaryLevel::kNear : OrdinaryLevel::kClear;
}

SevereLevel SevereHighOf(const Levels& levels, const Quantities& q) {
  if (Reaches(q, levels.at_once_high)) return SevereLevel::kAtOnce;
  if (Reaches(q, levels.severe)) return SevereLevel::kReached;
  const bool near = Reaches(q, levels.severe, levels.hysteresis) ||
                    Reaches(q, levels.at_once_high, levels.hysteresis);
  return near ? SevereLevel::kNear : SevereLevel::kClear;
}

Side HighOf(const Levels& levels, const Quantities& q) {
  return {SevereHighOf(levels, q),
          OrdinaryOf(Reaches(q, levels.high), Reaches(q, levels.high, levels.hysteresis))};
}

Side LowOf(const Levels& levels, const Quantities& q) {
  const SevereLevel severe = FallsBelow(q, levels.at_once_low) ? SevereLevel::kAtOnce
                             : FallsBelow(q, levels.at_once_low, levels.hysteresis)
                                 ? SevereLevel::kNear
                                 : SevereLevel::kClear;
  return {severe,
          OrdinaryOf(FallsBelow(q, levels.low), FallsBelow(q, levels.low, levels.hysteresis))};
}

// LL and HH for what must be acted on, L and H for what is noted, else N. A low mean pressure is a
// reason to look, not a code: codes are of systolic and diastolic.
std::string_view CodeFor(const Levels& levels, Quantities q) {
  q.known[2] = {};
  if (FallsBelow(q, levels.at_once_low)) return "LL";
  if (Reaches(q, levels.severe) || Reaches(q, levels.at_once_high)) return "HH";
  if (FallsBelow(q, levels.low) || FallsBelow(q, levels.noted_low)) return "L";
  if (Reaches(q, levels.high) || Reaches(q, levels.noted_high)) return "H";
  return "N";
}

enum class AgeFit { kInside, kOutside, kUnknown };

AgeFit FitOf(const VitalRule& rule, std::optional<double> age) {
  if (std::isnan(rule.age_from) && std::isnan(rule.age_to)) return AgeFit::kInside;
  if (!age) return AgeFit::kUnknown;
  return *age < rule.age_from || *age > rule.age_to ? AgeFit::kOutside : AgeFit::kInside;
}

bool BeyondWithoutAge(const VitalRule& rule, const Quantities& q) {
  return q.known[0].least >= rule.without_age_high || q.known[0].most < rule.without_age_low ||
         q.known[1].least >= rule.without_age_diastolic;
}

// Which of the values are not clear of a limit by themselves; where only their mean is not, both.
void FindWhose(const Levels& levels, const Quantities& q, JudgedLevel& level) {
  uint8_t present = 0;
  for (int i = 0; i < 2; ++i) {
    if (std::isnan(q.known[i].least)) continue;
    const auto bit = static_cast<uint8_t>(1 << i);
    present |= bit;
    Quantities alone;
    alone.known[i] = q.known[i];
    const Side high = HighOf(levels, alone), low = LowOf(levels, alone);
    const bool severe = high.severe != SevereLevel::kClear || low.severe != SevereLevel::kClear;
    const bool ordinary =
        high.ordinary != OrdinaryLevel::kClear || low.ordinary != OrdinaryLevel::kClear;
    if (severe) level.severe_by |= bit;
    if (ordinary) level.ordinary_by |= bit;
  }
  if (level.severe_by == 0) level.severe_by = present;
  if (level.ordinary_by == 0) level.ordinary_by = present;
}

JudgedLevel LevelOf(const Levels& levels, const Quantities& q) {
  JudgedLevel out;
  out.judged = true;
  out.high = HighOf(levels, q);
  out.low = LowOf(levels, q);
  out.code = CodeFor(levels, q);
  FindWhose(levels, q, out);
  // "> 100" may be anything above: only what is certain counts.
  if (!q.exact && !out.Reached()) return {};
  return out;
}

// What is within the limits of whatever age begins nothing and ends what is on: all else leaves it.
JudgedLevel ClearWithoutAge(const VitalRule& rule, const Quantities& q) {
  JudgedLevel out = LevelOf(rule.levels, q);
  if (!out.judged || out.high != Side() || out.low != Side()) return {};
  out.code = {};
  out.age_unknown = true;
  return out;
}

Levels Personal(const Levels& levels, const PersonalLimits& own) {
  Levels out = levels;
  if (own.high) out.high[0] = *own.high;
  if (own.diastolic_high) out.high[1] = *own.diastolic_high;
  if (own.low) {
    out.low[0] = *own.low;
    out.low[2] = kNever;  // the mean's limit would speak for the rule again
  }
  if (own.diastolic_low) out.low[1] = *own.diastolic_low;
  return out;
}

}  // namespace

RuleTable::RuleTable(std::vector<VitalRule> rules) : rules_(std::move(rules)) {
  std::stable_sort(rules_.begin(), rules_.end(), [](const VitalRule& a, const VitalRule& b) {
    return std::pair(a.vital, a.effective_from) < std::pair(b.vital, b.effective_from);
  });
  for (const VitalRule& rule : rules_) ++first_[static_cast<size_t>(rule.vital) + 1];
  for (int i = 0; i < kVitalCount; ++i) first_[i + 1] += first_[i];
}

Result<RuleTable> RuleTable::Make(const clinical::RuleBook& book, std::string_view pressure_set) {
  std::vector<VitalRule> rules;
  const auto pressure = book.Versions(pressure_set);
  if (pressure.empty()) {
    return Fail(ErrorKind::kNotFound, fmt::format("there is no rule set '{}'", pressure_set));
  }
  for (const RuleSet& set : pressure) {
    if (!set.alerts) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("rule set '{}' {} has no 'alerts'", set.name, set.version));
    }
    VL_TRY(rules.emplace_back(), PressureRule(set, false));
    if (!set.alerts->pregnancy) continue;
    VL_TRY(rules.emplace_back(), PressureRule(set, true));
  }
  for (const std::string_view name : book.names()) {
    for (const RuleSet& set : book.Versions(name)) {
      for (const clinical::VitalLimits& limits : set.limits) {
        // Codes of one unit are one vital sign.
        const auto vital = VitalOf(limits.codes.at(0), limits.unit);
        if (!vital) continue;
        VL_TRY(rules.emplace_back(), LimitRule(set, limits, *vital));
        rules.back().beside = *vital == Vital::kBloodPressure;  // which has rules of its own
      }
      if (set.not_alert_at_once) {
        VL_TRY(rules.emplace_back(), Head(set, Vital::kConsciousness));
        rules.back().levels.at_once_high[0] = 1;
      }
    }
  }
  return RuleTable(std::move(rules));
}

const VitalRule* RuleTable::Find(const RuleQuery& query) const {
  const auto vital = static_cast<size_t>(query.vital);
  const VitalRule* found = nullptr;
  for (size_t i = first_[vital]; i < first_[vital + 1]; ++i) {
    const VitalRule& rule = rules_[i];
    if (rule.beside != query.beside) continue;
    if (rule.scale_two != query.scale_two && query.vital == Vital::kOxygenSaturation) continue;
    if (rule.pregnancy && !query.pregnant) continue;
    const bool in_force = rule.effective_from <= query.time;
    // Among rules of one date the one for pregnancy comes last.
    if (found == nullptr || in_force) found = &rule;
  }
  if (found != nullptr && found->not_in_pregnancy && query.pregnant) return nullptr;
  return found;
}

JudgedLevel JudgeLevel(const VitalRule& rule, const Reading& reading, const LevelQuery& query) {
  const Quantities q = QuantitiesOf(reading);
  if (!q.any) return {};
  const AgeFit fit = FitOf(rule, query.age_years);
  if (fit == AgeFit::kOutside) return {};
  if (fit == AgeFit::kUnknown && !BeyondWithoutAge(rule, q)) return ClearWithoutAge(rule, q);
  JudgedLevel out = query.personal != nullptr ? LevelOf(Personal(rule.levels, *query.personal), q)
                                              : LevelOf(rule.levels, q);
  out.age_unknown = fit == AgeFit::kUnknown && out.judged;
  return out;
}

}  // namespace vitalake::monitor
