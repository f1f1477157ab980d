// The reference networks of Cochlear.ai as a user runs them: weights in, scores out.
#include <gtest/gtest.h>

#include <cmath>

#include "../models/formula_weights.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "golden_path.h"
#include "program.h"

namespace earmark::testing {
namespace {

constexpr double kTolerance = 1e-4;

double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b) {
  const Tensor left = read_npy(a), right = read_npy(b);
  EXPECT_EQ(left.shape, right.shape);
  const std::vector<float> x = left.floats(), y = right.floats();
  double largest = 0.0;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i)
    largest = std::max(largest, static_cast<double>(std::fabs(x[i] - y[i])));
  return largest;
}

void expect_scores(const std::string& bundle, const std::filesystem::path& input,
                   const std::filesystem::path& expected, const std::vector<std::string>& flags = {}) {
  const Scratch scratch;
  const std::string output = (scratch / "scores.npy").string();
  std::vector<std::string> arguments{"model",      "forward",      "--model",  bundle,
                                     "--features", input.string(), "--output", output};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Ran ran = run_program(arguments);
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_LT(largest_difference(output, expected), kTolerance) << input << (flags.empty() ? "" : flags[0]);
}

void import(const std::string& kind, const std::filesystem::path& weights, const std::string& bundle,
            const std::vector<std::string>& flags = {}) {
  std::vector<std::string> arguments{"model",          "import",   "--kind", kind,         "--state-dict",
                                     weights.string(), "--output", bundle,   "--overwrite"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Ran ran = run_program(arguments);
  ASSERT_EQ(ran.status, 0) << ran.err;
}

TEST(ModelForward, GoldenScoresOfTheLogmelDensenet) {
  if (!EARMARK_WITH_TORCH) GTEST_SKIP() << "built without libtorch";
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "cochlear";
  const Scratch scratch;
  const std::string bundle = (scratch / "logmel.earmark").string();
  // The reference's weights are halves, so that a bundle of half precision says as much as one of floats.
  for (const std::string precision : {"float16", "float32"}) {
    import("single_block_densenet", folder / "logmel_weights.npz", bundle, {"--precision", precision});
    for (const std::string size : {"N64000", "N97003"})
      expect_scores(bundle, folder / ("logmel_input_" + size + ".npy"),
                    folder / ("logmel_output_" + size + ".npy"));
    expect_scores(bundle, folder / "batch2_input.npy", folder / "batch2_output_per_clip_max.npy");
  }
  import("single_block_densenet", folder / "logmel_weights.npz", bundle,
         {"--set", "model.db_reference=batch"});
  expect_scores(bundle, folder / "batch2_input.npy", folder / "batch2_output_batch_max.npy", {"--together"});
  expect_scores(bundle, folder / "batch2_input.npy", folder / "batch2_output_per_clip_max.npy");
}

TEST(ModelForward, GoldenScoresOfTheWaveDensenet) {
  if (!EARMARK_WITH_TORCH) GTEST_SKIP() << "built without libtorch";
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "cochlear";
  const Scratch scratch;
  SafeTensors state;
  const Value shapes = parse_json(read_text(folder / "wave_param_shapes.json"), "shapes");
  for (const auto& [name, shape] : shapes.as_map()) {
    std::vector<std::int64_t> sizes;
    for (const Value& size : shape.as_list()) sizes.push_back(size.as_integer());
    state.tensors.emplace(name, keras_formula_tensor(name, sizes));
  }
  write_safetensors(scratch / "wave.safetensors", state);
  const std::string bundle = (scratch / "wave.earmark").string();
  import("single_block_densenet", scratch / "wave.safetensors", bundle);
  for (const std::string size : {"N64000", "N70001"})
    expect_scores(bundle, folder / ("wave_input_" + size + ".npy"),
                  folder / ("wave_output_" + size + ".npy"));
}

}  // namespace
}  // namespace earmark::testing
