#include "monitor/alert.h"

#include <fmt/format.h>

namespace vitalake::monitor {
namespace {

constexpr std::string_view kRules[kRuleCount] = {
    "severe-high", "severe-low", "high",    "low",   "check-reading", "spike",
    "shift",       "drift",      "silence", "news2", "operations",    "too-many"};
constexpr std::string_view kSeverities[] = {"info", "low", "medium", "high", "critical"};
constexpr std::string_view kStates[] = {"pending", "open", "unconfirmed", "closed", "withdrawn"};
constexpr std::string_view kChanges[] = {"opened", "updated", "closed", "withdrawn"};

}  // namespace

std::string_view ToString(Rule rule) { return kRules[static_cast<size_t>(rule)]; }
std::string_view ToString(Severity severity) { return kSeverities[static_cast<size_t>(severity)]; }
std::string_view ToString(AlertState state) { return kStates[static_cast<size_t>(state)]; }
std::string_view ToString(Change change) { return kChanges[static_cast<size_t>(change)]; }

Hash128 AlertId(PatientKey patient, Vital vital, Rule rule, uint64_t reading_key) {
  // Lengths keep ("ab", "c") and ("a", "bc") apart.
  const std::string text =
      fmt::format("{}:{}:{}:{}:{}:{}:{:016x}", patient.id_space.size(), patient.id_space,
                  patient.id.size(), patient.id, CodeOf(vital), ToString(rule), reading_key);
  return HashBytes(text);
}

}  // namespace vitalake::monitor
