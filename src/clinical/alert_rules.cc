#include "clinical/alert_rules.h"

#include <cmath>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace vitalake::clinical {
namespace {

// Which way a bound looks: it must be open on one end only.
enum class Way { kBelow, kAbove };

Status CheckWay(const YamlReader& yaml, const Bounds& bounds, Way way) {
  const bool right = way == Way::kBelow ? std::isinf(bounds.low) && std::isfinite(bounds.high)
                                        : std::isinf(bounds.high) && std::isfinite(bounds.low);
  if (right) return {};
  return yaml.Wrong(way == Way::kBelow ? "must have 'below' or 'at_most' alone"
                                       : "must have 'above' or 'at_least' alone");
}

Status ReadBound(const YamlReader& yaml, std::string_view key, Way way,
                 std::optional<Bounds>& target) {
  if (!yaml.Has(key)) return {};
  VL_TRY(const YamlReader at, yaml.At(key));
  VL_RETURN_IF_ERROR(at.AllowKeys({"above", "at_least", "below", "at_most"}));
  VL_TRY(target, ReadBounds(at));
  return CheckWay(at, *target, way);
}

// A number >= 0 under an optional key.
Status ReadAmount(const YamlReader& yaml, std::string_view key, double& target) {
  if (!yaml.Has(key)) return {};
  VL_TRY(const YamlReader at, yaml.At(key));
  VL_TRY(target, at.Number());
  if (target < 0) return at.Wrong("must not be negative");
  return {};
}

Status ReadPressure(const YamlReader& yaml, std::string_view key, Way way, PressureBounds& target) {
  if (!yaml.Has(key)) return {};
  VL_TRY(const YamlReader at, yaml.At(key));
  VL_RETURN_IF_ERROR(at.AllowKeys({"systolic", "diastolic", "mean"}));
  VL_RETURN_IF_ERROR(ReadBound(at, "systolic", way, target.systolic));
  VL_RETURN_IF_ERROR(ReadBound(at, "diastolic", way, target.diastolic));
  return ReadBound(at, "mean", way, target.mean);
}

Status ReadLevels(const YamlReader& yaml, PressureLevels& levels) {
  VL_RETURN_IF_ERROR(ReadPressure(yaml, "low", Way::kBelow, levels.low));
  VL_RETURN_IF_ERROR(ReadPressure(yaml, "high", Way::kAbove, levels.high));
  VL_RETURN_IF_ERROR(ReadPressure(yaml, "severe", Way::kAbove, levels.severe));
  VL_RETURN_IF_ERROR(ReadAmount(yaml, "repeat_in_minutes", levels.repeat_in));
  return ReadAmount(yaml, "escalate_after_minutes", levels.escalate_after);
}

Status ReadAtOnce(const YamlReader& yaml, PressureAlerts& alerts) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"systolic_below", "systolic_at_least", "diastolic_at_least"}));
  VL_RETURN_IF_ERROR(ReadAmount(yaml, "systolic_below", alerts.at_once_systolic_below));
  VL_RETURN_IF_ERROR(ReadAmount(yaml, "systolic_at_least", alerts.at_once_systolic));
  return ReadAmount(yaml, "diastolic_at_least", alerts.at_once_diastolic);
}

Status ReadSide(const YamlReader& yaml, std::string_view key, Way way, VitalLimits::Side& side) {
  if (!yaml.Has(key)) return {};
  VL_TRY(const YamlReader at, yaml.At(key));
  VL_RETURN_IF_ERROR(at.AllowKeys({"noted", "ordinary", "at_once"}));
  VL_RETURN_IF_ERROR(ReadBound(at, "noted", way, side.noted));
  VL_RETURN_IF_ERROR(ReadBound(at, "ordinary", way, side.ordinary));
  return ReadBound(at, "at_once", way, side.at_once);
}

Status ReadScale(const YamlReader& yaml, VitalLimits& limits) {
  if (!yaml.Has("scale")) return {};
  VL_TRY(const YamlReader at, yaml.At("scale"));
  VL_TRY(const double scale, at.Number());
  if (scale != 1 && scale != 2) return at.Wrong("must be 1 or 2");
  limits.scale = scale == 2 ? OxygenScale::kTwo : OxygenScale::kOne;
  return {};
}

Result<VitalLimits> ReadLimits(const YamlReader& yaml) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys(
      {"codes", "unit", "scale", "low", "high", "hysteresis", "confirm_within_minutes"}));
  VitalLimits limits;
  VL_TRY(const YamlReader codes, yaml.At("codes"));
  VL_TRY(limits.codes, codes.Texts());
  VL_TRY(const YamlReader unit, yaml.At("unit"));
  VL_TRY(const std::string unit_text, unit.Text());
  limits.unit = ParseUnit(unit_text);
  if (limits.unit == Unit::kUnknown) return unit.Wrong("must be a known unit");
  VL_RETURN_IF_ERROR(ReadScale(yaml, limits));
  VL_RETURN_IF_ERROR(ReadSide(yaml, "low", Way::kBelow, limits.low));
  VL_RETURN_IF_ERROR(ReadSide(yaml, "high", Way::kAbove, limits.high));
  VL_RETURN_IF_ERROR(ReadAmount(yaml, "hysteresis", limits.hysteresis));
  VL_RETURN_IF_ERROR(ReadAmount(yaml, "confirm_within_minutes", limits.confirm_within));
  return limits;
}

}  // namespace

Result<PressureAlerts> ReadPressureAlerts(const YamlReader& yaml) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"low", "high", "severe", "at_once", "hysteresis",
                                     "confirm_within_minutes", "repeat_in_minutes",
                                     "escalate_after_minutes", "fall_from_baseline", "pregnancy"}));
  PressureAlerts alerts;
  VL_RETURN_IF_ERROR(ReadLevels(yaml, alerts.adult));
  if (yaml.Has("at_once")) {
    VL_TRY(const YamlReader at_once, yaml.At("at_once"));
    VL_RETURN_IF_ERROR(ReadAtOnce(at_once, alerts));
  }
  VL_RETURN_IF_ERROR(ReadAmount(yaml, "hysteresis", alerts.hysteresis));
  VL_RETURN_IF_ERROR(ReadAmount(yaml, "confirm_within_minutes", alerts.confirm_within));
  if (yaml.Has("fall_from_baseline")) {
    VL_RETURN_IF_ERROR(ReadAmount(yaml, "fall_from_baseline", alerts.fall_from_baseline.emplace()));
  }
  if (yaml.Has("pregnancy")) {
    VL_TRY(const YamlReader pregnancy, yaml.At("pregnancy"));
    VL_RETURN_IF_ERROR(
        pregnancy.AllowKeys({"high", "severe", "repeat_in_minutes", "escalate_after_minutes"}));
    PressureLevels& levels = alerts.pregnancy.emplace();
    VL_RETURN_IF_ERROR(ReadLevels(pregnancy, levels));
    levels.low = alerts.adult.low;
  }
  return alerts;
}

Result<std::vector<VitalLimits>> ReadVitalLimits(const YamlReader& yaml) {
  VL_TRY(const auto items, yaml.Items());
  std::vector<VitalLimits> all;
  for (const YamlReader& item : items) {
    VL_TRY(all.emplace_back(), ReadLimits(item));
  }
  if (all.empty()) return yaml.Wrong("must not be empty");
  return all;
}

}  // namespace vitalake::clinical
