#include "features/metadata.h"

#include <gtest/gtest.h>

#include "earmark/error.h"

namespace earmark {
namespace {

std::vector<MetadataColumn> place_and_hour() {
  std::vector<MetadataColumn> columns(3);
  columns[0].name = "latitude";
  columns[0].scale = MetadataScale::kCentred;
  columns[1].name = "hour";
  columns[1].scale = MetadataScale::kCyclic;
  columns[1].period = 24.0;
  columns[2].name = "level";
  return columns;
}

TEST(Metadata, ScalesAreMeasuredOnTheTrainingClips) {
  std::vector<MetadataColumn> columns = place_and_hour();
  measure_metadata(columns, std::vector<std::vector<double>>{{40.0, 41.0, 42.5}, {6.0, 18.0}, {-30.0}});
  // The mean is 41.1667, the furthest value 1.3333 away.
  const Metadata known{{"latitude", 42.5}, {"hour", 18.0}, {"level", -12.0}};
  const std::vector<float> scaled = scaled_metadata(columns, known);
  EXPECT_NEAR(scaled[0], 1.0, 1e-6);
  EXPECT_NEAR(scaled[1], 0.5, 1e-6);  // three quarters of a turn
  EXPECT_EQ(scaled[2], -12.0f);
}

TEST(Metadata, WhatIsNotKnownHasTheMean) {
  std::vector<MetadataColumn> columns = place_and_hour();
  measure_metadata(columns, std::vector<std::vector<double>>{{40.0, 42.0}, {6.0, 18.0}, {-30.0, -20.0}});
  const std::vector<float> scaled = scaled_metadata(columns, {});
  EXPECT_EQ(scaled, (std::vector<float>{0.0f, 0.0f, -25.0f}));
}

TEST(Metadata, OnePlaceAloneIsTheCentre) {
  std::vector<MetadataColumn> columns{place_and_hour()[0]};
  measure_metadata(columns, std::vector<std::vector<double>>{{40.0, 40.0}});
  EXPECT_EQ(scaled_metadata(columns, {{"latitude", 40.0}}), std::vector<float>{0.0f});
}

TEST(Metadata, ColumnsWithoutAnyValueAreNamed) {
  std::vector<MetadataColumn> columns = place_and_hour();
  try {
    measure_metadata(columns, std::vector<std::vector<double>>{{}, {1.0}, {}});
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.problems().size(), 2u);
  }
}

}  // namespace
}  // namespace earmark
