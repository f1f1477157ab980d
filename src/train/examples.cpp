#include "train/examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace earmark {
namespace {

constexpr int kPartnerTries = 100;
// Raised whenever the same samples and options would give other features than before.
constexpr int kLogMelRevision = 2;

// Several waveform channels are mixed with one plan, so that they stay together.
Waveform superpose_channels(const Waveform& base, const Waveform& other, const SuperposePlan& plan) {
  Waveform mixed{base.sample_rate_hz, base.n_channels, {}};
  for (int c = 0; c < base.n_channels; ++c) {
    const std::vector<float> channel = superpose(base.channel(c), other.channel(c), plan);
    mixed.samples.insert(mixed.samples.end(), channel.begin(), channel.end());
  }
  return mixed;
}

// Each visit of a clip in an epoch draws its own augmentation.
std::uint64_t item_of(const Clip& clip, const Visit& visit) {
  return fnv1a(visit.repetition == 0 ? clip.id : fmt::format("{}\n{}", clip.id, visit.repetition));
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
    : recipe_(recipe), clips_(clips), extractor_(recipe.log_mel()) {
  for (std::size_t i = 0; i < clips.size(); ++i) {
    all_.push_back(i);
    if (clips.clip(i).verified) verified_.push_back(i);
  }
}

// Of the whole clip as it is, neither augmented nor normalised; from the cache when it is there.
FeatureMap ExampleMaker::features_of(std::size_t clip) const {
  DiskCache* cache = clips_.cache();
  if (cache == nullptr) return extractor_.compute(*clips_.get(clip));
  const LogMelOptions& options = recipe_.log_mel();
  const std::string key =
      fmt::format("log_mel {}\n{}\n{}", kLogMelRevision, to_json(write_options(options)), clips_.key(clip));
  if (const auto stored = cache->get(key)) {
    const int n_channels = extractor_.n_channels(options.channels == Channels::kMono ? 1 : 2);
    const auto rows = static_cast<std::size_t>(n_channels) * static_cast<std::size_t>(options.n_mels);
    if (auto values = floats_of(*stored); values && !values->empty() && values->size() % rows == 0) {
      const auto n_frames = static_cast<int>(values->size() / rows);
      return {n_channels, options.n_mels, n_frames, std::move(*values)};
    }
  }
  FeatureMap features = extractor_.compute(*clips_.get(clip));
  cache->put(key, as_cache_bytes(features.values));
  return features;
}

const Normalizer& ExampleMaker::measure_normalizer() {
  FeatureMoments moments;
  for (std::size_t i = 0; i < clips_.size(); ++i) moments.add(features_of(i));
  normalizer_ = moments.normalizer(recipe_.normalize);
  return normalizer_;
}

void ExampleMaker::plan_mix(const SuperposeMixupOptions& options, const Visit& visit, Rng& rng,
                            WavePlan& plan) const {
  const std::vector<std::size_t>& partners = visit.repetition > 0 ? verified_ : all_;
  if (!rng.bernoulli(options.probability) || partners.size() < 2) return;
  const auto longest = static_cast<std::size_t>(options.length_ratio * static_cast<double>(plan.n_samples));
  const auto max_samples =
      static_cast<std::size_t>(std::llround(options.max_s * recipe_.log_mel().sample_rate_hz));
  for (int i = 0; i < kPartnerTries; ++i) {
    WavePlan::Mix mix;
    mix.other = partners[rng.below(partners.size())];
    const std::size_t n_other = clips_.n_samples(mix.other);
    if (mix.other == visit.clip || n_other > longest ||
        !draw_plan(plan.n_samples, n_other, max_samples, rng, mix.how))
      continue;
    plan.n_samples = superposed_length(plan.n_samples, n_other, mix.how);
    plan.steps.emplace_back(mix);
    const std::vector<float>& others = clips_.clip(mix.other).targets;
    // Union of the tags: what either clip is known to hold, the mixture holds.
    for (std::size_t k = 0; k < plan.targets.size(); ++k) {
      float& target = plan.targets[k];
      target = is_known(target) && is_known(others[k])       ? std::max(target, others[k])
               : std::max({target, others[k], 0.0f}) >= 1.0f ? 1.0f
                                                             : kUnknownTarget;
    }
    return;
  }
}

WavePlan ExampleMaker::plan(const Visit& visit, std::uint64_t epoch) const {
  WavePlan plan;
  plan.n_samples = clips_.n_samples(visit.clip);
  plan.targets = clips_.clip(visit.clip).targets;
  Rng rng(recipe_.seed, "augment_waveform", epoch, item_of(clips_.clip(visit.clip), visit));
  for (const AugmentOptions& options : recipe_.augment) {
    if (const auto* mixup = std::get_if<SuperposeMixupOptions>(&options)) {
      plan_mix(*mixup, visit, rng, plan);
    } else if (const auto* shift = std::get_if<TimeShiftOptions>(&options);
               shift && rng.bernoulli(shift->probability)) {
      plan.steps.emplace_back(WavePlan::Shift{draw_time_shift(*shift, plan.n_samples, rng)});
    }
  }
  return plan;
}

BucketItem ExampleMaker::describe(const Visit& visit, std::uint64_t epoch) const {
  const WavePlan planned = plan(visit, epoch);
  BucketItem item;
  item.length = extractor_.n_frames(planned.n_samples);
  for (const float target : planned.targets) item.tags.push_back(target >= 0.5f);
  return item;
}

FeatureMap ExampleMaker::features_of(std::size_t clip, const WavePlan& plan) const {
  Waveform waveform = *clips_.get(clip);
  for (const auto& step : plan.steps) {
    if (const auto* mix = std::get_if<WavePlan::Mix>(&step)) {
      waveform = superpose_channels(waveform, *clips_.get(mix->other), mix->how);
    } else {
      for (int c = 0; c < waveform.n_channels; ++c)
        time_shift(waveform.channel(c), std::get<WavePlan::Shift>(step).by);
    }
  }
  return extractor_.compute(waveform);
}

Example ExampleMaker::augmented(const Visit& visit, std::uint64_t epoch) const {
  WavePlan planned = plan(visit, epoch);
  Example example{{}, std::move(planned.targets)};
  example.features = planned.steps.empty() ? features_of(visit.clip) : features_of(visit.clip, planned);
  normalizer_.apply(example.features);
  Rng feature_rng(recipe_.seed, "augment_features", epoch, item_of(clips_.clip(visit.clip), visit));
  for (const AugmentOptions& options : recipe_.augment)
    std::visit(FeatureAugmenter{example.features, feature_rng}, options);
  return example;
}

Example ExampleMaker::plain(std::size_t clip) const {
  Example example{features_of(clip), clips_.clip(clip).targets};
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
