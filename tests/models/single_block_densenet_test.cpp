#include "models/single_block_densenet.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstring>

#include "formula_weights.h"
#include "golden_path.h"
#include "gradient_check.h"
#include "reference_network.h"

namespace earmark {
namespace {

using namespace earmark::testing;

constexpr double kDenseNetTolerance = 1e-4;  // of probabilities
constexpr double kDbTolerance = 1e-3;        // of the log-mel

// [batch, n] of reference samples as the network hears them.
torch::Tensor heard(const torch::Tensor& samples) { return samples.unsqueeze(1).unsqueeze(1); }

std::shared_ptr<LogMelDensenet> logmel_reference(const std::filesystem::path& golden,
                                                 const Value& given = {}) {
  return std::dynamic_pointer_cast<LogMelDensenet>(
      imported("single_block_densenet", read_npz(golden / "cochlear/logmel_weights.npz"), given));
}

TensorMap wave_state(const std::filesystem::path& golden) {
  TensorMap state;
  const auto shapes = nlohmann::json::parse(read_text(golden / "cochlear/wave_param_shapes.json"));
  for (const auto& [name, shape] : shapes.items())
    state.emplace(name, keras_formula_tensor(name, shape.get<std::vector<std::int64_t>>()));
  return state;
}

SingleBlockDensenetOptions waveform_options() {
  SingleBlockDensenetOptions options;
  options.input = DensenetInput::kWaveform;
  return options;
}

SingleBlockDensenetOptions small(DensenetInput input) {
  SingleBlockDensenetOptions options;
  options.input = input;
  options.n_tags = 3;
  options.n_low = 2;
  options.growth = {2, 4, 4};
  options.n_heads = 2;
  if (input == DensenetInput::kWaveform) return options;
  options.log_mel = cochlear_front_end(2000);
  options.log_mel.n_fft = options.log_mel.win_length = 32;
  options.log_mel.hop_length = 8;
  options.log_mel.n_mels = 6;
  return options;
}

TEST(SingleBlockDensenet, HasThePublishedParameterCounts) {
  SingleBlockDensenetOptions logmel;
  EXPECT_EQ(n_parameters(LogMelDensenet(logmel)), 11092200);
  logmel.n_heads = 1;  // seven heads fewer
  EXPECT_EQ(n_parameters(LogMelDensenet(logmel)), 11092200 - 588063);
  EXPECT_EQ(n_parameters(WaveformDensenet(waveform_options())), 16521187);
}

TEST(SingleBlockDensenet, TheLogmelReferencesShapesAreThoseOfItsWeights) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto shapes = nlohmann::json::parse(read_text(golden / "cochlear/logmel_weights_shapes.json"));
  const TensorMap weights = read_npz(golden / "cochlear/logmel_weights.npz");
  std::map<std::string, std::vector<std::int64_t>> expected, found;
  std::int64_t n_learned = 0;
  for (const auto& [name, shape] : shapes.items()) {
    expected[name] = shape.get<std::vector<std::int64_t>>();
    std::int64_t n = 1;
    for (const std::int64_t size : expected[name]) n *= size;
    if (name.find("running_") == std::string::npos) n_learned += n;
  }
  for (const auto& [name, tensor] : weights) found[name] = tensor.shape;
  EXPECT_EQ(found, expected);
  EXPECT_EQ(n_learned, n_parameters(*logmel_reference(golden))) << "all of them are the network's";
}

TEST(SingleBlockDensenet, SizesDoNotDependOnTheRate) {
  for (const int rate : {16000, 32000}) {
    SingleBlockDensenetOptions options;
    options.log_mel = cochlear_front_end(rate);
    EXPECT_EQ(n_parameters(LogMelDensenet(options)), 11092200) << rate;
  }
}

TEST(SingleBlockDensenet, GoldenLogmelNetworkAtBothLengths) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "cochlear";
  const auto network = logmel_reference(golden);
  for (const std::string size : {"N64000", "N97003"}) {
    SCOPED_TRACE(size);
    const torch::Tensor samples = torch_npy(folder / ("logmel_input_" + size + ".npy"));
    EXPECT_LT(
        largest_difference(network->log_mel(samples), torch_npy(folder / ("logmel_tap_dB_" + size + ".npy"))),
        kDbTolerance);
    const torch::Tensor picture = network->picture(samples);
    // Up to 163: both sides' float32 roundings together come near the tolerance, on some processors beyond.
    // So the reference is held against the same layers in double precision, and these against float32.
    const torch::Tensor pooled = network->pooled(network->hidden(picture, 8)).to(torch::kDouble);
    network->to(torch::kDouble);
    const torch::Tensor exact = network->pooled(network->hidden(picture.to(torch::kDouble), 8));
    network->to(torch::kFloat);
    EXPECT_LT(
        largest_difference(exact, torch_npy(folder / ("logmel_gap_" + size + ".npy")).to(torch::kDouble)),
        kDbTolerance);
    EXPECT_LT(largest_difference(pooled, exact), 1e-5 * exact.abs().max().item<double>());
    EXPECT_LT(largest_difference(network->scores({heard(samples)}),
                                 torch_npy(folder / ("logmel_output_" + size + ".npy"))),
              kDenseNetTolerance);
    if (size != "N64000") continue;
    EXPECT_LT(largest_difference(network->hidden(picture, 1).narrow(1, 0, 8),
                                 torch_npy(folder / "logmel_tap_block0_first8ch_N64000.npy")),
              kDbTolerance);
    EXPECT_LT(largest_difference(network->hidden(picture, 8),
                                 torch_npy(folder / "logmel_tap_last_block_N64000.npy")),
              kDbTolerance);
  }
}

