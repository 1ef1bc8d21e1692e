// Limits in force: rule sets made flat, so that judging a reading is a handful of comparisons and a
// snapshot can hold the rules themselves.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "clinical/rule_set.h"
#include "monitor/reading.h"

namespace vitalake::monitor {

inline constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

// How far a reading is up, or down, against the severe limit and against the ordinary one: neither
// follows from the other, as a vital sign may lack one and a patient have ordinary limits of their
// own. `Near` lies within the hysteresis: it neither begins an episode nor ends one.
enum class OrdinaryLevel : uint8_t { kClear, kNear, kReached };
enum class SevereLevel : uint8_t { kClear, kNear, kReached, kAtOnce };
struct Side {
  SevereLevel severe = SevereLevel::kClear;
  OrdinaryLevel ordinary = OrdinaryLevel::kClear;
  bool operator==(const Side&) const = default;

  bool IsSevere() const { return severe >= SevereLevel::kReached; }
  bool Reached() const { return IsSevere() || ordinary == OrdinaryLevel::kReached; }
};

// Thresholds of one quantity each: systolic or the only value, diastolic, mean pressure. High ones
// are reached at or above, low ones strictly below; kNever is never reached.
struct Levels {
  static constexpr int kQuantities = 3;
  double noted_high[kQuantities] = {kNever, kNever, kNever};
  double high[kQuantities] = {kNever, kNever, kNever};
  double severe[kQuantities] = {kNever, kNever, kNever};
  double at_once_high[kQuantities] = {kNever, kNever, kNever};
  double noted_low[kQuantities] = {kNever, kNever, kNever};
  double low[kQuantities] = {kNever, kNever, kNever};
  double at_once_low[kQuantities] = {kNever, kNever, kNever};
  double hysteresis = 0;
  uint32_t confirm_within_s = 3600;
  uint32_t repeat_in_s = 300;
  uint32_t escalate_after_s = 900;
  uint32_t unused = 0;
};

// One rule set's limits of one vital sign for one population. Trivially copyable without padding.
struct VitalRule {
  Micros effective_from = 0;  // of the rule set
  double age_from = kNever;   // years, inside; kNever: no rule about age
  double age_to = kNever;     // inside
  // Judged although the age is unknown; all kNever: nothing is.
  double without_age_high = kNever, without_age_diastolic = kNever, without_age_low = kNever;
  double fall_from_baseline = kNever;
  Levels levels;
  Vital vital = Vital::kBloodPressure;
  uint8_t scale_two = 0;         // limits of oxygen saturation by NEWS2 scale 2
  uint8_t pregnancy = 0;         // for those who are pregnant; else for those who are not
  uint8_t not_in_pregnancy = 0;  // judges nobody who is pregnant
  uint8_t beside = 0;            // only what acts at once, beside the rule that is in force
  uint8_t unused[3] = {};
  char version[64] = {};  // "aha-acc-2025 2025.1", ends with 0
};

// Which of several rules judges a reading.
struct RuleQuery {
  Vital vital = Vital::kBloodPressure;
  Micros time = 0;
  bool pregnant = false;
  bool scale_two = false;
  bool beside = false;
};

// Rules of all vital signs, by effective time. Immutable.
class RuleTable {
 public:
  // From the pressure rule set of that name and every set with limits. kNotFound when the book has
  // no such set; kInvalidArgument when it has no `alerts`, or a name and version are too long.
  static Result<RuleTable> Make(const clinical::RuleBook& book, std::string_view pressure_set);
  explicit RuleTable(std::vector<VitalRule> rules);

  // The rule in force (or the one beside it), or null when there is none for the vital sign. Of
  // those effective at `time` the latest; the earliest when all are later.
  const VitalRule* Find(const RuleQuery& query) const;
  const std::vector<VitalRule>& rules() const { return rules_; }

 private:
  std::vector<VitalRule> rules_;  // by vital, then effective_from
  uint16_t first_[kVitalCount + 1] = {};
};

// A patient's own ordinary limits in place of the rule's; an absent one leaves it.
struct PersonalLimits {
  std::optional<double> high, low, diastolic_high, diastolic_low;
};

struct LevelQuery {
  std::optional<double> age_years;
  const PersonalLimits* personal = nullptr;
};

struct JudgedLevel {
  bool judged = false;
  Side high, low;  // of low ones those are severe that act at once
  // Of which value: 1 systolic or the only one, 2 diastolic; 3 both, or the mean of both.
  uint8_t severe_by = 0, ordinary_by = 0;
  bool age_unknown = false;  // judged all the same, by limits for that
  std::string_view code;     // v3-ObservationInterpretation; empty when unjudged
  bool Reached() const { return high.Reached() || low.Reached(); }
};

// The level of a reading. A comparator's value counts where it is certain: "> 180" is above 180.
// Unjudged outside the rule's ages, without values, or where a comparator leaves everything open.
JudgedLevel JudgeLevel(const VitalRule& rule, const Reading& reading, const LevelQuery& query);

}  // namespace vitalake::monitor
