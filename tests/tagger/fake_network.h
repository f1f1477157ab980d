// fake_network.h: a bundle and networks that need no libtorch, so that everything around them can be tested.
#pragma once
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "audio/write_wav.h"
#include "core/rng.h"
#include "earmark/tagger.h"
#include "tagger/scorer.h"

namespace earmark::testing {

inline float mean_of(std::span<const float> values) {
  double sum = 0.0;
  for (const float v : values) sum += static_cast<double>(v);
  return static_cast<float>(sum / static_cast<double>(values.size()));
}

/// Three tags. Step: 0.9, 0.5, 0.25 for sound and 0.1, 0.5, 0.25 for silence. Mean: smooth in the features
/// and the weight, so that every bit of the input matters.
class FakeNetwork : public Network {
 public:
  FakeNetwork(bool step, float weight) : step_(step), weight_(weight) {}
  int n_tags() const override { return 3; }
  std::vector<float> scores(const NetworkInput& input) const override {
    std::vector<float> all;
    const std::size_t n = input.features.size() / static_cast<std::size_t>(input.batch);
    for (std::int64_t b = 0; b < input.batch; ++b) {
      const float mean = mean_of(input.features.subspan(static_cast<std::size_t>(b) * n, n));
      if (step_) {
        all.insert(all.end(), {mean > -38.0f ? 0.9f : 0.1f, 0.5f, 0.25f});
      } else {
        for (int k = 0; k < 3; ++k)
          all.push_back(0.5f + 0.5f * std::sin(weight_ * mean + static_cast<float>(k)));
      }
    }
    return all;
  }

 private:
  bool step_;
  float weight_;
};

inline std::unique_ptr<Network> make_step(const BundledNetwork&, const TensorMap&) {
  return std::make_unique<FakeNetwork>(true, 0.0f);
}
inline std::unique_ptr<Network> make_mean(const BundledNetwork&, const TensorMap& tensors) {
  return std::make_unique<FakeNetwork>(false, tensors.at("weight").floats().at(0));
}

inline constexpr int kRate = 8000;

inline Bundle fake_bundle(double segment_s = 1.0) {
  Bundle bundle;
  bundle.tags = {"dog", "rain, heavy", "say \"hi\""};
  bundle.thresholds = {0.5, 0.6, 0.5};
  bundle.segment_s = segment_s;
  BundledNetwork network;
  network.kind = "fake";
  network.options = Value(Value::Map{{"n_tags", Value(3)}});
  LogMelOptions& o = network.front_end.log_mel.emplace();
  o.sample_rate_hz = kRate;
  o.n_fft = o.win_length = 256;
  o.hop_length = 128;
  o.n_mels = 16;
  o.f_max_hz = 4000.0;
  bundle.networks.push_back(network);
  const std::vector<float> weight{3.0f, 1.0f, -1.0f, 0.5f};
  bundle.tensors.push_back({{"weight", Tensor::from_floats(weight, {2, 2})}});
  return bundle;
}

inline std::shared_ptr<const Scorer> step_scorer(double segment_s = 1.0) {
  return std::make_shared<Scorer>(fake_bundle(segment_s), make_step);
}
inline std::shared_ptr<const Scorer> mean_scorer(double segment_s = 1.0) {
  return std::make_shared<Scorer>(fake_bundle(segment_s), make_mean);
}

/// A tone in the seconds that are 'x', digital silence in the others.
inline Waveform pattern(const std::string& seconds, int rate = kRate) {
  Waveform w{rate, 1, {}};
  for (const char c : seconds) {
    for (int i = 0; i < rate; ++i)
      w.samples.push_back(c == 'x' ? 0.3f * std::sin(2.0f * std::numbers::pi_v<float> * 440.0f *
                                                     static_cast<float>(i) / static_cast<float>(rate))
                                   : 0.0f);
  }
  return w;
}

inline Waveform noise(double seconds, std::uint64_t seed, int rate = kRate, int n_channels = 1) {
  Waveform w{rate, n_channels, {}};
  Rng rng(seed, "test_noise");
  const auto n =
      static_cast<std::size_t>(std::llround(seconds * rate)) * static_cast<std::size_t>(n_channels);
  for (std::size_t i = 0; i < n; ++i) w.samples.push_back(static_cast<float>(rng.uniform(-0.5, 0.5)));
  return w;
}

}  // namespace earmark::testing
