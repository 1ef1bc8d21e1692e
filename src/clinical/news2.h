// NEWS2, the National Early Warning Score.
// Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017.
//
// For acute care in hospital; not under 16 years, not in pregnancy, not after spinal cord injury.
// The caller keeps the age of each input and gives none that is stale.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vitalake::clinical {

enum class OxygenScale : uint8_t {
  kOne,
  kTwo,  // hypercapnic respiratory failure; only by order
};

// Absent inputs are not scored; they never count as normal.
struct News2Input {
  std::optional<double> respiratory_rate;   // per minute
  std::optional<double> oxygen_saturation;  // %
  std::optional<bool> on_oxygen;
  std::optional<double> systolic;     // mmHg
  std::optional<double> pulse;        // per minute
  std::optional<bool> alert;          // false: new confusion, voice, pain or unresponsive
  std::optional<double> temperature;  // degrees Celsius
  OxygenScale scale = OxygenScale::kOne;
};

enum class News2Response : uint8_t {
  kIncomplete,  // too little is known for any of the others
  kRoutine,     // complete, 0 to 4, no single 3
  kWardReview,  // a single 3: urgent ward-based review
  kUrgent,      // 5 or 6
  kEmergency,   // 7 or more
};

struct News2 {
  int total = 0;          // of what is there: "at least" when not complete
  int parameters = 0;     // how many of the 7 were scored
  bool complete = false;  // all 7
  bool single_three = false;
  News2Response response = News2Response::kIncomplete;
};

// Points of single parameters. Values are rounded half up to the chart's precision first.
int RespiratoryPoints(double per_minute);
int PulsePoints(double per_minute);
int SystolicPoints(double mmhg);
int TemperaturePoints(double celsius);
// Scale 2 needs to know whether oxygen is in use from 93 % up; nullopt then when unknown.
std::optional<int> SaturationPoints(double percent, OxygenScale scale,
                                    std::optional<bool> on_oxygen);

News2 ScoreNews2(const News2Input& input);

// "incomplete", "routine", "ward-review", "urgent", "emergency".
std::string_view ToString(News2Response response);

// Whether a level of consciousness says "alert": LOINC's answer LA9340-6, SNOMED CT's 248234008,
// ACVPU's letter, or the word itself.
bool IsAlertLevel(std::string_view answer);

// Whether oxygen is given, by an inhaled flow (3151-8, L/min) or an inhaled concentration (3150-6,
// %; more than room air's 21 % as it is rounded).
bool IsOnOxygenFlow(double litres_per_minute);
bool IsOnOxygenShare(double percent);

}  // namespace vitalake::clinical
