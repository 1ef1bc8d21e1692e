#include "clinical/news2.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <span>
#include <utility>

namespace vitalake::clinical {
namespace {

// Points for values up to and including `up_to`; the last band has no end.
struct Band {
  double up_to;
  int points;
};
constexpr double kNoEnd = 1e300;
constexpr Band kRespiratory[] = {{8, 3}, {11, 1}, {20, 0}, {24, 2}, {kNoEnd, 3}};
constexpr Band kSaturationOne[] = {{91, 3}, {93, 2}, {95, 1}, {kNoEnd, 0}};
constexpr Band kSaturationTwo[] = {{83, 3}, {85, 2}, {87, 1}, {92, 0}};
constexpr Band kSaturationTwoOnOxygen[] = {{94, 1}, {96, 2}, {kNoEnd, 3}};
constexpr Band kSystolic[] = {{90, 3}, {100, 2}, {110, 1}, {219, 0}, {kNoEnd, 3}};
constexpr Band kPulse[] = {{40, 3}, {50, 1}, {90, 0}, {110, 1}, {130, 2}, {kNoEnd, 3}};
// In tenths of a degree.
constexpr Band kTemperature[] = {{350, 3}, {360, 1}, {380, 0}, {390, 1}, {kNoEnd, 2}};

constexpr int kParameters = 7;

constexpr double kRoomAir = 21.5;  // % oxygen

constexpr std::string_view kAlertLevels[] = {"LA9340-6", "248234008", "A", "alert",
                                             "mentally alert"};

double RoundHalfUp(double value) { return std::floor(value + 0.5); }

int Points(std::span<const Band> bands, double value) {
  for (const Band& band : bands) {
    if (value <= band.up_to) return band.points;
  }
  return 0;
}

void Count(News2& score, std::optional<int> points) {
  if (!points) return;
  ++score.parameters;
  score.total += *points;
  score.single_three |= *points == 3;
}

News2Response ResponseTo(const News2& score) {
  if (score.total >= 7) return News2Response::kEmergency;
  if (score.total >= 5) return News2Response::kUrgent;
  if (score.single_three) return News2Response::kWardReview;
  return score.complete ? News2Response::kRoutine : News2Response::kIncomplete;
}

bool SameWord(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

template <class Score, class Value>
std::optional<int> If(const std::optional<Value>& value, Score score) {
  if (!value) return std::nullopt;
  return score(*value);
}

}  // namespace

int RespiratoryPoints(double per_minute) { return Points(kRespiratory, RoundHalfUp(per_minute)); }
int PulsePoints(double per_minute) { return Points(kPulse, RoundHalfUp(per_minute)); }
int SystolicPoints(double mmhg) { return Points(kSystolic, RoundHalfUp(mmhg)); }

int TemperaturePoints(double celsius) {
  // A text such as 35.05 is a little less than half a step as a double: lift it over.
  return Points(kTemperature, RoundHalfUp(celsius * 10 + 1e-9));
}

std::optional<int> SaturationPoints(double percent, OxygenScale scale,
                                    std::optional<bool> on_oxygen) {
  const double value = RoundHalfUp(percent);
  if (scale == OxygenScale::kOne) return Points(kSaturationOne, value);
  if (value <= 92) return Points(kSaturationTwo, value);
  if (!on_oxygen) return std::nullopt;
  return *on_oxygen ? Points(kSaturationTwoOnOxygen, value) : 0;
}

News2 ScoreNews2(const News2Input& input) {
  News2 score;
  Count(score, If(input.respiratory_rate, RespiratoryPoints));
  if (input.oxygen_saturation) {
    Count(score, SaturationPoints(*input.oxygen_saturation, input.scale, input.on_oxygen));
  }
  Count(score, If(input.on_oxygen, [](bool on) { return on ? 2 : 0; }));
  Count(score, If(input.systolic, SystolicPoints));
  Count(score, If(input.pulse, PulsePoints));
  Count(score, If(input.alert, [](bool alert) { return alert ? 0 : 3; }));
  Count(score, If(input.temperature, TemperaturePoints));
  score.complete = score.parameters == kParameters;
  score.response = ResponseTo(score);
  return score;
}

std::string_view ToString(News2Response response) {
  constexpr std::string_view kNames[] = {"incomplete", "routine", "ward-review", "urgent",
                                         "emergency"};
  return kNames[static_cast<size_t>(std::to_underlying(response))];
}

bool IsAlertLevel(std::string_view answer) {
  return std::ranges::any_of(kAlertLevels,
                             [&](std::string_view level) { return SameWord(answer, level); });
}

bool IsOnOxygenFlow(double litres_per_minute) { return litres_per_minute > 0; }
bool IsOnOxygenShare(double percent) { return percent > kRoomAir; }

}  // namespace vitalake::clinical
