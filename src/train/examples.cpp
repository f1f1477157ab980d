#include "train/examples.h"

#include <algorithm>
#include <cmath>

namespace earmark {
namespace {

constexpr int kPartnerTries = 100;

// Several waveform channels are mixed with one plan, so that they stay together.
Waveform superpose_channels(const Waveform& base, const Waveform& other, const SuperposePlan& plan) {
  Waveform mixed{base.sample_rate_hz, base.n_channels, {}};
  for (int c = 0; c < base.n_channels; ++c) {
    const std::vector<float> channel = superpose(base.channel(c), other.channel(c), plan);
    mixed.samples.insert(mixed.samples.end(), channel.begin(), channel.end());
  }
  return mixed;
}

struct FeatureAugmenter {
  FeatureMap& features;
  Rng& rng;

  void operator()(const FrequencyWarpOptions& options) const {
    if (rng.bernoulli(options.probability))
      frequency_warp(features, draw_frequency_warp(options, features.n_mels, rng));
  }
  void operator()(const TimeMaskOptions& options) const {
    if (rng.bernoulli(options.probability))
      mask_time(features, draw_stretch(features.n_frames, options.max_frames, options.max_share, rng));
  }
  void operator()(const FrequencyMaskOptions& options) const {
    if (rng.bernoulli(options.probability))
      mask_frequency(features, draw_stretch(features.n_mels, options.max_bands, options.max_share, rng));
  }
  void operator()(const SuperposeMixupOptions&) const {}  // done on the waveform
  void operator()(const TimeShiftOptions&) const {}
};

}  // namespace

ExampleMaker::ExampleMaker(const Recipe& recipe, const ClipStore& clips)
    : recipe_(recipe), clips_(clips), extractor_(recipe.log_mel()) {}

const Normalizer& ExampleMaker::measure_normalizer() {
  FeatureMoments moments;
  LogMelWorkspace workspace;
  FeatureMap features;
  for (std::size_t i = 0; i < clips_.size(); ++i) {
    extractor_.compute(*clips_.get(i), workspace, features);
    moments.add(features);
  }
  normalizer_ = moments.normalizer(recipe_.normalize);
  return normalizer_;
}

void ExampleMaker::mix_in(const SuperposeMixupOptions& options, std::size_t clip, Rng& rng,
                          Waveform& waveform, std::vector<float>& targets) const {
  if (!rng.bernoulli(options.probability) || clips_.size() < 2) return;
  const auto longest =
      static_cast<std::size_t>(options.length_ratio * static_cast<double>(waveform.n_samples()));
  const auto max_samples = static_cast<std::size_t>(std::llround(options.max_s * waveform.sample_rate_hz));
  for (int i = 0; i < kPartnerTries; ++i) {
    const std::size_t other = rng.below(clips_.size());
    SuperposePlan plan;
    if (other == clip || clips_.n_samples(other) > longest ||
        !draw_plan(waveform.n_samples(), clips_.n_samples(other), max_samples, rng, plan))
      continue;
    waveform = superpose_channels(waveform, *clips_.get(other), plan);
    const std::vector<float>& others = clips_.clip(other).targets;
    // Union of the tags: what either clip is known to hold, the mixture holds.
    for (std::size_t k = 0; k < targets.size(); ++k) {
      targets[k] = is_known(targets[k]) && is_known(others[k])       ? std::max(targets[k], others[k])
                   : std::max({targets[k], others[k], 0.0f}) >= 1.0f ? 1.0f
                                                                     : kUnknownTarget;
    }
    return;
  }
}

Example ExampleMaker::augmented(std::size_t clip, std::uint64_t epoch) const {
  const std::uint64_t item = fnv1a(clips_.clip(clip).id);
  Example example{{}, clips_.clip(clip).targets};
  Waveform waveform = *clips_.get(clip);
  Rng wave_rng(recipe_.seed, "augment_waveform", epoch, item);
  for (const AugmentOptions& options : recipe_.augment) {
    if (const auto* mixup = std::get_if<SuperposeMixupOptions>(&options)) {
      mix_in(*mixup, clip, wave_rng, waveform, example.targets);
    } else if (const auto* shift = std::get_if<TimeShiftOptions>(&options);
               shift && wave_rng.bernoulli(shift->probability)) {
      const std::size_t by = draw_time_shift(*shift, waveform.n_samples(), wave_rng);
      for (int c = 0; c < waveform.n_channels; ++c) time_shift(waveform.channel(c), by);
    }
  }
  example.features = extractor_.compute(waveform);
  normalizer_.apply(example.features);
  Rng feature_rng(recipe_.seed, "augment_features", epoch, item);
  for (const AugmentOptions& options : recipe_.augment)
    std::visit(FeatureAugmenter{example.features, feature_rng}, options);
  return example;
}

Example ExampleMaker::plain(std::size_t clip) const {
  Example example{extractor_.compute(*clips_.get(clip)), clips_.clip(clip).targets};
  normalizer_.apply(example.features);
  return example;
}

Batch collate(std::vector<Example> examples, std::vector<std::string> clip_ids) {
  Batch batch;
  batch.clip_ids = std::move(clip_ids);
  for (const Example& e : examples)
    batch.n_frames = std::max<std::int64_t>(batch.n_frames, e.features.n_frames);
  batch.n_channels = examples.front().features.n_channels;
  batch.n_mels = examples.front().features.n_mels;
  batch.features.assign(
      examples.size() * static_cast<std::size_t>(batch.n_channels * batch.n_mels * batch.n_frames), 0.0f);
  float* out = batch.features.data();
  for (const Example& e : examples) {
    for (int c = 0; c < e.features.n_channels; ++c) {
      for (int m = 0; m < e.features.n_mels; ++m, out += batch.n_frames) {
        const std::span<const float> row = e.features.row(c, m);
        std::copy(row.begin(), row.end(), out);
      }
    }
    batch.n_valid.push_back(e.features.n_frames);
    batch.targets.insert(batch.targets.end(), e.targets.begin(), e.targets.end());
  }
  return batch;
}

}  // namespace earmark
