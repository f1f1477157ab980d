// golden_bundle.h: reference networks as a user runs them: weights in, scores out.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/tensor_io.h"
#include "program.h"

namespace earmark::testing {

inline double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b) {
  const Tensor left = read_npy(a), right = read_npy(b);
  EXPECT_EQ(left.shape, right.shape);
  const std::vector<float> x = left.floats(), y = right.floats();
  double largest = 0.0;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i)
    largest = std::max(largest, static_cast<double>(std::fabs(x[i] - y[i])));
  return largest;
}

inline void expect_scores(const std::string& bundle, const std::filesystem::path& input,
                          const std::filesystem::path& expected, double tolerance,
                          const std::vector<std::string>& flags = {}) {
  const Scratch scratch;
  const std::string output = (scratch / "scores.npy").string();
  std::vector<std::string> arguments{"model",      "forward",      "--model",  bundle,
                                     "--features", input.string(), "--output", output};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Ran ran = run_program(arguments);
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_LT(largest_difference(output, expected), tolerance) << input << (flags.empty() ? "" : flags[0]);
}

inline void import_bundle(const std::string& kind, const std::filesystem::path& weights,
                          const std::string& bundle, const std::vector<std::string>& flags = {}) {
  std::vector<std::string> arguments{"model",          "import",   "--kind", kind,         "--state-dict",
                                     weights.string(), "--output", bundle,   "--overwrite"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Ran ran = run_program(arguments);
  ASSERT_EQ(ran.status, 0) << ran.err;
}

}  // namespace earmark::testing
