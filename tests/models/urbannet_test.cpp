#include "models/urbannet.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "formula_weights.h"
#include "golden_path.h"
#include "gradient_check.h"
#include "reference_network.h"

namespace earmark {
namespace {

using namespace earmark::testing;

constexpr double kUrbanNetTolerance = 1e-5;  // of a probability
constexpr double kTapTolerance = 1e-5;       // of the largest value of what a layer answers

/// The reference arrays are [batch, time, mel].
torch::Tensor features_of(const std::filesystem::path& folder) {
  return torch_npy(folder / "input.npy").transpose(1, 2).unsqueeze(1);
}

/// Scores with the raw metadata and with those in -1..1, against the stored ones.
void expect_golden_scores(TaggingNetwork& network, const std::filesystem::path& folder) {
  const torch::NoGradGuard no_grad;
  for (const std::string variant : {"", "_unit"}) {
    if (!variant.empty() && network.n_metadata() == 0) continue;
    NetworkBatch batch{features_of(folder)};
    if (network.n_metadata() > 0) batch.metadata = torch_npy(folder / ("metadata" + variant + ".npy"));
    const std::string expected =
        "clip_prob" + std::string(variant.empty() ? "" : "_metadata" + variant) + ".npy";
    EXPECT_LT(largest_difference(network.scores(batch), torch_npy(folder / expected)), kUrbanNetTolerance)
        << folder << " " << variant;
  }
}

TEST(UrbanNet, SystemsHaveThePublishedParameterCounts) {
  EXPECT_EQ(n_parameters(*default_network("talnet")), 10520702);
  EXPECT_EQ(n_parameters(*default_network("urbannet_system1")), 13244589);
  EXPECT_EQ(n_parameters(*default_network("urbannet_system2")), 22748557);
  EXPECT_EQ(n_parameters(*default_network("urbannet_system3")), 22776985);
}

struct Reference {
  std::string folder, kind;
};
const std::vector<Reference> kReferences{{"talnet_small", "talnet"},
                                         {"system1_small", "urbannet_system1"},
                                         {"talnet_full", "talnet"},
                                         {"system1_full", "urbannet_system1"},
                                         {"system2_full", "urbannet_system2"},
                                         {"system3_full", "urbannet_system3"}};

/// Small networks have a stored state, full-size ones that of the formula.
std::shared_ptr<TaggingNetwork> reference_network(const Reference& reference,
                                                  const std::filesystem::path& folder) {
  const bool stored = std::filesystem::exists(folder / "state_dict.npz");
  const bool two_heads = reference.folder == "system1_small";
  return imported(
      reference.kind,
      stored ? read_npz(folder / "state_dict.npz") : formula_state(folder / "state_dict_layout.json"),
      two_heads ? Value(Value::Map{{"heads", Value(2)}}) : Value());
}

TEST(UrbanNet, GoldenScores) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  for (const Reference& reference : kReferences) {
    const auto folder = golden / "multitel" / reference.folder;
    expect_golden_scores(*reference_network(reference, folder), folder);
  }
}

/// What stands between input and scores: each branch by its blocks and its encoder, then the head's frames.
/// Frames, as scores, in float32 too; what layers answer in double precision alone: over a hundred frames of
/// a GRU the reference's own float32 leaves 7e-6 of the largest value, and ours twice that.
class HeardInParts {
 public:
  HeardInParts(TaggingNetwork& network, const std::filesystem::path& folder)
      : network_(network), taps_(read_npz(folder / "taps.npz")), folder_(folder) {}

  void branch(const std::string& name, const std::string& conv_tap, const std::string& last_tap) {
    torch::Tensor h = x_.contiguous(torch::MemoryFormat::ChannelsLast);
    for (int i = 1; has(name + ".block" + std::to_string(i) + ".conv.weight"); ++i) {
      const std::string block = name + ".block" + std::to_string(i);
      h = name == "generic" ? part_of<ConvBlockImpl>(network_, block).forward(h)
                            : part_of<StandardisedConvImpl>(network_, block).forward(h);
      expect_tap(conv_tap + std::to_string(i), h.transpose(2, 3));  // theirs is (time, mel)
    }
    const torch::Tensor frames = name == "generic"
                                     ? part_of<GenericBranchImpl>(network_, name).forward(x_)
                                     : part_of<SpecificBranchImpl>(network_, name).forward(x_, {});
    expect_tap(last_tap, frames);
    parts_.push_back(frames);
  }

  void metadata(const std::string& encoder_tap) {
    const torch::Tensor tokens = part_of<Time2VecImpl>(network_, "metadata.time2vec").forward(columns(""));
    expect_tap("t2v", tokens);
    expect_tap(encoder_tap, part_of<BareEncoderImpl>(network_, "metadata.encoder").forward(tokens));
  }

  void listen(const torch::Tensor& features) {
    x_ = features;
    if (!has("input_norm.weight")) return;
    auto& norm = part_of<torch::nn::BatchNorm1dImpl>(network_, "input_norm");
    x_ = norm.forward(features.flatten(1, 2)).view(features.sizes());
  }

