// Rule sets: the thresholds of one guideline, read from rules/<name>.yaml.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/embedded.h"
#include "base/result.h"
#include "clinical/alert_rules.h"
#include "clinical/bounds.h"

namespace vitalake::clinical {

// Where and when a pressure was taken.
enum class Setting : uint8_t { kOffice, kHome, kDay, kNight, k24h };
inline constexpr int kSettingCount = 5;

// "office", "home", "day", "night", "24h".
std::string_view ToString(Setting setting);
std::optional<Setting> ParseSetting(std::string_view text);

struct RuleSet {
  // A code for values within the bounds.
  struct CodeBand {
    std::string code;  // v3-ObservationInterpretation
    Bounds bounds;
  };
  // A category reached when systolic or diastolic is within its bounds; without either: always.
  struct Category {
    std::string name;
    std::optional<Bounds> systolic, diastolic;
  };
  // Readings that are judged although the age is unknown.
  struct WithoutAge {
    double systolic_at_least = 200, diastolic_at_least = 130, systolic_below = 70;
  };

  std::string name;       // "aha-acc-2025"
  std::string guideline;  // for people
  std::string version;
  std::string population;
  int32_t effective_day = 0;               // days since 1970-01-01; in force from there on
  std::optional<double> age_from, age_to;  // years, both inside; from 0: everybody
  std::optional<WithoutAge> without_age;
  std::vector<CodeBand> systolic, diastolic;        // the first that fits counts
  std::vector<Category> categories[kSettingCount];  // empty: the guideline has none there
  std::vector<Category> pregnancy;
  bool not_in_pregnancy = false;         // judges nobody who is pregnant, or was 6 weeks ago
  bool not_alert_at_once = false;        // a level of consciousness other than alert opens at once
  std::optional<PressureAlerts> alerts;  // blood pressure
  std::vector<VitalLimits> limits;       // other vital signs
};

// Reads one rule file: it says how readings of blood pressure are interpreted, or what the limits
// of other vital signs are. kInvalidArgument with file, line and key.
Result<RuleSet> ReadRuleSet(std::string_view file, std::string_view text);

// All rule sets by name and effective date. Immutable; share it among threads.
class RuleBook {
 public:
  static constexpr std::string_view kDefault = "aha-acc-2025";

  // From the files that are rule sets (codes.yaml is left out). Two of one name must differ in
  // their effective date.
  static Result<std::shared_ptr<const RuleBook>> Make(std::span<const EmbeddedFile> files);
  // The rule sets compiled into the binary.
  static const std::shared_ptr<const RuleBook>& Builtin();

  // The rule set of that name in force at `time`: of those effective by then the latest, or the
  // earliest when all are later (a reading older than the guideline is judged by it all the same).
  // Null when the name is unknown. Without a time: the latest.
  const RuleSet* Find(std::string_view name, std::optional<Micros> time = std::nullopt) const;
  std::vector<std::string_view> names() const;
  // All versions of a rule set by effective date; empty when the name is unknown.
  std::span<const RuleSet> Versions(std::string_view name) const;

 private:
  std::map<std::string, std::vector<RuleSet>, std::less<>> sets_;  // by effective_day
};

}  // namespace vitalake::clinical
