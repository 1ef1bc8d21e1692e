// The functions that SQL calls: scalars in, scalars out, the same code underneath as Assess.
//
// Each C++ name stands for the SQL name above it. A nullopt argument is SQL NULL, a nullopt result
// too; an empty text counts as absent. Texts are numbers as JSON writes them ("217", "1.0").
// The functions of the code table and rule sets use those compiled in. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace vitalake::clinical::sql {

using Text = std::optional<std::string_view>;
using Number = std::optional<double>;

// vital_code(system, code): the canonical LOINC code of one coding; null when it is not listed.
std::optional<std::string> VitalCodeOf(Text system, Text code);
// vital_code(codings): the same for a JSON array of Codings (or one Coding): the first that is
// listed; else the first LOINC code, else the first code; null when there is none.
std::optional<std::string> VitalCodeOfCodings(Text codings_json);
// vital_listed(system, code): whether the coding is in the code table.
bool VitalListed(Text system, Text code);
// vital_display(code): of a canonical code; null when it is not listed.
std::optional<std::string> VitalDisplay(Text code);
// vital_unit(code, unit): the canonical unit for a value sent in `unit` (glucose: mass or molar as
// sent); the unit as sent for a code that is not listed; null when unknown.
std::optional<std::string> VitalUnit(Text code, Text unit);
// unit_sent(system, code, unit) of a Quantity: the text that names its unit; null when there is
// none.
std::optional<std::string> UnitSentOf(Text system, Text code, Text unit);
// vital_value(code, value, unit): in the canonical unit; null when it cannot be used. Of a code
// that is not listed: the number as sent.
Number VitalValue(Text code, Text value, Text unit);
// vital_quality(code, value, unit, comparator): tokens; "" when there is nothing to remark or no
// value.
std::string VitalQuality(Text code, Text value, Text unit, Text comparator);

// vital_interpretation(code, value, unit, age_years[, comparator]): the computed code of a value by
// the limits of single vital signs, oxygen saturation on scale 1; age null: not considered. Null
// when no rule has the code and unit, the age is outside the rule's, the code is one of body fluid
// (only_cgm: no source is declared a continuous glucose monitor), or the comparator leaves it open.
std::optional<std::string> VitalInterpretation(Text code, Number value, Text unit, Number age_years,
                                               Text comparator = {});

// bp_value(code, value, unit): mm[Hg]; `code` is 8480-6 or 8462-4. Like vital_value.
Number BpValue(Text code, Text value, Text unit);
// bp_quality(systolic, systolic_unit, systolic_comparator, diastolic, diastolic_unit,
// diastolic_comparator): tokens of the reading.
std::string BpQuality(Text systolic, Text systolic_unit, Text systolic_comparator, Text diastolic,
                      Text diastolic_unit, Text diastolic_comparator);

// bp_interpretation(systolic, diastolic[, rule_set[, time]]): the computed code, age not
// considered; null when there is no value. Default rule set: bp_rule_set().
std::optional<std::string> BpInterpretation(Number systolic, Number diastolic, Text rule_set = {},
                                            std::optional<Micros> time = {});
// bp_certain_interpretation(systolic, systolic_comparator, diastolic, diastolic_comparator): the
// same by the default rule set, where values may have a comparator: what is certain then.
std::optional<std::string> BpCertainInterpretation(Number systolic, Text systolic_comparator,
                                                   Number diastolic, Text diastolic_comparator);
// bp_interpretation_for_age(systolic, diastolic, age_years[, rule_set]): under the age rules; null
// when no rule applies.
std::optional<std::string> BpInterpretationForAge(Number systolic, Number diastolic,
                                                  Number age_years, Text rule_set = {});
// bp_rule_set(): the name of the default rule set. bp_rule_version([rule_set[, time]]): its
// version.
std::string BpRuleSet();
std::optional<std::string> BpRuleVersion(Text rule_set = {}, std::optional<Micros> time = {});
// bp_band(systolic, diastolic[, setting[, rule_set]]): the band of a mean; setting office, home,
// day, night or 24h (default office). Null when there is none.
std::optional<std::string> BpBand(Number systolic, Number diastolic, Text setting = {},
                                  Text rule_set = {});
// bp_category(mean_systolic, mean_diastolic, readings, local_dates, age_years, setting, device
// [, rule_set]): "stage 1 (AHA/ACC 2025, home)" or "not assessed: ...". setting null: office;
// device "cuff", "cuffless", "unknown", or null when the readings name none.
std::string BpCategory(Number mean_systolic, Number mean_diastolic, int64_t readings,
                       int64_t local_dates, Number age_years, Text setting, Text device,
                       Text rule_set = {});

// NEWS2 of what is known (news2.h); null inputs are not scored. `scale` 2: scale 2 for oxygen
// saturation, else 1. news2_total(...): the points; news2_parameters(...): how many of the 7 were
// scored; news2_response(...): "incomplete", "routine", "ward-review", "urgent", "emergency".
int32_t News2Total(Number respiratory_rate, Number oxygen_saturation, std::optional<bool> on_oxygen,
                   Number systolic, Number pulse, std::optional<bool> alert, Number temperature,
                   std::optional<int32_t> scale);
int32_t News2Parameters(Number respiratory_rate, Number oxygen_saturation,
                        std::optional<bool> on_oxygen, Number systolic, Number pulse,
                        std::optional<bool> alert, Number temperature,
                        std::optional<int32_t> scale);
std::string News2ResponseTo(Number respiratory_rate, Number oxygen_saturation,
                            std::optional<bool> on_oxygen, Number systolic, Number pulse,
                            std::optional<bool> alert, Number temperature,
                            std::optional<int32_t> scale);
// news2_on_oxygen(code, value): of an inhaled flow or concentration; null for other codes.
std::optional<bool> News2OnOxygen(Text code, Number value);
// news2_alert(answer): whether a level of consciousness says "alert"; null when it is not there.
std::optional<bool> News2Alert(Text answer);

// fhir_time(text): the moment, micros UTC; null without time or offset, or when it is no date.
std::optional<Micros> FhirTime(Text text);
// fhir_date(text): the local date as written, days since 1970-01-01; null for a year or a month.
std::optional<int32_t> FhirDate(Text text);
// fhir_precision(text): "year", "month", "day", "minute", "second", "fraction".
std::optional<std::string> FhirPrecision(Text text);
// fhir_offset_minutes(text): as written; null when there is none.
std::optional<int32_t> FhirOffsetMinutes(Text text);
// patient_identifier(reference, type, system, value): by which identifier a reference means a
// Patient (fhir/references.h); null: by none.
std::optional<std::string> PatientIdentifier(Text reference, Text type, Text system, Text value);
// time_quality(text): "time_imprecise" when the text is no moment, else "".
std::string TimeQuality(Text text);
// merge_tokens(a, b): the tokens of both, once each, in the fixed order.
std::string MergeTokens(Text a, Text b);

}  // namespace vitalake::clinical::sql
