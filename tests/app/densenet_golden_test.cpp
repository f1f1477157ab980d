// The reference networks of Cochlear.ai as a user runs them: weights in, scores out.
#include <gtest/gtest.h>

#include <cmath>

#include "../models/formula_weights.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "golden_bundle.h"
#include "golden_path.h"
#include "program.h"

namespace earmark::testing {
namespace {

constexpr double kDenseScoreTolerance = 1e-4;

TEST(ModelForward, GoldenScoresOfTheLogmelDensenet) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "cochlear";
  const Scratch scratch;
  const std::string bundle = (scratch / "logmel.earmark").string();
  // The reference's weights are halves, so that a bundle of half precision says as much as one of floats.
  for (const std::string precision : {"float16", "float32"}) {
    import_bundle("single_block_densenet", folder / "logmel_weights.npz", bundle, {"--precision", precision});
    for (const std::string size : {"N64000", "N97003"})
      expect_scores(bundle, folder / ("logmel_input_" + size + ".npy"),
                    folder / ("logmel_output_" + size + ".npy"), kDenseScoreTolerance);
    expect_scores(bundle, folder / "batch2_input.npy", folder / "batch2_output_per_clip_max.npy",
                  kDenseScoreTolerance);
  }
  import_bundle("single_block_densenet", folder / "logmel_weights.npz", bundle,
                {"--set", "model.db_reference=batch"});
  expect_scores(bundle, folder / "batch2_input.npy", folder / "batch2_output_batch_max.npy",
                kDenseScoreTolerance, {"--together"});
  expect_scores(bundle, folder / "batch2_input.npy", folder / "batch2_output_per_clip_max.npy",
                kDenseScoreTolerance);
}

TEST(ModelForward, GoldenScoresOfTheWaveDensenet) {
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
  import_bundle("single_block_densenet", scratch / "wave.safetensors", bundle);
  for (const std::string size : {"N64000", "N70001"})
    expect_scores(bundle, folder / ("wave_input_" + size + ".npy"), folder / ("wave_output_" + size + ".npy"),
                  kDenseScoreTolerance);
}

}  // namespace
}  // namespace earmark::testing
