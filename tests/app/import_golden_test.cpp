// Checkpoints of the published street-scene networks as a user brings them: a .pt file in, the reference's
// scores out.
#include <gtest/gtest.h>

#include <cmath>

#include "core/file.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "golden_bundle.h"
#include "golden_path.h"
#include "models/formula_weights.h"
#include "program.h"

namespace earmark::testing {
namespace {

constexpr double kProbabilityTolerance = 1e-5;  // the reference's README

// The reference's input is [batch, time, mel] or has one channel before time; ours [batch, channel, mel,
// time].
std::string as_our_features(const std::filesystem::path& input, const std::filesystem::path& output) {
  const Tensor given = read_npy(input);
  const std::vector<float> x = given.floats();
  const std::size_t rank = given.shape.size();
  const auto batch = given.shape.at(0), frames = given.shape.at(rank - 2), mels = given.shape.at(rank - 1);
  std::vector<float> y(x.size());
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t t = 0; t < frames; ++t) {
      for (std::int64_t m = 0; m < mels; ++m)
        y[static_cast<std::size_t>((b * mels + m) * frames + t)] =
            x[static_cast<std::size_t>((b * frames + t) * mels + m)];
    }
  }
  write_npy(output, Tensor::from_floats(y, {batch, 1, mels, frames}));
  return output.string();
}

Value options_of_first_network(const std::string& bundle) {
  const Ran ran = run_program({"model", "info", bundle, "--json"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  return parse_json(ran.out, "info").at("networks").as_list().at(0).at("options");
}

TEST(ModelImport, GoldenScoresOfTheTalnetCheckpoint) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "multitel/talnet_small";
  const Scratch scratch;
  const std::string bundle = (scratch / "talnet.earmark").string();
  import_bundle("talnet", folder / "state_dict.pt", bundle);
  const std::string features = as_our_features(folder / "input.npy", scratch / "features.npy");
  for (const std::string engine : {"plain", "auto"})
    expect_scores(bundle, features, folder / "clip_prob.npy", kProbabilityTolerance, {"--engine", engine});
}

TEST(ModelImport, GoldenScoresOfTheSystem1CheckpointWithTheLayoutItWasTrainedWith) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "multitel/system1_small";
  const Scratch scratch;
  const std::string bundle = (scratch / "system1.earmark").string();
  import_bundle("urbannet_system1", folder / "state_dict.pt", bundle, {"--set", "model.heads=2"});
  EXPECT_EQ(options_of_first_network(bundle).at("time2vec_layout").as_string(), "reference");
  const std::string features = as_our_features(folder / "input.npy", scratch / "features.npy");
  for (const std::string engine : {"plain", "auto"}) {
    for (const std::string range : {"", "_unit"}) {
      const std::string suffix = range.empty() ? "" : "_metadata_unit";
      expect_scores(bundle, features, folder / ("clip_prob" + suffix + ".npy"), kProbabilityTolerance,
                    {"--metadata", (folder / ("metadata" + range + ".npy")).string(), "--engine", engine});
    }
  }
}

TEST(ModelImport, GoldenScoresOfTheConcatenatingCnnVggish) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "microsoft";
  const Scratch scratch;
  const std::string bundle = (scratch / "concat.earmark").string();
  import_bundle("cnn_vggish", folder / "concat37_state_dict.pt", bundle);
  const Tensor logits = read_npy(folder / "concat37_logits.npy");
  std::vector<float> probabilities = logits.floats();
  for (float& x : probabilities) x = static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(x))));
  write_npy(scratch / "expected.npy", Tensor::from_floats(probabilities, logits.shape));
  for (const std::string engine : {"plain", "auto"})
    expect_scores(bundle, folder / "model_input_spec.npy", scratch / "expected.npy", kProbabilityTolerance,
                  {"--embeddings", (folder / "model_input_vggish.npy").string(), "--engine", engine});
}

// A VGGish's state by the formula. @param thin channels and hidden units of the layers divided by it.
void write_vggish(const std::filesystem::path& shapes_file, const std::filesystem::path& path,
                  std::int64_t thin) {
  SafeTensors state;
  const auto shapes = nlohmann::json::parse(read_text(shapes_file));
  for (const auto& [name, given] : shapes.items()) {
    auto shape = given.get<std::vector<std::int64_t>>();
    for (std::size_t i = 0; i < std::min<std::size_t>(shape.size(), 2); ++i) {
      const bool embedding = name.starts_with("embeddings.4.") && i == 0;
      if (shape[i] > 1 && !embedding) shape[i] /= thin;
    }
    state.tensors.emplace(name, vggish_formula_tensor(name, shape));
  }
  write_safetensors(path, state);
}

