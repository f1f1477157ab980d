#include "models/cnn_vggish.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/torch_pickle.h"
#include "formula_weights.h"
#include "golden_path.h"
#include "gradient_check.h"
#include "models/vggish.h"
#include "reference_network.h"

namespace earmark {
namespace {

using namespace earmark::testing;

constexpr double kRelative = 1e-4;  // of the largest logit or embedding

void expect_close(const torch::Tensor& got, const torch::Tensor& expected) {
  EXPECT_LT(largest_difference(got, expected), kRelative * expected.abs().max().item<double>());
}

TEST(CnnVggish, HasThePublishedParameterCounts) {
  CnnVggishOptions options;
  options.combine = Combine::kConcat;
  EXPECT_EQ(n_parameters(CnnVggish(options)), 2531477);
  options.combine = Combine::kBilinear;
  EXPECT_EQ(n_parameters(CnnVggish(options)), 169517205);
  options.n_tags = 8;
  EXPECT_EQ(n_parameters(CnnVggish(options)), 169509752);
  options.n_tags = 5;
  EXPECT_EQ(n_parameters(CnnVggish(options)), 169508981);
}

// The published network, its weights by the formula, and the light one, whose weights are stored.
struct CnnVggishReference {
  std::string name, embedding;
  TensorMap state(const std::filesystem::path& folder) const {
    return name == "concat37" ? read_torch_state(folder / "concat37_state_dict.pt").tensors
                              : formula_state(folder / "reference37_layout.json");
  }
};
const std::vector<CnnVggishReference> kCnnVggishReferences{{"reference37", "model_input_vggish_unit.npy"},
                                                           {"concat37", "model_input_vggish.npy"}};

TEST(CnnVggish, GoldenLogits) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "microsoft";
  for (const CnnVggishReference& reference : kCnnVggishReferences) {
    const auto network = imported("cnn_vggish", reference.state(folder));
    expect_close(
        network->forward(
            {torch_npy(folder / "model_input_spec.npy"), {}, {}, torch_npy(folder / reference.embedding)}),
        torch_npy(folder / (reference.name + "_logits.npy")));
  }
}

TEST(CnnVggish, GoldenPartsBetweenInputAndLogits) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "microsoft";
  for (const CnnVggishReference& reference : kCnnVggishReferences) {
    const auto network = imported("cnn_vggish", reference.state(folder));
    TensorMap taps = read_npz(folder / (reference.name + "_taps.npz"));
    const auto expect_tap = [&](const std::string& name, const torch::Tensor& got) {
      SCOPED_TRACE(reference.name + " " + name);
      const auto at = taps.find(name);
      if (at == taps.end()) return;  // the two largest are not stored
      expect_close(got, to_torch(at->second));
      taps.erase(at);
    };
    torch::Tensor h =
        torch_npy(folder / "model_input_spec.npy").contiguous(torch::MemoryFormat::ChannelsLast);
    for (int i = 1; i <= 6; ++i) {
      h = part_of<CnnVggishBlockImpl>(*network, "block" + std::to_string(i)).forward(h);
      expect_tap("conv_block_" + std::to_string(i), h);
    }
    const torch::Tensor embedding = torch_npy(folder / reference.embedding);
    if (reference.name == "concat37") {
      h = part_of<torch::nn::LinearImpl>(*network, "fc1").forward(torch::cat({h.flatten(1), embedding}, 1));
    } else {
      auto& bilinear = part_of<BilinearImpl>(*network, "fc1");
      h = bilinear.forward(h.flatten(1), embedding, bilinear.stand_in(1));
    }
    expect_tap("fc1", h);
    h = part_of<torch::nn::BatchNorm1dImpl>(*network, "norm1").forward(h);
    expect_tap("fc1_bn", h);
    h = part_of<torch::nn::LinearImpl>(*network, "fc2").forward(h.relu());
    expect_tap("fc2", h);
    h = part_of<torch::nn::BatchNorm1dImpl>(*network, "norm2").forward(h);
    expect_tap("fc2_bn", h);
    EXPECT_TRUE(taps.empty()) << reference.name;
  }
}

