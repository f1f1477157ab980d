#include <gtest/gtest.h>

#include <limits>

#include "earmark/error.h"
#include "tagger/recording.h"

namespace earmark {
namespace {

TEST(UnfitSamples, WhatOverflowsIsNotCalledTooShort) {
  const Error error(ErrorCode::kBadAudio, "why");
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (const float sample : {nan, infinity, -infinity, 1e38f, -1e38f}) {
    const Failure failure = unfit_samples(error, Waveform{8000, 1, {0.0f, sample}});
    EXPECT_EQ(failure.reason, "non_finite") << sample;
    EXPECT_EQ(failure.detail, "the samples are too large to compute with: why");
  }
  for (const Waveform& wave : {Waveform{8000, 1, {}}, Waveform{8000, 1, {1.0f, -1.0f}}}) {
    EXPECT_EQ(unfit_samples(error, wave).reason, "too_short");
    EXPECT_EQ(unfit_samples(error, wave).detail, "why");
  }
}

}  // namespace
}  // namespace earmark
