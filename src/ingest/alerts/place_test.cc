#include "ingest/alerts/place.h"

#include <gtest/gtest.h>

namespace vitalake::ingest {
namespace {

TEST(AlertPlaceTest, NamesTheNewestEpochOfEachPartition) {
  const AlertPositions positions = {{"s/t/0/0", 4}, {"s/t/0/1", 2}, {"s/t/1/0", 7}};
  EXPECT_EQ(NewestEpochs(positions), (AlertPositions{{"s/t/0/1", 2}, {"s/t/1/0", 7}}));
  EXPECT_EQ(WithOlderEpochs(NewestEpochs(positions), positions), positions);
  const std::string text = FormatAlertPlace(positions);
  EXPECT_EQ(ParseAlertPlace(text, positions), positions);
}

TEST(AlertPlaceTest, WhatCameSinceIsBehindIt) {
  const AlertPositions then = {{"s/t/0/0", 4}};
  const std::string text = FormatAlertPlace(then);
  // More in its epoch, a next one, another partition.
  const AlertPositions now = {{"s/t/0/0", 6}, {"s/t/0/1", 3}, {"s/t/1/0", 1}};
  EXPECT_EQ(ParseAlertPlace(text, now),
            (AlertPositions{{"s/t/0/0", 4}, {"s/t/0/1", 0}, {"s/t/1/0", 0}}));
  // All of an epoch that was over then.
  const AlertPositions later = {{"s/t/0/0", 6}, {"s/t/0/1", 3}};
  EXPECT_EQ(ParseAlertPlace(FormatAlertPlace({{"s/t/0/1", 1}}), later),
            (AlertPositions{{"s/t/0/0", 6}, {"s/t/0/1", 1}}));
}

TEST(AlertPlaceTest, NothingWasThereYet) {
  EXPECT_EQ(FormatAlertPlace({}), "-");
  EXPECT_EQ(ParseAlertPlace("-", {{"s/t/0/0", 2}}), (AlertPositions{{"s/t/0/0", 0}}));
}

TEST(AlertPlaceTest, PlacesOfAnotherLakeAreNone) {
  const AlertPositions known = {{"s/t/0/0", 2}};
  EXPECT_EQ(ParseAlertPlace(FormatAlertPlace({{"s/t/0/0", 3}}), known).error().kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(ParseAlertPlace(FormatAlertPlace({{"other/t/0/0", 1}}), known).error().kind,
            ErrorKind::kNotFound);
  for (const char* const text : {"", "x", "0.0", "00000000.0", "00000000.0.x", "00000000.-1.2"}) {
    EXPECT_EQ(ParseAlertPlace(text, known).error().kind, ErrorKind::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace vitalake::ingest