TEST(CnnVggish, EveryPartHasThePublishedParameterCount) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "microsoft";
  const auto published = nlohmann::json::parse(read_text(folder / "model_info.json"));
  for (const CnnVggishReference& reference : kCnnVggishReferences) {
    const auto network = imported("cnn_vggish", reference.state(folder));
    const auto& info = published.at(reference.name);
    EXPECT_EQ(n_parameters(*network), info.at("params").get<std::int64_t>());
    EXPECT_EQ(sizes_of_parts(*network), sizes_of_parts(info.at("by_module"))) << reference.name;
  }
  // The layout of the light network is that of its stored state.
  const TensorMap stored = read_torch_state(folder / "concat37_state_dict.pt").tensors;
  for (const auto& entry : nlohmann::json::parse(read_text(folder / "concat37_layout.json")))
    EXPECT_EQ(stored.at(entry[0].get<std::string>()).shape, entry[1].get<std::vector<std::int64_t>>())
        << entry[0];
}

// What the weights of full-size networks are made of, held against some that the reference itself made.
TEST(FormulaWeights, AreTheReferences) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "microsoft";
  const TensorMap state = formula_state(folder / "reference37_layout.json");
  for (const auto& [name, expected] : read_npz(folder / "formula_check.npz")) {
    const bool first = name.ends_with(".first8"), last = name.ends_with(".last8");
    const std::vector<float> values =
        state.at(first || last ? name.substr(0, name.rfind('.')) : name).floats();
    const std::vector<float> wanted = expected.floats();
    const auto begin = last ? values.end() - 8 : values.begin();
    EXPECT_EQ(std::vector<float>(begin, first ? begin + 8 : values.end()), wanted) << name;
  }
}

TEST(Bilinear, GoldenProducts) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const TensorMap arrays = read_npz(golden / "microsoft/bilinear_small.npz");
  Bilinear layer(6, 10, 5);
  load_state(*layer, {{"weight", arrays.at("weight")}, {"bias", arrays.at("bias")}});
  expect_close(layer->forward(to_torch(arrays.at("x1")), to_torch(arrays.at("x2")),
                              layer->stand_in(arrays.at("x1").shape[0])),
               to_torch(arrays.at("out")));
}

TEST(Vggish, GoldenEmbeddings) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "microsoft";
  TensorMap state;
  const auto shapes = nlohmann::json::parse(read_text(folder / "vggish_net_shapes.json"));
  for (const auto& [name, shape] : shapes.items())
    state.emplace(name, vggish_formula_tensor(name, shape.get<std::vector<std::int64_t>>()));
  const auto network = imported("vggish", state);
  EXPECT_EQ(n_parameters(*network), 72141184);
  const torch::Tensor x = torch_npy(folder / "vggish_net_input.npy").transpose(2, 3);  // ours is (mel, time)
  expect_close(network->forward({x}), torch_npy(folder / "vggish_net_output.npy"));
}

TEST(Vggish, ANewNetworkPassesOnWhatItHears) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  VggishOptions options;
  options.width = 8;
  options.hidden = 256;
  Vggish network(options);
  const auto answers = network.forward({torch::randn({4, 1, 64, 96})});
  // Mean squares stay what they are from layer to layer, but for what pooling takes as the largest of four.
  const double rms = std::sqrt(answers.square().mean().item<double>());
  EXPECT_GT(rms, 0.3);
  EXPECT_LT(rms, 30.0);
}

TEST(CnnVggish, AShortClipIsCompletedWithItsOwnLowestValue) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(6);
  CnnVggishOptions options;
  options.combine = Combine::kNone;
  options.n_frames = 600;
  options.n_tags = 3;
  CnnVggish network(options);
  network.eval();
  const torch::Tensor x = torch::rand({1, 1, 128, 560});
  const torch::Tensor whole = torch::cat({x, x.min().expand({1, 1, 128, 40})}, 3);
  EXPECT_TRUE(torch::equal(network.forward({x}), network.forward({whole})));
  const torch::Tensor padded = torch::cat({x, torch::zeros({1, 1, 128, 40})}, 3);
  EXPECT_TRUE(torch::equal(network.forward({padded, {560}}), network.forward({whole})));
}

// Of both sides too, against libtorch's own derivative of the sum.
TEST(Bilinear, GradientsOfBothSidesAndTheWeight) {
  torch::manual_seed(9);
  Bilinear layer(4, 5, 3);
  layer->to(torch::kDouble);
  const torch::Tensor left = torch::randn({2, 4}, torch::kDouble).requires_grad_(true),
                      right = torch::randn({2, 5}, torch::kDouble).requires_grad_(true),
                      seed = torch::randn({2, 3}, torch::kDouble);
  const torch::Tensor weight = layer->named_parameters()["weight"];
  const auto ours = torch::autograd::grad({(layer->forward(left, right, layer->stand_in(2)) * seed).sum()},
                                          {left, right, weight});
  const torch::Tensor y = torch::einsum("bl,olr,br->bo", {left, weight, right});
  const auto expected = torch::autograd::grad({(y * seed).sum()}, {left, right, weight});
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_LT((ours[i] - expected[i]).abs().max().item<double>(), 1e-12) << i;
  EXPECT_TRUE(ours[2].is_contiguous()) << "a copy of it would cost as much as all weights";
}

