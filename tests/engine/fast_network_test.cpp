// What a caller of the fast engine may rely on, whatever the network.
#include "engine/fast_network.h"

#include <gtest/gtest.h>
#include <omp.h>

#include "engine/engine_case.h"
#include "golden_path.h"
#include "tagger/scorer.h"

namespace earmark {
namespace {

using testing::DrawnInput;

std::unique_ptr<Network> upb() {
  const testing::EngineNetwork network({"UpbCrnn", UpbCrnnOptions(), {}});
  return make_fast_network(network.spec, network.tensors);
}
constexpr testing::InputWidths kUpbWidths{1, 128, 0, 0};

TEST(FastNetwork, AVeryLongClipChangesNothingForThoseAfterIt) {
  const std::unique_ptr<Network> network = upb();
  const DrawnInput clip(kUpbWidths, 1, 100, 1);
  const std::vector<float> before = network->scores(clip.input);
  // Six minutes: more memory than a worker keeps.
  EXPECT_EQ(network->scores(DrawnInput(kUpbWidths, 1, 18000, 2).input).size(), 80U);
  EXPECT_EQ(network->scores(clip.input), before);
}

TEST(FastNetwork, LeavesTheCallersNumberOfThreadsAlone) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  upb()->scores(DrawnInput(kUpbWidths, 1, 20, 1).input);
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(before);
}

TEST(FastNetwork, InputThatDoesNotFitIsRefusedWithWhatIsNeeded) {
  const std::unique_ptr<Network> network = upb();
  DrawnInput drawn(kUpbWidths, 2, 20, 1);
  const auto refused = [&](const NetworkInput& input) {
    try {
      network->scores(input);
      return std::string("nothing was thrown");
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidOption);
      return std::string(e.what());
    }
  };
  NetworkInput input = drawn.input;
  input.n_mels = 64;
  EXPECT_NE(refused(input).find("features: must be [batch, 1, 128, frames]"), std::string::npos);
  input = drawn.input;
  input.features = input.features.first(7);
  EXPECT_NE(refused(input).find("with 7 values"), std::string::npos);
  input = drawn.input;
  input.n_valid = {20};
  EXPECT_NE(refused(input).find("n_valid: must be one for each of 2 items"), std::string::npos);
  input.n_valid = {20, 21};
  EXPECT_NE(refused(input).find("n_valid: must be 1..20, got 21"), std::string::npos);
}

TEST(FastNetwork, AKindThatItDoesNotKnowIsLeftToOthers) {
  BundledNetwork spec;
  spec.kind = "crystal_ball";
  EXPECT_EQ(make_fast_network(spec, {}), nullptr);
}

TEST(FastNetwork, BadOptionsAreNamed) {
  testing::EngineNetwork network({"UpbCrnn", UpbCrnnOptions(), {}});
  network.spec.options.set("n_mels", 33);
  network.spec.revision = 9;
  try {
    make_fast_network(network.spec, network.tensors);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadBundle);
    EXPECT_NE(std::string(e.what()).find("revision 9"), std::string::npos) << e.what();
  }
}

TEST(FastNetwork, ClipsTooShortForANetworkAreBadAudio) {
  const testing::EngineNetwork network({"Talnet", TalnetOptions(), {}});
  const std::unique_ptr<Network> talnet = make_fast_network(network.spec, network.tensors);
  try {
    talnet->scores(DrawnInput({1, 64, 0, 0}, 1, 3, 1).input);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadAudio);
    EXPECT_NE(std::string(e.what()).find("3 frames, at least 4"), std::string::npos) << e.what();
  }
}

TEST(FastNetwork, TheShippedBundleGivesItsOwnAnswer) {
  const Scorer scorer(read_bundle(testing::repository() / "models/esc10.earmark"), make_fast_network);
  EXPECT_EQ(scorer.bundle().tags.size(), 10U);
}

