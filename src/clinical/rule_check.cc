#include "clinical/rule_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "clinical/alert_rules.h"
#include "clinical/bounds.h"
#include "clinical/yaml_reader.h"

namespace vitalake::clinical {
namespace {

// A bound with where it stands, for messages.
struct Limit {
  std::string_view name;
  std::optional<Bounds> bounds;
};

// Whether all of `inner` is within `outer`.
bool NoWider(const Bounds& inner, const Bounds& outer) {
  const bool low =
      inner.low > outer.low || (inner.low == outer.low && (inner.low_open || !outer.low_open));
  const bool high = inner.high < outer.high ||
                    (inner.high == outer.high && (inner.high_open || !outer.high_open));
  return low && high;
}

// Whether some value is in both: `low` has no lower end, `high` no upper one.
bool Overlap(const Bounds& low, const Bounds& high) {
  if (low.high != high.low) return low.high > high.low;
  return !low.high_open && !high.low_open;
}

// Limits of one direction, from the mildest to the gravest.
Status CheckOrder(const YamlReader& at, const std::vector<Limit>& limits) {
  const Limit* milder = nullptr;
  for (const Limit& limit : limits) {
    if (!limit.bounds) continue;
    if (milder != nullptr && !NoWider(*limit.bounds, *milder->bounds)) {
      return at.Wrong(
          fmt::format("'{}' must be at least as extreme as '{}'", limit.name, milder->name));
    }
    milder = &limit;
  }
  return {};
}

Status CheckApart(const YamlReader& at, const std::vector<Limit>& low,
                  const std::vector<Limit>& high) {
  for (const Limit& below : low) {
    for (const Limit& above : high) {
      if (!below.bounds || !above.bounds || !Overlap(*below.bounds, *above.bounds)) continue;
      return at.Wrong(fmt::format("the low limit '{}' must be below the high limit '{}'",
                                  below.name, above.name));
    }
  }
  return {};
}

Status CheckAge(const YamlReader& yaml) {
  if (!yaml.Has("age")) {
    return yaml.Wrong(
        "the key 'age' is missing: for whom it holds, in years, like {from: 16}; "
        "{from: 0} is everybody");
  }
  VL_TRY(const YamlReader age, yaml.At("age"));
  if (!age.Has("from") && !age.Has("to")) return age.Wrong("must have 'from' or 'to', in years");
  double last = 0;
  for (const char* const key : {"from", "to"}) {
    if (!age.Has(key)) continue;
    VL_TRY(const YamlReader at, age.At(key));
    VL_TRY(const double years, at.Number());
    if (years < last) {
      return at.Wrong(years < 0 ? "must not be negative" : "must not be below 'from'");
    }
    last = years;
  }
  return {};
}

Result<const VitalCode*> KnownCode(const YamlReader& at, const CodeTable& codes) {
  VL_TRY(const std::string code, at.Text());
  const VitalCode* const known = codes.Canonical(code);
  if (known != nullptr && !known->measures.empty()) return known;
  const VitalCode* const other = codes.Find(CodeTable::kLoinc, code);
  std::vector<std::string> measured;
  for (const VitalCode& one : codes.codes()) {
    if (!one.measures.empty()) measured.push_back(one.code);
  }
  const std::string nearest =
      other != nullptr && !other->measures.empty() ? other->code : Nearest(code, measured);
  return at.Wrong(fmt::format("'{}' is no vital sign of codes.yaml{}", code,
                              nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

Status CheckPlausible(const YamlReader& at, const Bounds& plausible,
                      const std::vector<Limit>& limits) {
  for (const Limit& limit : limits) {
    if (!limit.bounds) continue;
    const double value = std::isfinite(limit.bounds->low) ? limit.bounds->low : limit.bounds->high;
    if (plausible.Contains(value)) continue;
    return at.Wrong(fmt::format("'{}' must be from {} to {}, as what is plausible is", limit.name,
                                plausible.low, plausible.high));
  }
  return {};
}

std::vector<Limit> LimitsOf(std::string_view side, const VitalLimits::Side& limits) {
  const bool low = side == "low";
  return {{low ? "low.noted" : "high.noted", limits.noted},
          {low ? "low.ordinary" : "high.ordinary", limits.ordinary},
          {low ? "low.at_once" : "high.at_once", limits.at_once}};
}

Status CheckLimits(const YamlReader& at, const VitalLimits& limits, const CodeTable& codes) {
  const auto low = LimitsOf("low", limits.low), high = LimitsOf("high", limits.high);
  VL_TRY(const YamlReader listed, at.At("codes"));
  VL_TRY(const auto items, listed.Items());
  if (items.empty()) return listed.Wrong("must not be empty");
  for (const YamlReader& item : items) {
    VL_TRY(const VitalCode* const code, KnownCode(item, codes));
    const auto measure = std::ranges::find(code->measures, limits.unit, &VitalCode::Measure::unit);
    if (measure == code->measures.end()) {
      std::string units;
      for (const VitalCode::Measure& one : code->measures) {
        units += fmt::format("{}{}", units.empty() ? "" : " or ", ToString(one.unit));
      }
      VL_TRY(const YamlReader unit, at.At("unit"));
      return unit.Wrong(fmt::format("must be {}, in which {} is stored", units, code->code));
    }
    VL_RETURN_IF_ERROR(CheckPlausible(at, measure->plausible, low));
    VL_RETURN_IF_ERROR(CheckPlausible(at, measure->plausible, high));
  }
  VL_RETURN_IF_ERROR(CheckOrder(at, low));
  VL_RETURN_IF_ERROR(CheckOrder(at, high));
  return CheckApart(at, low, high);
}

// Of one value of a blood pressure.
struct PressurePart {
  std::string_view name;
  std::optional<Bounds> PressureBounds::* bounds;
  std::optional<Bounds> low_at_once, high_at_once;
};

Status CheckLevels(const YamlReader& at, const PressureLevels& levels,
                   const std::vector<PressurePart>& parts) {
  for (const PressurePart& part : parts) {
    const auto named = [&](std::string_view level) {
      return fmt::format("{}.{}", level, part.name);
    };
    const std::string low = named("low"), high = named("high"), severe = named("severe"),
                      at_once = named("at_once");
    const std::vector<Limit> down = {{low, levels.low.*part.bounds}, {at_once, part.low_at_once}};
    const std::vector<Limit> up = {{high, levels.high.*part.bounds},
                                   {severe, levels.severe.*part.bounds},
                                   {at_once, part.high_at_once}};
    VL_RETURN_IF_ERROR(CheckOrder(at, down));
    VL_RETURN_IF_ERROR(CheckOrder(at, up));
    VL_RETURN_IF_ERROR(CheckApart(at, down, up));
  }
  return {};
}

Status CheckAlerts(const YamlReader& at) {
  VL_TRY(const PressureAlerts alerts, ReadPressureAlerts(at));
  Bounds below, systolic, diastolic;
  below.high = alerts.at_once_systolic_below;
  below.high_open = true;
  systolic.low = alerts.at_once_systolic;
  diastolic.low = alerts.at_once_diastolic;
  const std::vector<PressurePart> parts = {{"systolic", &PressureBounds::systolic, below, systolic},
                                           {"diastolic", &PressureBounds::diastolic, {}, diastolic},
                                           {"mean", &PressureBounds::mean, {}, {}}};
  VL_RETURN_IF_ERROR(CheckLevels(at, alerts.adult, parts));
  if (!alerts.pregnancy) return {};
  VL_TRY(const YamlReader pregnancy, at.At("pregnancy"));
  return CheckLevels(pregnancy, *alerts.pregnancy, parts);
}

}  // namespace

Status CheckRuleFile(std::string_view file, std::string_view text, const CodeTable& codes) {
  VL_TRY(const YamlReader yaml, YamlReader::Parse(file, text));
  VL_RETURN_IF_ERROR(CheckAge(yaml));
  if (yaml.Has("limits")) {
    VL_TRY(const YamlReader limits, yaml.At("limits"));
    VL_TRY(const auto read, ReadVitalLimits(limits));
    VL_TRY(const auto items, limits.Items());
    for (size_t i = 0; i < items.size(); ++i) {
      VL_RETURN_IF_ERROR(CheckLimits(items[i], read[i], codes));
    }
  }
  if (!yaml.Has("alerts")) return {};
  VL_TRY(const YamlReader alerts, yaml.At("alerts"));
  return CheckAlerts(alerts);
}

}  // namespace vitalake::clinical