  /// With the raw metadata and with those in -1..1.
  void head() {
    expect_frames("frame_prob.npy",
                  part_of<AttentionHeadImpl>(network_, "head").frame_probabilities(frames("")));
    if (std::filesystem::exists(folder_ / "frame_att.npy"))
      expect_frames(
          "frame_att.npy",
          part_of<torch::nn::LinearImpl>(network_, "head.attention").forward(frames("")).softmax(1));
    if (network_.n_metadata() > 0)
      expect_frames("frame_prob_metadata_unit.npy",
                    part_of<AttentionHeadImpl>(network_, "head").frame_probabilities(frames("_unit")));
  }

  std::size_t n_taps_left() const { return taps_.size(); }

 private:
  bool has(const std::string& name) const {
    const auto parameters = network_.named_parameters();
    return parameters.contains(name);
  }

  torch::Tensor columns(const std::string& range) const {
    return torch_npy(folder_ / ("metadata" + range + ".npy")).to(x_.scalar_type());
  }

  torch::Tensor frames(const std::string& range) {
    std::vector<torch::Tensor> parts = parts_;
    if (network_.n_metadata() > 0) {
      const torch::Tensor vector = part_of<MetadataBranchImpl>(network_, "metadata").forward(columns(range));
      parts.push_back(vector.unsqueeze(1).expand({-1, parts_.front().size(1), -1}));
    }
    return torch::cat(parts, 2);
  }

  void expect_frames(const std::string& file, const torch::Tensor& got) {
    EXPECT_LT(largest_difference(got, torch_npy(folder_ / file)), kUrbanNetTolerance)
        << folder_ << " " << file;
  }

  void expect_tap(const std::string& name, const torch::Tensor& got) {
    const auto at = taps_.find(name);
    if (at == taps_.end()) return;  // not every block is stored
    const torch::Tensor expected = to_torch(at->second);
    if (x_.scalar_type() == torch::kDouble) {
      EXPECT_LT(largest_difference(got, expected), kTapTolerance * expected.abs().max().item<double>())
          << folder_ << " " << name;
    }
    taps_.erase(at);
  }

  TaggingNetwork& network_;
  TensorMap taps_;
  std::filesystem::path folder_;
  torch::Tensor x_;
  std::vector<torch::Tensor> parts_;
};

TEST(UrbanNet, GoldenPartsBetweenInputAndScores) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  for (const Reference& reference : kReferences) {
    const auto folder = golden / "multitel" / reference.folder;
    const auto network = reference_network(reference, folder);
    const bool system1 = reference.kind == "urbannet_system1", talnet = reference.kind == "talnet";
    for (const torch::Dtype type : {torch::kFloat, torch::kDouble}) {
      network->to(type);
      HeardInParts parts(*network, folder);
      parts.listen(features_of(folder).to(type));
      if (!system1) parts.branch("generic", "conv", "gru");
      if (system1) parts.branch("specific", "conv", "self_attention_1");
      if (!system1 && !talnet) parts.branch("specific", "conv_v2", "multihead_v2");
      if (!talnet) parts.metadata(system1 ? "self_attention_meta" : "multihead_meta");
      parts.head();
      EXPECT_EQ(parts.n_taps_left(), 0U) << folder;
    }
  }
}

TEST(UrbanNet, EveryPartHasThePublishedParameterCount) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto published = nlohmann::json::parse(read_text(golden / "multitel/model_info.json"));
  for (const Reference& reference : kReferences) {
    const auto network = reference_network(reference, golden / "multitel" / reference.folder);
    const auto& info = published.at(reference.folder);
    EXPECT_EQ(n_parameters(*network), info.at("params_total").get<std::int64_t>()) << reference.folder;
    EXPECT_EQ(sizes_of_parts(*network), sizes_of_parts(info.at("params_by_top_module"))) << reference.folder;
  }
}

TEST(Talnet, AShortItemOfABatchScoresAsIfItWereAlone) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  TalnetOptions options;
  options.embedding = 64;
  options.n_mels = 32;
  options.n_conv = 4;
  options.n_pool = 2;
  options.n_tags = 5;
  Talnet network(options);
  network.eval();
  const torch::Tensor x = torch::randn({2, 1, 32, 60});
  const torch::Tensor together = network.forward({x, {60, 37}});
  const torch::Tensor alone = network.forward({x.narrow(0, 1, 1).narrow(3, 0, 37)});
  EXPECT_TRUE(torch::equal(together.narrow(0, 1, 1), alone));
}

TEST(StackLayers, FollowThePublishedTable) {
  std::vector<int> channels;
  for (const StackLayer& layer : stack_layers(ConvStackOptions())) channels.push_back(layer.n_out);
  EXPECT_EQ(channels, (std::vector<int>{32, 32, 64, 64, 128, 128, 256, 256, 512, 512}));
  EXPECT_EQ(stack_frames(ConvStackOptions(), 400), 100);
  EXPECT_EQ(stack_frames(ConvStackOptions(), 2), 1);
}

