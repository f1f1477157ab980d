// golden_path.h: where tests find reference data. Sets outside the repository are named by the
// environment: EARMARK_GOLDEN (reference arrays) and EARMARK_DATA (real recordings). When the variable
// is unset the test reports itself as skipped; when it is set, a missing file is a failure.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace earmark::testing {

inline std::filesystem::path from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? std::filesystem::path(value) : std::filesystem::path();
}

inline std::filesystem::path repository() { return EARMARK_SOURCE_DIR; }

}  // namespace earmark::testing

/// Declares `path variable`, the folder that an environment variable names, or skips the test.
#define EARMARK_NEEDS(variable, environment)                                                \
  const std::filesystem::path variable = ::earmark::testing::from_environment(environment); \
  if (variable.empty()) GTEST_SKIP() << environment " is not set"