TEST(ModelImport, GoldenEmbeddingsOfVggish) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "microsoft";
  const Scratch scratch;
  write_vggish(folder / "vggish_net_shapes.json", scratch / "vggish.safetensors", 1);
  const std::string bundle = (scratch / "vggish.earmark").string();
  import_bundle("vggish", scratch / "vggish.safetensors", bundle);
  const std::string features = as_our_features(folder / "vggish_net_input.npy", scratch / "features.npy");
  float largest = 0.0f;
  for (const float x : read_npy(folder / "vggish_net_output.npy").floats())
    largest = std::max(largest, std::fabs(x));
  expect_scores(bundle, features, folder / "vggish_net_output.npy", 1e-4 * static_cast<double>(largest));
}

// The embedder that the published CNN+VGGish hears: with its principal components, made bytes.
TEST(ModelImport, ACnnIsTrainedWithAnImportedVggish) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "microsoft";
  const Scratch scratch;
  write_vggish(folder / "vggish_net_shapes.json", scratch / "vggish.safetensors", 16);
  const TensorMap pca = read_npz(folder / "vggish_postprocess.npz");
  SafeTensors components;
  components.tensors = {{"pca_eigen_vectors", pca.at("pca_eigen_vectors")},
                        {"pca_means", pca.at("pca_means")}};
  write_safetensors(scratch / "pca.safetensors", components);
  const std::string bundle = (scratch / "pca.earmark").string();
  import_bundle("vggish", scratch / "vggish.safetensors", bundle,
                {"--state-dict", (scratch / "pca.safetensors").string(), "--set", "model.quantise=truncate"});
  EXPECT_TRUE(options_of_first_network(bundle).at("pca").as_bool());

  const Ran tagged = run_program({"tag", "--model", bundle, (folder / "signal_44k1.wav").string()});
  EXPECT_EQ(tagged.status, 2) << tagged.out;
  EXPECT_NE(tagged.err.find("is an embedder, which gives no tags"), std::string::npos) << tagged.err;

  const std::string street = (scratch / "street").string(), run = (scratch / "run").string();
  ASSERT_EQ(
      run_program({"data", "simulate", "--layout", "sonyc_ust", "--n-scenes", "12", "--out", street}).status,
      0);
  const Ran trained = run_program({"train",       "sonyc_ust/microsoft_cnn_vggish_small",
                                   "--data-root", street,
                                   "--out",       run,
                                   "--set",       "stages=[]",
                                   "--set",       "embedder={bundle: " + bundle + "}",
                                   "--set",       "model.n_embedding=1280",
                                   "--set",       "train.iterations=1",
                                   "--set",       "train.batch_size=2",
                                   "--set",       "augment=[]",
                                   "--threads",   "1"});
  EXPECT_EQ(trained.status, 0) << trained.err;
}

TEST(ModelImport, WeightsThatAreNotFiniteAreRefusedByName) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  SafeTensors state;
  state.tensors = read_npz(golden / "multitel/talnet_small/state_dict.npz");
  Tensor& bias = state.tensors.at("fc_prob.bias");
  std::vector<float> values = bias.floats();
  values[3] = std::nanf("");
  bias = Tensor::from_floats(values, bias.shape);
  const Scratch scratch;
  write_safetensors(scratch / "nan.safetensors", state);
  const Ran ran =
      run_program({"model", "import", "--kind", "talnet", "--state-dict",
                   (scratch / "nan.safetensors").string(), "--output", (scratch / "nan.earmark").string()});
  EXPECT_NE(ran.status, 0);
  EXPECT_NE(ran.err.find("fc_prob.bias: holds values that are not finite"), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(scratch / "nan.earmark"));
}

TEST(ModelImport, ATensorOfAnotherShapeIsRefusedByItsName) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  SafeTensors state;
  state.tensors = read_npz(golden / "multitel/talnet_small/state_dict.npz");
  std::string wrong;
  for (auto& [name, tensor] : state.tensors) {
    if (wrong.empty() && name.ends_with("running_mean")) {
      wrong = name;
      tensor = Tensor::from_floats(std::vector<float>(3, 0.0f), {3});
    }
  }
  ASSERT_FALSE(wrong.empty());
  const Scratch scratch;
  write_safetensors(scratch / "wrong.safetensors", state);
  const Ran ran = run_program({"model", "import", "--kind", "talnet", "--state-dict",
                               (scratch / "wrong.safetensors").string(), "--output",
                               (scratch / "wrong.earmark").string()});
  EXPECT_NE(ran.status, 0);
  EXPECT_NE(ran.err.find("[3]"), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(scratch / "wrong.earmark"));
}

}  // namespace
}  // namespace earmark::testing