TEST(SingleBlockDensenet, GoldenDecibelsOfEachClipAndOfTheBatch) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const torch::Tensor samples = torch_npy(golden / "cochlear/batch2_input.npy");
  for (const std::string reference : {"clip", "batch"}) {
    const Value given(Value::Map{{"db_reference", Value(reference)}});
    const std::string expected = reference == "clip" ? "per_clip" : "batch";
    EXPECT_LT(largest_difference(logmel_reference(golden, given)->scores({heard(samples)}),
                                 torch_npy(golden / ("cochlear/batch2_output_" + expected + "_max.npy"))),
              kDenseNetTolerance)
        << reference;
  }
}

TEST(SingleBlockDensenet, GoldenWaveNetworkAtBothLengths) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "cochlear";
  const auto network =
      std::dynamic_pointer_cast<WaveformDensenet>(imported("single_block_densenet", wave_state(golden)));
  for (const std::string size : {"N64000", "N70001"}) {
    SCOPED_TRACE(size);
    const torch::Tensor samples = torch_npy(folder / ("wave_input_" + size + ".npy"));
    EXPECT_LT(largest_difference(network->pooled(network->hidden(network->picture(samples), 15)),
                                 torch_npy(folder / ("wave_gap_" + size + ".npy"))),
              kDbTolerance);
    EXPECT_LT(largest_difference(network->scores({heard(samples)}),
                                 torch_npy(folder / ("wave_output_" + size + ".npy"))),
              kDenseNetTolerance);
  }
}

// The formula itself: its first uniform numbers, as the reference set gives them.
TEST(FormulaWeights, BeginWithTheReferencesNumbers) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto check = nlohmann::json::parse(read_text(golden / "cochlear/recipe_check.json"));
  for (const auto& [name, numbers] : check.items()) {
    const bool variance = name.ends_with("running_var");
    const std::vector<std::int64_t> shape =
        variance ? std::vector<std::int64_t>{4} : std::vector<std::int64_t>{1, 4};
    const std::vector<float> values = keras_formula_tensor(name, shape).floats();
    for (std::size_t i = 0; i < 4; ++i) {
      const double u = numbers[i];
      EXPECT_FLOAT_EQ(values[i],
                      static_cast<float>(variance ? 0.5 + u : (2.0 * u - 1.0) * std::sqrt(6.0 / 4.0)))
          << name;
    }
  }
}