TEST(AttentionPool, FramesThatDoNotExistCarryNoWeight) {
  torch::manual_seed(1);
  const torch::Tensor p = torch::rand({2, 7, 3}), a = torch::randn({2, 7, 3});
  const torch::Tensor pooled = attention_pool(p, a, {7, 4});
  EXPECT_LT(largest_difference(pooled[1], attention_pool(p.slice(1, 0, 4), a.slice(1, 0, 4))[1]), 1e-6);
  // Attention that is the same everywhere leaves the mean.
  EXPECT_LT(largest_difference(attention_pool(p, torch::zeros_like(a)), p.mean(1)), 1e-6);
}

TEST(Time2Vec, TokensHoldOneTermOfEveryColumn) {
  torch::manual_seed(2);
  Time2Vec layer(3, 4, Time2VecLayout::kCorrect);
  const auto parameters = layer->named_parameters();
  const torch::Tensor x = torch::tensor({{0.5, -1.0, 2.0}}, torch::kFloat);
  const torch::Tensor tokens = layer->forward(x);
  ASSERT_EQ(tokens.sizes(), (torch::IntArrayRef{1, 4, 3}));
  for (int column = 0; column < 3; ++column) {
    const double value = x[0][column].item<double>();
    EXPECT_NEAR(
        tokens[0][0][column].item<double>(),
        value * parameters["w0"][0][column].item<double>() + parameters["phi0"][0][column].item<double>(),
        1e-6);
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(tokens[0][k + 1][column].item<double>(),
                  std::sin(value * parameters["W"][column][k].item<double>() +
                           parameters["Phi"][column][k].item<double>()),
                  1e-6);
    }
  }
}

TEST(StandardisedConv, FiltersHaveMeanZeroAndDeviationOne) {
  torch::manual_seed(4);
  const torch::Tensor w = standardised(torch::randn({6, 5, 3, 3}) * 3 + 2).flatten(1);
  EXPECT_LT(w.mean(1).abs().max().item<double>(), 1e-6);
  EXPECT_LT((w.std(1) - 1).abs().max().item<double>(), 1e-5);
}

TEST(Masked, StripesAreSilentAndTheRestIsUntouched) {
  const torch::Tensor x = torch::randn({2, 1, 6, 9});
  const torch::Tensor y = masked(x, {{{{2, 5}}, {}}, {{}, {{0, 1}}}});
  EXPECT_EQ(y[0].slice(2, 2, 5).abs().max().item<float>(), 0.0f);
  EXPECT_TRUE(torch::equal(y[0].slice(2, 5, 9), x[0].slice(2, 5, 9)));
  EXPECT_EQ(y[1][0][0].abs().max().item<float>(), 0.0f);
  EXPECT_TRUE(torch::equal(y[1].slice(1, 1, 6), x[1].slice(1, 1, 6)));
}

// Gradients of whole small networks in every choice of norm and encoder, with and without weight
// standardisation, in both layouts of Time2Vec, against differences in double precision. The GRU's are in
// training mode, as BatchNorm is there; attention has a dropout of its own, so theirs are in evaluation mode.
TEST(UrbanNet, GradientsAgreeWithDifferences) {
  for (const EncoderKind encoder : {EncoderKind::kBare, EncoderKind::kStandard, EncoderKind::kGru}) {
    for (const NormKind norm : {NormKind::kGroup, NormKind::kBatch}) {
      torch::manual_seed(5);
      UrbannetOptions options;
      options.n_mels = 4;
      options.embedding = norm == NormKind::kGroup ? 64 : 16;
      options.n_conv = options.n_pool = 1;
      options.heads = 2;
      options.d_k = 3;
      options.dropout = 0.0;
      options.n_metadata = 2;
      options.time2vec = 3;
      options.n_tags = 3;
      options.encoder = encoder;
      options.norm = norm;
      options.positions = true;
      options.weight_standardisation = norm == NormKind::kGroup || encoder != EncoderKind::kBare;
      options.time2vec_layout =
          encoder == EncoderKind::kStandard ? Time2VecLayout::kReference : Time2VecLayout::kCorrect;
      options.normalised_head = norm == NormKind::kBatch;
      UrbanNet network(options);
      network.to(torch::kDouble);
      network.eval();
      int n_blocks = 0;
      for (const auto& item : network.named_modules("", false)) {
        if (item.key().find(".block") == std::string::npos) continue;
        item.value()->train();
        ++n_blocks;
      }
      ASSERT_GT(n_blocks, 0);
      const NetworkBatch batch{
          torch::randn({2, 1, 4, 6}, torch::kDouble), {}, torch::randn({2, 2}, torch::kDouble)};
      const torch::Tensor weight = torch::randn({2, 3}, torch::kDouble);
      expect_gradients(network, [&] { return (network.forward(batch) * weight).sum(); });
    }
  }
}

}  // namespace
}  // namespace earmark
