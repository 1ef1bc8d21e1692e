#include "clinical/news2.h"

#include <gtest/gtest.h>

namespace vitalake::clinical {
namespace {

struct Case {
  double value;
  int points;
};

// Both sides of every step of the chart.
TEST(News2Test, PointsOfEachParameter) {
  for (const Case c : {Case{8, 3},
                       {8.4, 3},
                       {8.5, 1},
                       {9, 1},
                       {11, 1},
                       {12, 0},
                       {20, 0},
                       {21, 2},
                       {24, 2},
                       {25, 3}}) {
    EXPECT_EQ(RespiratoryPoints(c.value), c.points) << c.value;
  }
  for (const Case c : {Case{40, 3},
                       {41, 1},
                       {50, 1},
                       {51, 0},
                       {90, 0},
                       {91, 1},
                       {110, 1},
                       {111, 2},
                       {130, 2},
                       {130.4, 2},
                       {130.5, 3},
                       {131, 3}}) {
    EXPECT_EQ(PulsePoints(c.value), c.points) << c.value;
  }
  for (const Case c :
       {Case{90, 3}, {91, 2}, {100, 2}, {101, 1}, {110, 1}, {111, 0}, {219, 0}, {220, 3}}) {
    EXPECT_EQ(SystolicPoints(c.value), c.points) << c.value;
  }
  for (const Case c : {Case{35.0, 3},
                       {35.04, 3},
                       {35.05, 1},
                       {35.1, 1},
                       {36.0, 1},
                       {36.1, 0},
                       {38.0, 0},
                       {38.1, 1},
                       {39.0, 1},
                       {39.1, 2}}) {
    EXPECT_EQ(TemperaturePoints(c.value), c.points) << c.value;
  }
}

TEST(News2Test, SaturationByScale) {
  for (const Case c : {Case{91, 3}, {92, 2}, {93, 2}, {94, 1}, {95, 1}, {96, 0}, {100, 0}}) {
    EXPECT_EQ(SaturationPoints(c.value, OxygenScale::kOne, std::nullopt), c.points) << c.value;
  }
  for (const Case c : {Case{83, 3},
                       {84, 2},
                       {85, 2},
                       {86, 1},
                       {87, 1},
                       {88, 0},
                       {92, 0},
                       {93, 1},
                       {94, 1},
                       {95, 2},
                       {96, 2},
                       {97, 3}}) {
    EXPECT_EQ(SaturationPoints(c.value, OxygenScale::kTwo, true), c.points) << c.value;
    EXPECT_EQ(SaturationPoints(c.value, OxygenScale::kTwo, false), c.value <= 92 ? c.points : 0);
  }
  EXPECT_EQ(SaturationPoints(93, OxygenScale::kTwo, std::nullopt), std::nullopt);
}

News2Input Well() {
  News2Input input;
  input.respiratory_rate = 16;
  input.oxygen_saturation = 97;
  input.on_oxygen = false;
  input.systolic = 120;
  input.pulse = 70;
  input.alert = true;
  input.temperature = 37;
  return input;
}

TEST(News2Test, TotalsAndResponses) {
  News2Input input = Well();
  EXPECT_EQ(ScoreNews2(input).total, 0);
  EXPECT_EQ(ScoreNews2(input).response, News2Response::kRoutine);
  input.on_oxygen = true;
  input.pulse = 115;
  EXPECT_EQ(ScoreNews2(input).total, 4);
  EXPECT_EQ(ScoreNews2(input).response, News2Response::kRoutine);
  input.temperature = 38.5;
  EXPECT_EQ(ScoreNews2(input).response, News2Response::kUrgent) << 5;
  input.temperature = 39.5;
  EXPECT_EQ(ScoreNews2(input).response, News2Response::kUrgent) << 6;
  input.respiratory_rate = 10;
  EXPECT_EQ(ScoreNews2(input).response, News2Response::kEmergency) << 7;
  input = Well();
  input.alert = false;
  EXPECT_EQ(ScoreNews2(input).total, 3);
  EXPECT_EQ(ScoreNews2(input).response, News2Response::kWardReview);
}

// What is absent is not normal: no low-risk answer without all seven.
TEST(News2Test, AbsentInputsAreNotZero) {
  News2Input input = Well();
  input.temperature.reset();
  News2 score = ScoreNews2(input);
  EXPECT_FALSE(score.complete);
  EXPECT_EQ(score.parameters, 6);
  EXPECT_EQ(score.response, News2Response::kIncomplete);
  input.systolic = 85;
  EXPECT_EQ(ScoreNews2(input).response, News2Response::kWardReview);
  input = Well();
  input.scale = OxygenScale::kTwo;
  input.on_oxygen.reset();
  score = ScoreNews2(input);
  EXPECT_EQ(score.parameters, 5) << "97 % on scale 2 needs to know about oxygen";
  EXPECT_EQ(ScoreNews2({}).response, News2Response::kIncomplete);
}

}  // namespace
}  // namespace vitalake::clinical
