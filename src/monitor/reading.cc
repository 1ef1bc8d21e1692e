#include "monitor/reading.h"

#include <algorithm>
#include <iterator>

namespace vitalake::monitor {
namespace {

using clinical::Unit;

constexpr std::string_view kNames[kVitalCount + 1] = {"blood pressure",   "heart rate",
                                                      "respiratory rate", "oxygen saturation",
                                                      "temperature",      "weight",
                                                      "glucose",          "glucose",
                                                      "oxygen flow",      "oxygen concentration",
                                                      "consciousness",    "several vital signs"};
constexpr std::string_view kCodes[kVitalCount + 1] = {"85354-9", "8867-4",  "9279-1",  "2708-6",
                                                      "8310-5",  "29463-7", "2339-0",  "15074-8",
                                                      "3151-8",  "3150-6",  "67775-7", "several"};
// Codes of glucose; the unit tells the two kinds apart. Not that of body fluid (2344-0, 14745-4),
// which is of a person's blood only where the source is a continuous glucose monitor: nothing
// declares one.
constexpr std::string_view kGlucose[] = {"2339-0",  "2345-7",  "41653-7", "2340-8",  "99504-3",
                                         "15074-8", "14749-6", "14743-9", "105272-9"};

template <class List>
bool Has(const List& list, std::string_view code) {
  return std::find(std::begin(list), std::end(list), code) != std::end(list);
}

}  // namespace

std::string_view ToString(Vital vital) { return kNames[static_cast<size_t>(vital)]; }
std::string_view CodeOf(Vital vital) { return kCodes[static_cast<size_t>(vital)]; }

std::optional<Vital> VitalOf(std::string_view code, Unit unit) {
  if (code == "8480-6" || code == "8462-4") return Vital::kBloodPressure;
  if (Has(kGlucose, code)) {
    if (unit == Unit::kMilligramPerDecilitre) return Vital::kGlucoseMass;
    if (unit == Unit::kMillimolePerLitre) return Vital::kGlucoseMolar;
    return std::nullopt;
  }
  const auto end = std::begin(kCodes) + kVitalCount;
  const auto at = std::find(std::begin(kCodes), end, code);
  if (at == end) return std::nullopt;
  return static_cast<Vital>(at - std::begin(kCodes));
}

ReadingStatus ParseStatus(std::string_view text) {
  constexpr std::string_view kAlerting[] = {"preliminary", "final", "amended", "corrected"};
  if (Has(kAlerting, text)) return ReadingStatus::kAlerts;
  if (text == "entered-in-error" || text == "cancelled") return ReadingStatus::kRetracted;
  return ReadingStatus::kQuiet;
}

}  // namespace vitalake::monitor
