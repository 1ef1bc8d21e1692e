#include "clinical/sql_functions.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/json_tree.h"
#include "clinical/blood_pressure.h"
#include "clinical/codes.h"
#include "clinical/news2.h"
#include "clinical/plausibility.h"
#include "clinical/quality.h"
#include "clinical/rule_set.h"
#include "fhir/datetime.h"
#include "fhir/references.h"

namespace vitalake::clinical::sql {
namespace {

std::string_view OrEmpty(Text text) { return text.value_or(std::string_view()); }

std::optional<std::string> OrNull(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

const CodeTable& Codes() { return *CodeTable::Builtin(); }

const RuleSet* Rules(Text name, std::optional<Micros> time = {}) {
  return RuleBook::Builtin()->Find(OrEmpty(name).empty() ? RuleBook::kDefault : *name, time);
}

// The value as judged; nullopt when none was sent or the code is not listed.
std::optional<Measured> MeasureText(Text code, Text value, Text unit, Text comparator) {
  const VitalCode* vital = Codes().Canonical(OrEmpty(code));
  if (OrEmpty(value).empty() || vital == nullptr || vital->measures.empty()) return std::nullopt;
  return Measure(*vital, *value, OrEmpty(unit), ParseComparator(OrEmpty(comparator)));
}

// Several functions are asked of one column's text in turn, and neighbouring rows share it.
std::optional<fhir::DateTime> Parse(Text text) {
  thread_local std::string last;
  thread_local std::optional<fhir::DateTime> parsed = fhir::ParseDateTime(last);
  if (!text) return std::nullopt;
  if (*text != last) {
    last = *text;
    parsed = fhir::ParseDateTime(last);
  }
  return parsed;
}

std::optional<std::string> FirstVitalCode(std::string_view codings_json) {
  thread_local JsonParser parser;
  const auto parsed = parser.Parse(codings_json);
  if (!parsed) return std::nullopt;
  std::string_view loinc, first;
  const auto look = [&](JsonValue coding) -> const VitalCode* {
    const std::string_view system = coding.String("system"), code = coding.String("code");
    if (first.empty()) first = code;
    if (loinc.empty() && system == CodeTable::kLoinc) loinc = code;
    return Codes().Find(system, code);
  };
  if (parsed->is_object()) {
    if (const VitalCode* vital = look(*parsed)) return vital->code;
  }
  for (const JsonValue coding : parsed->children()) {
    if (const VitalCode* vital = look(coding)) return vital->code;
  }
  // What only looks like the code of a vital sign is of another system.
  if (loinc.empty() && Codes().Canonical(first) != nullptr) return std::nullopt;
  return OrNull(loinc.empty() ? first : loinc);
}

OxygenScale ScaleOf(std::optional<int32_t> scale) {
  return scale == 2 ? OxygenScale::kTwo : OxygenScale::kOne;
}

Device ParseDevice(std::string_view text) {
  if (text.empty()) return Device::kNotNamed;
  if (text == "cuff") return Device::kCuff;
  return text == "cuffless" ? Device::kCuffless : Device::kUnknownType;
}

}  // namespace

std::optional<std::string> VitalCodeOf(Text system, Text code) {
  const VitalCode* vital = Codes().Find(OrEmpty(system), OrEmpty(code));
  if (vital == nullptr) return std::nullopt;
  return vital->code;
}

std::optional<std::string> VitalCodeOfCodings(Text codings_json) {
  if (OrEmpty(codings_json).empty()) return std::nullopt;
  // A source has few codings, and many rows of each.
  constexpr size_t kRemembered = 64;
  thread_local std::map<std::string, std::optional<std::string>, std::less<>> known;
  if (const auto found = known.find(*codings_json); found != known.end()) return found->second;
  if (known.size() == kRemembered) known.clear();
  return known.emplace(*codings_json, FirstVitalCode(*codings_json)).first->second;
}

bool VitalListed(Text system, Text code) {
  return Codes().Find(OrEmpty(system), OrEmpty(code)) != nullptr;
}

std::optional<std::string> VitalDisplay(Text code) {
  const VitalCode* vital = Codes().Canonical(OrEmpty(code));
  if (vital == nullptr) return std::nullopt;
  return vital->display;
}

std::optional<std::string> VitalUnit(Text code, Text unit) {
  const VitalCode* vital = Codes().Canonical(OrEmpty(code));
  if (vital == nullptr || vital->measures.empty()) return OrNull(OrEmpty(unit));
  if (OrEmpty(unit).empty()) {
    if (!vital->absent_unit) return std::nullopt;
    return std::string(ToString(vital->measures[0].unit));
  }
  const VitalCode::Measure* measure = vital->MeasureFor(ParseUnit(*unit));
  if (measure == nullptr) return std::nullopt;
  return std::string(ToString(measure->unit));
}

std::optional<std::string> UnitSentOf(Text system, Text code, Text unit) {
  return OrNull(UnitSent(OrEmpty(system), OrEmpty(code), OrEmpty(unit)));
}

Number VitalValue(Text code, Text value, Text unit) {
  const VitalCode* vital = Codes().Canonical(OrEmpty(code));
  if (vital == nullptr || vital->measures.empty()) return ParseNumber(OrEmpty(value));
  const auto measured = MeasureText(code, value, unit, {});
  if (!measured || !measured->usable()) return std::nullopt;
  return measured->value;
}

std::string VitalQuality(Text code, Text value, Text unit, Text comparator) {
  const auto measured = MeasureText(code, value, unit, comparator);
  if (measured) return measured->quality.ToString();
  const bool off_scale =
      ParseComparator(OrEmpty(comparator)) != Comparator::kNone && !OrEmpty(value).empty();
  return off_scale ? QualitySet({Quality::kOffScale}).ToString() : "";
}

std::optional<std::string> VitalInterpretation(Text code, Number value, Text unit, Number age_years,
                                               Text comparator) {
  const VitalCode* const vital = Codes().Canonical(OrEmpty(code));
  if (!value || (vital != nullptr && vital->only_cgm)) return std::nullopt;
  const KnownValue known = KnownOf(*value, ParseComparator(OrEmpty(comparator)));
  const auto reached = [&](const std::optional<Bounds>& bound) {
    return bound && bound->Contains(known.least) && bound->Contains(known.most);
  };
  const auto noted = [&](const VitalLimits::Side& side) {
    return (known.is_exact() && reached(side.noted)) || reached(side.ordinary);
  };
  for (const std::string_view name : RuleBook::Builtin()->names()) {
    const RuleSet& rules = *RuleBook::Builtin()->Find(name);
    const bool outside = age_years && ((rules.age_from && *age_years < *rules.age_from) ||
                                       (rules.age_to && *age_years > *rules.age_to));
    if (outside) continue;
    for (const VitalLimits& limits : rules.limits) {
      if (limits.scale != OxygenScale::kOne || limits.unit != ParseUnit(OrEmpty(unit)) ||
          std::ranges::find(limits.codes, OrEmpty(code)) == limits.codes.end()) {
        continue;
      }
      if (reached(limits.low.at_once)) return "LL";
      if (reached(limits.high.at_once)) return "HH";
      if (noted(limits.low)) return "L";
      if (noted(limits.high)) return "H";
      return known.is_exact() ? std::optional("N") : std::nullopt;
    }
  }
  return std::nullopt;
}

Number BpValue(Text code, Text value, Text unit) { return VitalValue(code, value, unit); }

std::string BpQuality(Text systolic, Text systolic_unit, Text systolic_comparator, Text diastolic,
                      Text diastolic_unit, Text diastolic_comparator) {
  const auto high = MeasureText("8480-6", systolic, systolic_unit, systolic_comparator);
  const auto low = MeasureText("8462-4", diastolic, diastolic_unit, diastolic_comparator);
  return JudgePair(high ? &*high : nullptr, low ? &*low : nullptr).ToString();
}

std::optional<std::string> BpInterpretation(Number systolic, Number diastolic, Text rule_set,
                                            std::optional<Micros> time) {
  const RuleSet* rules = Rules(rule_set, time);
  return rules ? OrNull(InterpretationCode(*rules, systolic, diastolic)) : std::nullopt;
}

std::optional<std::string> BpCertainInterpretation(Number systolic, Text systolic_comparator,
                                                   Number diastolic, Text diastolic_comparator) {
  const auto known = [](Number value, Text comparator) -> std::optional<KnownValue> {
    if (!value || !std::isfinite(*value)) return std::nullopt;
    return KnownOf(*value, ParseComparator(OrEmpty(comparator)));
  };
  return OrNull(CertainCode(*Rules({}), known(systolic, systolic_comparator),
                            known(diastolic, diastolic_comparator)));
}

std::optional<std::string> BpInterpretationForAge(Number systolic, Number diastolic,
                                                  Number age_years, Text rule_set) {
  const RuleSet* rules = Rules(rule_set);
  if (rules == nullptr) return std::nullopt;
  return OrNull(InterpretationForAge(*rules, systolic, diastolic, age_years).code);
}

std::string BpRuleSet() { return std::string(RuleBook::kDefault); }

std::optional<std::string> BpRuleVersion(Text rule_set, std::optional<Micros> time) {
  const RuleSet* rules = Rules(rule_set, time);
  if (rules == nullptr) return std::nullopt;
  return rules->version;
}

std::optional<std::string> BpBand(Number systolic, Number diastolic, Text setting, Text rule_set) {
  const RuleSet* rules = Rules(rule_set);
  const auto where = ParseSetting(OrEmpty(setting).empty() ? "office" : *setting);
  if (rules == nullptr || !where) return std::nullopt;
  return OrNull(BandOfMean(*rules, *where, systolic, diastolic));
}

std::string BpCategory(Number mean_systolic, Number mean_diastolic, int64_t readings,
                       int64_t local_dates, Number age_years, Text setting, Text device,
                       Text rule_set) {
  const RuleSet* rules = Rules(rule_set);
  const auto where = ParseSetting(OrEmpty(setting).empty() ? "office" : *setting);
  if (rules == nullptr) return "not assessed: unknown rule set";
  if (!where) return "not assessed: unknown setting";
  CategoryInput input;
  input.readings = readings;
  input.local_dates = local_dates;
  input.mean_systolic = mean_systolic;
  input.mean_diastolic = mean_diastolic;
  input.age_years = age_years;
  input.setting = *where;
  input.device = ParseDevice(OrEmpty(device));
  return Categorize(*rules, input).ToString(*rules, *where);
}

int32_t News2Total(Number respiratory_rate, Number oxygen_saturation, std::optional<bool> on_oxygen,
                   Number systolic, Number pulse, std::optional<bool> alert, Number temperature,
                   std::optional<int32_t> scale) {
  return ScoreNews2({respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert,
                     temperature, ScaleOf(scale)})
      .total;
}

int32_t News2Parameters(Number respiratory_rate, Number oxygen_saturation,
                        std::optional<bool> on_oxygen, Number systolic, Number pulse,
                        std::optional<bool> alert, Number temperature,
                        std::optional<int32_t> scale) {
  return ScoreNews2({respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert,
                     temperature, ScaleOf(scale)})
      .parameters;
}

std::string News2ResponseTo(Number respiratory_rate, Number oxygen_saturation,
                            std::optional<bool> on_oxygen, Number systolic, Number pulse,
                            std::optional<bool> alert, Number temperature,
                            std::optional<int32_t> scale) {
  return std::string(ToString(ScoreNews2({respiratory_rate, oxygen_saturation, on_oxygen, systolic,
                                          pulse, alert, temperature, ScaleOf(scale)})
                                  .response));
}

std::optional<bool> News2OnOxygen(Text code, Number value) {
  if (!value) return std::nullopt;
  if (OrEmpty(code) == "3151-8") return IsOnOxygenFlow(*value);
  if (OrEmpty(code) == "3150-6") return IsOnOxygenShare(*value);
  return std::nullopt;
}

std::optional<bool> News2Alert(Text answer) {
  if (OrEmpty(answer).empty()) return std::nullopt;
  return IsAlertLevel(*answer);
}

std::optional<Micros> FhirTime(Text text) {
  const auto time = Parse(text);
  return time ? time->Utc() : std::nullopt;
}

std::optional<int32_t> FhirDate(Text text) {
  const auto time = Parse(text);
  if (!time || time->precision < fhir::DatePrecision::kDay) return std::nullopt;
  return time->LocalDay();
}

std::optional<std::string> FhirPrecision(Text text) {
  const auto time = Parse(text);
  if (!time) return std::nullopt;
  return std::string(fhir::ToString(time->precision));
}

std::optional<int32_t> FhirOffsetMinutes(Text text) {
  const auto time = Parse(text);
  if (!time || !time->offset_minutes) return std::nullopt;
  return *time->offset_minutes;
}

std::optional<std::string> PatientIdentifier(Text reference, Text type, Text system, Text value) {
  std::string named = fhir::PatientIdentifier(
      {reference.value_or(""), type.value_or(""), system.value_or(""), value.value_or("")});
  if (named.empty()) return std::nullopt;
  return named;
}

std::string TimeQuality(Text text) {
  return FhirTime(text) ? "" : QualitySet({Quality::kTimeImprecise}).ToString();
}

std::string MergeTokens(Text a, Text b) {
  QualitySet set = QualitySet::Parse(OrEmpty(a));
  set.Add(QualitySet::Parse(OrEmpty(b)));
  return set.ToString();
}

}  // namespace vitalake::clinical::sql