TEST(WaveformLogMel, GoldenDecibelsAtThreeRates) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const torch::Tensor tail = torch_npy(golden / "cochlear/tail_segment_dB_clipped.npy");
  const std::vector<std::byte> file = read_bytes(golden / "dsp/mono_3s_44100.wav");
  torch::Tensor samples = torch::empty({132300});
  for (std::int64_t i = 0; i < 132300; ++i) {  // 16-bit samples behind a header of 44 bytes
    std::int16_t value = 0;
    std::memcpy(&value, file.data() + 44 + 2 * i, 2);
    samples.data_ptr<float>()[i] = static_cast<float>(value) / 32768.0f;
  }
  const torch::Tensor one = torch::ones({1}), zero = torch::zeros({1});
  for (const int rate : {16000, 32000, 44100}) {
    const WaveformLogMel layer(cochlear_front_end(rate), DbReference::kClip);
    const torch::Tensor expected =
        torch_npy(golden / ("dsp/cochlear_logmel_as" + std::to_string(rate) + ".npy"));
    EXPECT_LT(
        largest_difference(layer.forward(samples.narrow(0, 0, 64000).unsqueeze(0), one, zero)[0], expected),
        kDbTolerance)
        << rate;
  }
  const WaveformLogMel layer(cochlear_front_end(44100), DbReference::kClip);
  EXPECT_LT(
      largest_difference(layer.forward(samples.narrow(0, 68300, 64000).unsqueeze(0), one, zero)[0], tail),
      kDbTolerance);
}

// The extractor's values and derivatives against those of libtorch's own operators in double precision.
TEST(WaveformLogMel, ValuesAndGradientsAgreeWithDoublePrecision) {
  torch::manual_seed(2);
  for (const Framing framing : {Framing::kSame, Framing::kZero, Framing::kHalfWindow, Framing::kNone}) {
    for (const LogKind log : {LogKind::kDb, LogKind::kLn, LogKind::kNone}) {
      LogMelOptions options = cochlear_front_end(8000);
      options.framing = framing;
      options.n_fft = 128;
      options.win_length = 100;
      options.hop_length = 50;
      options.n_mels = 12;
      options.log = log;
      if (log != LogKind::kDb) {
        options.reference = LogReference::kOne;
        options.top_db = 0.0;
        options.mel_root = log == LogKind::kNone;
      }
      const WaveformLogMel layer(options, DbReference::kBatch);
      const torch::Tensor x = torch::randn({2, 777});
      torch::Tensor scale = torch::full({1}, 0.8), offset = torch::full({1}, -0.3), weight;
      std::vector<torch::Tensor> values, gradients;
      for (const torch::Dtype dtype : {torch::kFloat, torch::kDouble}) {
        torch::Tensor s = scale.to(dtype).clone().requires_grad_(),
                      o = offset.to(dtype).clone().requires_grad_();
        const torch::Tensor y = layer.forward(x.to(dtype), s, o);
        if (!weight.defined()) weight = torch::randn(y.sizes());
        (y * weight.to(dtype)).sum().backward();
        values.push_back(y.detach().to(torch::kDouble));
        gradients.push_back(torch::cat({s.grad(), o.grad()}).to(torch::kDouble));
      }
      EXPECT_LT(largest_difference(values[0], values[1]), 1e-3);
      EXPECT_LT(largest_difference(gradients[0], gradients[1]),
                1e-3 * (1.0 + gradients[1].abs().max().item<double>()));
    }
  }
}

TEST(WaveformLogMel, HalfPrecisionIsWidenedInside) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(4);
  const WaveformLogMel layer(cochlear_front_end(16000), DbReference::kClip);
  torch::Tensor x = torch::randn({1, 4000}) * 0.1;
  x.narrow(1, 2000, 2000).zero_();  // silence reaches the floor of 1e-10, which is 0 as a half
  const torch::Tensor half = x.to(torch::kHalf), one = torch::ones({1}), zero = torch::zeros({1});
  const torch::Tensor got = layer.forward(half, one, zero);
  EXPECT_EQ(got.scalar_type(), torch::kHalf);
  const torch::Tensor expected = layer.forward(half.to(torch::kFloat), one, zero);
  EXPECT_LE(largest_difference(got.to(torch::kFloat), expected), 80.0 / 2048.0);
  EXPECT_FLOAT_EQ(expected.min().item<float>(), -80.0f);
}