// All else in the network is libtorch's own.
TEST(Bilinear, GradientsAgreeWithDifferences) {
  torch::manual_seed(8);
  Bilinear layer(4, 5, 3);
  layer->to(torch::kDouble);
  const torch::Tensor left = torch::randn({2, 4}, torch::kDouble),
                      right = torch::randn({2, 5}, torch::kDouble);
  const torch::Tensor weight = torch::randn({2, 3}, torch::kDouble);
  expect_gradients(*layer, [&] { return (layer->forward(left, right, layer->stand_in(2)) * weight).sum(); });
}

// y = components (e - means), clipped to -2 .. 2, laid onto 0 .. 255, the fraction cut off.
TEST(Vggish, GoldenPostprocessing) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const TensorMap arrays = read_npz(golden / "microsoft/vggish_postprocess.npz");
  VggishOptions options;
  options.pca = true;
  options.quantise = Quantise::kTruncate;
  options.width = 1;
  options.hidden = 2;
  Vggish network(options);
  TensorMap state = state_of(network);
  state["pca.components"] = arrays.at("pca_eigen_vectors");
  state["pca.means"] = arrays.at("pca_means");
  load_state(network, state);
  const torch::Tensor got = network.postprocessed(to_torch(arrays.at("embedding")));
  const Tensor& expected = arrays.at("quantised_uint8");
  std::vector<float> wanted;
  for (const std::int64_t x : expected.integers()) wanted.push_back(static_cast<float>(x));
  const torch::Tensor bytes = torch::from_blob(wanted.data(), {10, 128});
  EXPECT_TRUE(torch::equal(got, bytes));
  options.quantise = Quantise::kNone;
  Vggish bare(options);
  load_state(bare, state);
  expect_close(bare.postprocessed(to_torch(arrays.at("embedding"))).clamp(-2, 2),
               to_torch(arrays.at("clipped")));
}

TEST(Vggish, PrincipalComponentsAreImportedWithTheWeights) {
  VggishOptions small;
  small.width = 2;
  small.hidden = 5;
  small.n_tags = 6;
  TensorMap state = state_of(Vggish(small));
  state.emplace("pca_eigen_vectors", Tensor::from_floats(std::vector<float>(36, 0.5f), {6, 6}));
  state.emplace("pca_means", Tensor::from_floats(std::vector<float>(6, 0.25f), {6, 1}));
  const auto network = imported("vggish", state);
  EXPECT_EQ(state_of(*network).at("pca.means").floats(), std::vector<float>(6, 0.25f));
  EXPECT_EQ(network->answer(), Answer::kEmbedding);
}

TEST(Vggish, ALayerForTagsBehindTheEmbeddingMakesItATagger) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  VggishOptions options;
  options.width = 2;
  options.hidden = 8;
  options.embedding = 6;
  options.n_tags = 3;
  Vggish tagger(options);
  EXPECT_EQ(tagger.answer(), Answer::kLogits);
  const torch::Tensor x = torch::rand({2, 1, 64, 200});
  EXPECT_EQ(tagger.forward({x}).sizes(), (std::vector<std::int64_t>{2, 3}));
  // Without that layer it is the embedder.
  VggishOptions alone = options;
  alone.embedding = 0;
  alone.n_tags = 6;
  Vggish embedder(alone);
  TensorMap state = state_of(tagger);
  state.erase("output.weight");
  state.erase("output.bias");
  load_state(embedder, state);
  EXPECT_EQ(embedder.forward({x}).sizes(), (std::vector<std::int64_t>{2, 6}));
}

TEST(CnnVggish, ItsWidthIsReadFromTheWeights) {
  CnnVggishOptions options;
  options.width = 2;
  options.combine = Combine::kConcat;
  options.n_embedding = 20;
  options.n_tags = 3;
  const auto network = imported("cnn_vggish", state_of(CnnVggish(options)));
  EXPECT_EQ(network->n_embedding(), 20);
  EXPECT_EQ(state_of(*network).at("block6.conv.weight").shape[0], 64);
}

}  // namespace
}  // namespace earmark
