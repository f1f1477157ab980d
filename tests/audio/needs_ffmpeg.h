// needs_ffmpeg.h: for tests of what ffmpeg decodes. Without the program they are skipped on a newcomer's
// machine and fail in CI, which installs it.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>

#define NEEDS_FFMPEG()                                                                                 \
  if (std::system("ffmpeg -version > /dev/null 2>&1") != 0) {                                          \
    if (std::getenv("CI") != nullptr) FAIL() << "there is no ffmpeg on this machine, and CI needs it"; \
    GTEST_SKIP() << "there is no ffmpeg on this machine";                                              \
  }                                                                                                    \
  static_assert(true, "")