TEST(SingleBlockDensenet, GradientsAgreeWithDifferences) {
  torch::manual_seed(5);
  const torch::Tensor x = heard(torch::randn({3, 150}, torch::kDouble)),
                      weight = torch::randn({3, 3}, torch::kDouble);
  const auto check = [&](const std::shared_ptr<SingleBlockDensenet>& network) {
    network->to(torch::kDouble);
    expect_gradients(*network, [&] { return (network->forward({x}).log() * weight).sum(); });
  };
  check(std::make_shared<LogMelDensenet>(small(DensenetInput::kLogMel)));
  check(std::make_shared<WaveformDensenet>(small(DensenetInput::kWaveform)));
}

// In single precision the network takes other ways than in double.
TEST(SingleBlockDensenet, GradientsInSinglePrecisionAreThoseInDouble) {
  torch::manual_seed(6);
  const torch::Tensor x = heard(torch::randn({3, 400})), weight = torch::randn({3, 3});
  const auto check = [&](const auto& make) {
    const auto single = make();
    const auto twice = make();
    load_state(*twice, state_of(*single));
    twice->to(torch::kDouble);
    (single->forward({x}).log() * weight).sum().backward();
    (twice->forward({x.to(torch::kDouble)}).log() * weight.to(torch::kDouble)).sum().backward();
    const auto parameters = single->named_parameters();
    for (const auto& item : twice->named_parameters()) {
      const torch::Tensor expected = item.value().grad(),
                          got = parameters[item.key()].grad().to(torch::kDouble);
      EXPECT_LT(largest_difference(got, expected), 2e-3 * (0.1 + expected.abs().max().item<double>()))
          << item.key();
    }
  };
  check([] { return std::make_shared<LogMelDensenet>(small(DensenetInput::kLogMel)); });
  check([] { return std::make_shared<WaveformDensenet>(small(DensenetInput::kWaveform)); });
}

TEST(SingleBlockDensenet, ScoresSumToOneAndItemsOfOneBatchAreHeardAsIfAlone) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  WaveformDensenet network(small(DensenetInput::kWaveform));
  network.eval();
  const torch::Tensor brief = heard(torch::randn({1, 200})), lengthy = heard(torch::randn({1, 331}));
  const torch::Tensor both = torch::cat({torch::constant_pad_nd(brief, {0, 131}), lengthy});
  const torch::Tensor got = network.forward({both, {200, 331}});
  EXPECT_LT(largest_difference(got.sum(1), torch::ones({2})), 1e-6);
  EXPECT_LT(largest_difference(got[0], network.forward({brief})[0]), 1e-6);
  EXPECT_LT(largest_difference(got[1], network.forward({lengthy})[0]), 1e-6);
}

TEST(SingleBlockDensenet, SizesFollowFromItsWeights) {
  const auto check = [](const auto& options, const TensorMap& state, const Value& given) {
    const std::string kind(SingleBlockDensenetOptions::kKind);
    EXPECT_EQ(options_value(infer_options(kind, state, given, false)), write_options(options)) << kind;
  };
  const auto wave = small(DensenetInput::kWaveform);
  check(wave, state_of(WaveformDensenet(wave)), {});
  const auto logmel = small(DensenetInput::kLogMel);
  const Value given(Value::Map{{"log_mel", write_options(logmel.log_mel)}});  // shapes tell its bands alone
  check(logmel, state_of(LogMelDensenet(logmel)), given);
}

TEST(SingleBlockDensenet, TrainingKeepsRunningStatisticsOfTheSamples) {
  torch::manual_seed(7);
  LogMelDensenet network(small(DensenetInput::kLogMel));
  const torch::Tensor x = heard(torch::randn({2, 300}) * 3.0 + 1.0);
  network.set_norm_momentum(1.0);
  network.forward({x});
  const TensorMap state = state_of(network);
  EXPECT_NEAR(state.at("bn_in.running_mean").floats()[0], x.mean().item<float>(), 1e-5);
  EXPECT_NEAR(state.at("bn_in.running_var").floats()[0], x.var().item<float>(), 1e-4);
}

}  // namespace
}  // namespace earmark