TEST(FastNetwork, GoldenScoresOfSingleClipsAndPaddedBatches) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  testing::EngineNetwork network({"UpbCrnn", UpbCrnnOptions(), {}});
  network.tensors = read_npz(golden / "upb/weights.npz");
  const std::unique_ptr<Network> upb_crnn = make_fast_network(network.spec, network.tensors);
  const auto scores = [&](const std::string& name, std::vector<std::int64_t> n_valid) {
    const Tensor x = read_npy(golden / ("upb/" + name + ".npy"));
    const std::vector<float> values = x.floats();
    return upb_crnn->scores({x.shape[0], 1, 128, x.shape[3], values, std::move(n_valid), {}, {}});
  };
  const auto expected = [&](const std::string& name) {
    return read_npy(golden / ("upb/" + name + ".npy")).floats();
  };
  for (const std::string name : {"T48", "T151", "T237"}) {
    EXPECT_LT(testing::largest_difference(scores("input_" + name, {}), expected("output_" + name)), 1e-4)
        << name;
  }
  EXPECT_LT(testing::largest_difference(scores("input_padded_151_123", {151, 123}),
                                        expected("output_padded_151_123")),
            1e-4);
}

// The reference's squeeze-and-excitation asks for sigmoids of thousands; and digital silence, which the first
// BatchNorm makes a constant, must look alike to both engines.
TEST(FastNetwork, GoldenDensenetHearsSilenceAsThePlainEngineDoes) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  testing::EngineNetwork network({"Densenet", SingleBlockDensenetOptions(), {}});
  network.tensors = read_npz(golden / "cochlear/logmel_weights.npz");
  const auto fast = make_fast_network(network.spec, network.tensors);
  const auto plain = make_torch_network(network.spec, network.tensors);
  std::vector<float> sound = read_npy(golden / "cochlear/logmel_input_N64000.npy").floats();
  const std::vector<float> expected = read_npy(golden / "cochlear/logmel_output_N64000.npy").floats();
  EXPECT_LT(testing::largest_difference(fast->scores({1, 1, 1, 64000, sound, {}, {}, {}}), expected), 1e-4);
  std::fill(sound.begin() + 40000, sound.end(), 0.0f);
  const NetworkInput silent{1, 1, 1, 64000, sound, {}, {}, {}};
  EXPECT_LT(testing::largest_difference(fast->scores(silent), plain->scores(silent)), 1e-4);
}

// UPB's paper, Table 1, layer by layer: 3x3 convolutions over bands x frames, three over frames, two GRUs,
// two dense layers of the last state.
TEST(FastNetwork, CountsTheProductsOfEveryLayer) {
  const testing::EngineNetwork upb({"UpbCrnn", UpbCrnnOptions(), {}});
  std::int64_t expected = 0, bands = 128, frames = 501, n_in = 1;
  const auto convolution = [&](std::int64_t n_out) {
    expected += bands * frames * 9 * n_in * n_out;
    n_in = n_out;
  };
  for (const std::int64_t n_out : {16, 32, 64, 128}) {
    convolution(n_out);
    convolution(n_out);
    bands /= 2;
    if (n_out < 128) frames = (frames + 1) / 2;
  }
  convolution(256);
  n_in *= bands / 2;
  for (int i = 0; i < 3; ++i) {
    expected += frames * 3 * n_in * 256;
    n_in = 256;
  }
  expected += 2 * frames * (3 * 256 * 256 + 3 * 256 * 256) + 256 * 256 + 256 * 80;
  EXPECT_EQ(count_multiply_adds(upb.spec, upb.tensors, 501), expected);
}

// Of what no product is forgotten: attention over 2 x 100 tokens has products with no weight in them.
TEST(FastNetwork, CountsWhatAttentionMultiplies) {
  const testing::EngineNetwork network({"UrbannetSystem2", UrbannetSystem2Options(), {}});
  const auto of = [&](std::int64_t n_frames) {
    return count_multiply_adds(network.spec, network.tensors, n_frames).value();
  };
  const std::int64_t once = of(400), twice = of(800), thrice = of(1200);
  EXPECT_GT(twice, 2 * once);  // grows with the square of the tokens
  EXPECT_GT(thrice - twice, twice - once);
}

}  // namespace
}  // namespace earmark
