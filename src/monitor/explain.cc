#include "monitor/explain.h"

#include <fmt/format.h>

#include <cmath>

namespace vitalake::monitor {
namespace {

constexpr std::string_view kUnits[kVitalCount + 1] = {"mmHg",  "/min",   "/min",  "%", "Cel", "kg",
                                                      "mg/dL", "mmol/L", "L/min", "%", "",    ""};

// Six digits say all that is measured; a float's tail would look like precision.
std::string Number(double value) { return fmt::format("{:.6g}", value); }

std::string Subject(const AlertEvent& event) {
  const std::string value = ValueText(event.vital, event.value, event.diastolic);
  std::string name(ToString(event.vital));
  name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return value.empty() ? name : name + " " + value;
}

std::string Minutes(uint32_t seconds) { return fmt::format("{} minutes", (seconds + 59) / 60); }

std::string SevereHigh(const AlertEvent& event, const Explained& from) {
  if (event.vital == Vital::kConsciousness) {
    return "The patient is not alert: newly confused, or answers to voice or pain only, or not at "
           "all.";
  }
  const Levels levels = from.rule != nullptr ? from.rule->levels : Levels();
  switch (event.state) {
    case AlertState::kPending:
      return fmt::format(
          "{} is severe. Repeat it in {} and ask for symptoms: one reading is no "
          "diagnosis.",
          Subject(event), Minutes(levels.repeat_in_s));
    case AlertState::kUnconfirmed:
      return fmt::format("{} was severe and no repeat came within {}. See to the patient.",
                         Subject(event), Minutes(levels.escalate_after_s));
    case AlertState::kOpen:
      return fmt::format("{} is severe{}. Ask for symptoms and act by the guideline.",
                         Subject(event),
                         event.reading_keys[1] != 0 ? ", confirmed by a second reading"
                                                    : " and does not wait for a second reading");
    default:
      return {};
  }
}

std::string Ordinary(const AlertEvent& event, std::string_view word) {
  return fmt::format("{}: {} in two readings within {}.", Subject(event), word,
                     Minutes(event.window_s));
}

std::string Detected(const AlertEvent& event, const Explained& from) {
  if (from.episode == nullptr || from.episode->outcome.count == 0) return {};
  const ChannelOutcome& outcome = from.episode->outcome;
  const bool pressure = event.vital == Vital::kBloodPressure;
  const std::string_view what = !pressure                    ? ToString(event.vital)
                                : from.episode->channel == 0 ? "systolic"
                                                             : "diastolic";
  const std::string_view side = outcome.z > 0 ? "above" : "below";
  const std::string own =
      fmt::format("the patient's own mean of {} (standard deviation {}, {} values)",
                  Number(std::round(outcome.mean * 10) / 10),
                  Number(std::round(outcome.sigma * 10) / 10), outcome.count);
  switch (event.rule) {
    case Rule::kSpike:
      return fmt::format("{}: {} is {:.1f} standard deviations {} {}.", Subject(event), what,
                         std::abs(outcome.z), side, own);
    case Rule::kShift:
      return fmt::format("{}: several {} readings lie {} {}.", Subject(event), what, side, own);
    default:
      return fmt::format("Daily medians of {} have wandered {} where they began, {}.", what, side,
                         Number(std::round(outcome.mean * 10) / 10));
  }
}

std::string Statement(const AlertEvent& event, const Explained& from) {
  if (event.state == AlertState::kClosed) return "The episode has ended.";
  if (event.state == AlertState::kWithdrawn) {
    return event.reading_id.empty()
               ? "Withdrawn: by what is known of the patient now it does not stand."
               : "Withdrawn: a reading behind it was retracted or corrected.";
  }
  switch (event.rule) {
    case Rule::kSevereHigh:
      return SevereHigh(event, from);
    case Rule::kSevereLow:
      return fmt::format("{} is dangerously low and does not wait for a second reading.",
                         Subject(event));
    case Rule::kHigh:
      return Ordinary(event, "high");
    case Rule::kLow:
      return Ordinary(event, "low");
    case Rule::kCheckReading:
      return fmt::format("{} is implausible: check the reading and repeat it.", Subject(event));
    case Rule::kSpike:
    case Rule::kShift:
    case Rule::kDrift:
      return Detected(event, from);
    case Rule::kSilence:
      return fmt::format("No {} has come for {} hours.", ToString(event.vital),
                         event.window_s / 3600);
    case Rule::kOperations:
      return fmt::format("{} is critical, and no rule may judge it.", Subject(event));
    case Rule::kTooMany:
      return "More alerts came today than are told one by one; they are listed, not told.";
    case Rule::kNews2:
      return {};  // says it itself
  }
  return {};
}

}  // namespace

std::string ValueText(Vital vital, std::optional<double> value, std::optional<double> diastolic) {
  if (!value && !diastolic) return {};
  const std::string_view unit = kUnits[static_cast<size_t>(vital)];
  if (vital != Vital::kBloodPressure) {
    return fmt::format("{}{}{}", Number(*value), unit.empty() ? "" : " ", unit);
  }
  return fmt::format("{}/{} {}", value ? Number(*value) : "-", diastolic ? Number(*diastolic) : "-",
                     unit);
}

std::string Joined(std::string first, std::string_view second) {
  if (!first.empty() && !second.empty()) first += ' ';
  return first += second;
}

std::string Explain(const AlertEvent& event, const Explained& from) {
  std::string text = Statement(event, from);
  const bool on = event.state != AlertState::kClosed && event.state != AlertState::kWithdrawn;
  if (!on) return text;
  if (from.episode != nullptr && from.episode->age_unknown) text += " Age unknown.";
  if (from.confirm_with_cuff) text += " Confirm with a cuff.";
  if (event.late_by) {
    text += fmt::format(" The reading came {} minutes late.", *event.late_by / 60'000'000);
  }
  return text;
}

}  // namespace vitalake::monitor
