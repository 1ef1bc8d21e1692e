// Blood pressure by rule set: the code of one reading, the band of a day, the category of a
// patient. Sources: the guideline files in rules/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clinical/plausibility.h"
#include "clinical/rule_set.h"

namespace vitalake::clinical {

// The v3-ObservationInterpretation code of one reading, age not considered: the graver of the two
// values' codes (A, AA over HH, LL over H, L over N; of equals the systolic one). Empty when both
// are absent or NaN. The view is into the rule set.
std::string_view InterpretationCode(const RuleSet& rules, std::optional<double> systolic,
                                    std::optional<double> diastolic);

// The same of values that may have a comparator ("> 180"), each null when absent or NaN. Then only
// what is certain counts, as with the monitor: the mildest code that the value may have, and none
// where that leaves both sides or N open; L and H, which something graver may lie behind, only
// where a limit is reached that `alerts`. "> 180" is HH by AHA/ACC, "< 190" nothing, "< 70" LL.
std::string_view CertainCode(const RuleSet& rules, const std::optional<KnownValue>& systolic,
                             const std::optional<KnownValue>& diastolic);

// InterpretationCode under the rule set's age rules: no code outside its ages; without age
// (nullopt) only for readings beyond RuleSet::without_age.
struct AgedCode {
  std::string_view code;     // empty: no rule applies
  bool age_unknown = false;  // judged without knowing the age
};
AgedCode InterpretationForAge(const RuleSet& rules, std::optional<double> systolic,
                              std::optional<double> diastolic, std::optional<double> age_years);

// The name of the band that a mean falls into by the table of `setting`: a label of one day, no
// category. Empty when the rule set has no table there, or both values are absent.
std::string_view BandOfMean(const RuleSet& rules, Setting setting, std::optional<double> systolic,
                            std::optional<double> diastolic);

enum class Device : uint8_t {
  kNotNamed,  // no device in the record: a measurement by a person, taken as with a cuff
  kCuff,
  kCuffless,
  kUnknownType,
};

// What is known of a patient over the 28 days up to the last plausible reading.
struct CategoryInput {
  int64_t readings = 0;                                 // plausible ones
  int64_t local_dates = 0;                              // on how many local dates
  std::optional<double> mean_systolic, mean_diastolic;  // mmHg, mean of the readings
  std::optional<double> age_years;                      // at the last reading
  Setting setting = Setting::kOffice;
  Device device = Device::kNotNamed;
  bool pregnant = false;  // or within 6 weeks after
};

struct Category {
  std::string_view name;    // empty: not assessed
  std::string_view reason;  // why not; empty when assessed

  // "stage 1 (AHA/ACC 2025, office)" or "not assessed: fewer than 2 readings".
  std::string ToString(const RuleSet& rules, Setting setting) const;
};

// The category over time, or why there is none: fewer than 2 readings or 2 local dates, age unknown
// or outside the rule set's ages (under 13 percentile tables are needed), a device without a cuff
// or of unknown type ("confirm with a cuff"), no table for the setting.
Category Categorize(const RuleSet& rules, const CategoryInput& input);

}  // namespace vitalake::clinical
