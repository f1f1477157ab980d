#include "train/examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "audio/resample.h"
#include "core/parallel.h"
#include "data/clip_metadata.h"

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

// Plans the steps that concern no other clip, in the order of the recipe.
struct WaveStepPlanner {
  Rng& rng;
  WavePlan& plan;

  void operator()(const RandomSegmentOptions& options) const {
    const std::ptrdiff_t begin = draw_segment(options, plan.n_samples, rng);
    plan.n_samples = static_cast<std::size_t>(options.samples);
    plan.steps.emplace_back(WavePlan::Segment{begin, plan.n_samples});
  }
  void operator()(const TimeShiftOptions& options) const {
    if (rng.bernoulli(options.probability))
      plan.steps.emplace_back(WavePlan::Shift{draw_time_shift(options, plan.n_samples, rng)});
  }
  void operator()(const VolumeOptions& options) const {
    if (rng.bernoulli(options.probability))
      plan.steps.emplace_back(WavePlan::Volume{options, draw_volume(rng)});
  }
  void operator()(const PitchShiftOptions& options) const {
    if (rng.bernoulli(options.probability))
      plan.steps.emplace_back(WavePlan::Pitch{draw_semitones(options, rng)});
  }
  void operator()(const PinkNoiseOptions& options) const {
    if (rng.bernoulli(options.probability))
      plan.steps.emplace_back(WavePlan::Noise{options, draw_pink_noise(rng)});
  }
  template <class OnFeatures>
  void operator()(const OnFeatures&) const {}
};

struct WaveStepRunner {
  const ClipStore& clips;
  Waveform& waveform;

  void operator()(const WavePlan::Segment& segment) const {
    cut_segment(waveform, segment.begin, segment.length);
  }
  void operator()(const WavePlan::Mix& mix) const {
    waveform = superpose_channels(waveform, *clips.get(mix.other), mix.how);
  }
  void operator()(const WavePlan::Gain& gain) const {
    const auto by = static_cast<float>(gain.by);
    for (float& sample : waveform.samples) sample *= by;
  }
  void operator()(const WavePlan::Shift& shift) const {
    for (int c = 0; c < waveform.n_channels; ++c) time_shift(waveform.channel(c), shift.by);
  }
  void operator()(const WavePlan::Volume& volume) const {
    change_volume(waveform, volume.options, volume.how);
  }
  void operator()(const WavePlan::Pitch& pitch) const { pitch_shift(waveform, pitch.semitones); }
  void operator()(const WavePlan::Noise& noise) const { add_pink_noise(waveform, noise.options, noise.how); }
};

struct FeatureAugmenter {
  FeatureMap& features;
  Stripes& stripes;
  Rng& rng;

  void operator()(const FrequencyWarpOptions& options) const {
    if (rng.bernoulli(options.probability))
      frequency_warp(features, draw_frequency_warp(options, features.n_mels, rng));
  }
  void operator()(const ShiftScaleRotateOptions& options) const {
    if (rng.bernoulli(options.probability))
      shift_scale_rotate(features, draw_shift_scale_rotate(options, rng));
  }
  void operator()(const GridDistortionOptions& options) const {
    if (rng.bernoulli(options.probability))
      grid_distortion(features, draw_grid_distortion(options, rng), options.compat);
  }
  void operator()(const CutoutOptions& options) const {
    if (rng.bernoulli(options.probability)) {
      cut_out(features, draw_cutout(options, features.n_mels, features.n_frames, rng),
              static_cast<float>(options.fill));
    }
  }
  void operator()(const TimeWarpOptions& options) const {
    if (rng.bernoulli(options.probability))
      time_warp(features, draw_time_warp(options, features.n_frames, rng));
  }
  void operator()(const TimeMaskOptions& options) const {
    if (rng.bernoulli(options.probability))
      mask_time(features, draw_stretch(features.n_frames, options.max_frames, options.max_share, rng));
  }
  void operator()(const FrequencyMaskOptions& options) const {
    if (rng.bernoulli(options.probability))
      mask_frequency(features, draw_stretch(features.n_mels, options.max_bands, options.max_share, rng));
  }
  void operator()(const NetworkStripesOptions& options) const {
    if (!rng.bernoulli(options.probability)) return;
    const auto draw = [&](int n, int length, int max_width, std::vector<std::pair<int, int>>& out) {
      for (int i = 0; i < n; ++i) {
        const Stretch stretch = draw_stripe(length, max_width, rng);
        out.emplace_back(stretch.begin, stretch.end);
      }
    };
    draw(options.n_time, features.n_frames, options.max_frames, stripes.frames);
    draw(options.n_mel, features.n_mels, options.max_bands, stripes.bands);
  }
  void operator()(const TimeCropOptions& options) const {
    if (features.n_frames <= options.frames) return;
    crop_frames(
        features,
        static_cast<int>(rng.below(static_cast<std::uint64_t>(features.n_frames - options.frames + 1))),
        options.frames);
  }
  void operator()(const ChannelSwapOptions& options) const {
    if (rng.bernoulli(options.probability)) swap_channels(features);
  }
  void operator()(const MixupOptions&) const {}  // done on the batch
  void operator()(const RandomScaleOptions&) const {}
  void operator()(const RandomSegmentOptions&) const {}  // done on the waveform
  void operator()(const SuperposeMixupOptions&) const {}
  void operator()(const TimeShiftOptions&) const {}
  void operator()(const VolumeOptions&) const {}
  void operator()(const PitchShiftOptions&) const {}
  void operator()(const PinkNoiseOptions&) const {}
};

// Both targets are kept: a loss may mask by them, and then differs from the loss of their mean.
void keep_both_targets(Batch& batch, std::size_t size, const MixupPlan& plan) {
  const std::vector<float> targets = batch.targets;
  const std::size_t n_tags = targets.size() / size;
  batch.share = plan.lambda.front();
  batch.targets.resize(plan.partner.size() * n_tags);
  for (const std::size_t partner : plan.partner) {
    const auto from = targets.begin() + static_cast<std::ptrdiff_t>(partner * n_tags);
    batch.other_targets.insert(batch.other_targets.end(), from, from + static_cast<std::ptrdiff_t>(n_tags));
  }
}

// What else is told of each item, once it is a mixture of two.
void mix_facts(Batch& batch, const MixupPlan& plan) {
  const std::vector<std::int64_t> n_valid = batch.n_valid;
  const std::vector<bool> verified = batch.verified;
  const std::size_t n = plan.partner.size();
  batch.n_valid.resize(n);
  batch.verified.resize(n);
  batch.clip_ids.resize(n);
  if (!batch.stripes.empty()) batch.stripes.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    batch.n_valid[i] = std::max(n_valid[i], n_valid[plan.partner[i]]);
    batch.verified[i] = verified[i] && verified[plan.partner[i]];
  }
}

}  // namespace

ExampleMaker::ExampleMaker(const Recipe& recipe, const ClipStore& clips)
    : recipe_(recipe), clips_(clips), extractor_(recipe.features) {
  for (std::size_t i = 0; i < clips.size(); ++i) {
    all_.push_back(i);
    if (clips.clip(i).verified) verified_.push_back(i);
  }
}

// From the cache when there is one and it has them.
std::vector<float> ExampleMaker::kept(const std::string& key,
                                      const std::function<std::vector<float>()>& make) const {
  DiskCache* cache = clips_.cache();
  if (cache == nullptr || key.empty()) return make();
  if (const auto stored = cache->get(key)) {
    if (auto values = floats_of(*stored); values && !values->empty()) return *std::move(values);
  }
  std::vector<float> values = make();
  cache->put(key, as_cache_bytes(values));
  return values;
}

// All that the samples which `plan` makes of a clip depend on; empty when they never come again.
std::string ExampleMaker::name_of(std::size_t clip, const WavePlan& plan, std::uint64_t variant) const {
  if (clips_.cache() == nullptr) return "";
  if (plan.steps.empty()) return clips_.key(clip);
  const bool others = std::any_of(plan.steps.begin(), plan.steps.end(), [](const auto& step) {
    return std::holds_alternative<WavePlan::Mix>(step);
  });
  if (recipe_.train.wave_variants == 0 || others) return "";
  std::string name = fmt::format("{}\nseed {} variant {}", clips_.key(clip), recipe_.seed, variant);
  for (const AugmentOptions& options : recipe_.augment)
    name += fmt::format("\n{}", to_json(write_options(options)));
  return name;
}

// Of the features of samples of that name; empty where they are made in less time than they are read.
std::string ExampleMaker::key_of(const std::string& name) const {
  const auto* log_mel = std::get_if<LogMelFeatures>(&recipe_.features);
  if (name.empty() || log_mel == nullptr) return "";
  const LogMelOptions& options = *log_mel;
  return fmt::format("log_mel {}\n{}\n{}", kLogMelRevision, to_json(write_options(options)), name);
}

// Features, not normalised, and embeddings of what `plan` makes of a clip.
void ExampleMaker::hear(std::size_t clip, const WavePlan& plan, std::uint64_t variant,
                        Example& example) const {
  std::shared_ptr<const Waveform> as_it_is;
  std::optional<Waveform> changed;
  const auto waveform = [&]() -> const Waveform& {
    if (!as_it_is) as_it_is = clips_.get(clip);
    if (plan.steps.empty()) return *as_it_is;
    if (!changed) {
      changed = *as_it_is;
      for (const auto& step : plan.steps) std::visit(WaveStepRunner{clips_, *changed}, step);
    }
    return *changed;
  };
  const std::string name = name_of(clip, plan, variant);
  FeatureMap& features = example.features;
  features.n_channels = extractor_.n_channels();
  features.n_mels = n_mels_of(recipe_.features);
  features.values = kept(key_of(name), [&] {
    return naming_clip(clips_.clip(clip), [&] { return extractor_.compute(waveform()).values; });
  });
  features.n_frames = static_cast<int>(features.values.size() /
                                       static_cast<std::size_t>(features.n_channels * features.n_mels));
  if (embedder_ == nullptr) return;
  // In memory too where the same samples come again.
  const bool again = plan.steps.empty() || recipe_.train.wave_variants > 0;
  const VariantOf place{clip, plan.steps.empty() ? 0 : variant + 1};
  if (again) {
    const std::lock_guard lock(embeddings_mutex_);
    if (const auto found = embeddings_.find(place); found != embeddings_.end()) {
      example.embeddings = found->second;
      return;
    }
  }
  example.embeddings = kept(name.empty() ? "" : fmt::format("embedding\n{}\n{}", embedder_id_, name), [&] {
    LogMelWorkspace workspace;
    return embedder_->embed(resampled(waveform(), embedder_->sample_rate_hz()), workspace);
  });
  if (!again) return;
  const std::lock_guard lock(embeddings_mutex_);
  embeddings_[place] = example.embeddings;
}

FeatureMap ExampleMaker::features_of(std::size_t clip) const {
  Example example;
  hear(clip, {}, 0, example);
  return std::move(example.features);
}

void ExampleMaker::use_embedder(const Embedder* embedder, std::string id) {
  embedder_ = embedder;
  embedder_id_ = std::move(id);
}

void ExampleMaker::embed_all(int threads, const std::function<void(std::size_t)>& on_clip) {
  if (embedder_ == nullptr) return;
  std::mutex mutex;
  std::size_t n_done = 0;
  parallel_for(clips_.size(), threads, [&](std::size_t clip, int) {
    Example example;
    hear(clip, {}, 0, example);
    const std::lock_guard lock(mutex);
    on_clip(++n_done);
  });
}

std::uint64_t ExampleMaker::variant_of(std::uint64_t epoch) const {
  const auto n = static_cast<std::uint64_t>(recipe_.train.wave_variants);
  return n == 0 ? epoch : epoch % n;
}

// A number of its own for each repetition of a clip within an epoch: they are drawn apart.
std::uint64_t ExampleMaker::variant_of(const Visit& visit, std::uint64_t epoch) const {
  return static_cast<std::uint64_t>(visit.repetition) *
             static_cast<std::uint64_t>(recipe_.train.wave_variants) +
         variant_of(epoch);
}

void ExampleMaker::measure_normalizers(int threads) {
  const bool apart = recipe_.normalize_sources == NormalizeSources::kApart && !verified_.empty() &&
                     verified_.size() < clips_.size();
  const bool waveforms = std::holds_alternative<WaveformOptions>(recipe_.features);
  if (waveforms && recipe_.normalize == NormalizeScale::kNone) return set_normalizers({}, {});
  // Sums of so many clips each, added up in order: no bit depends on the number of threads.
  constexpr std::size_t kClips = 64;
  struct Sums {
    FeatureMoments checked, unchecked;
  };
  std::vector<Sums> parts((clips_.size() + kClips - 1) / kClips);
  parallel_for(parts.size(), threads, [&](std::size_t part, int) {
    const std::size_t end = std::min(clips_.size(), (part + 1) * kClips);
    for (std::size_t i = part * kClips; i < end; ++i) {
      const bool own = apart && !clips_.clip(i).verified;
      (own ? parts[part].unchecked : parts[part].checked).add(features_of(i));
    }
  });
  FeatureMoments checked, unchecked;
  for (const Sums& part : parts) {
    checked.merge(part.checked);
    unchecked.merge(part.unchecked);
  }
  set_normalizers(checked.normalizer(recipe_.normalize), {});
  if (apart) unverified_normalizer_ = unchecked.normalizer(recipe_.normalize);
}

void ExampleMaker::set_normalizers(Normalizer normalizer, std::optional<Normalizer> unverified) {
  normalizer_ = std::move(normalizer);
  unverified_normalizer_ = std::move(unverified);
}

const std::vector<MetadataColumn>& ExampleMaker::measure_metadata_columns() {
  columns_ = recipe_.metadata;
  std::vector<std::vector<double>> values(columns_.size());
  for (std::size_t i = 0; i < clips_.size(); ++i) {
    const Metadata known = metadata_values(clips_.clip(i), columns_);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (const auto found = known.find(columns_[c].name); found != known.end())
        values[c].push_back(found->second);
    }
  }
  measure_metadata(columns_, values);
  return columns_;
}

bool ExampleMaker::plan_mix(const SuperposeMixupOptions& options, const Visit& visit, Rng& rng,
                            WavePlan& plan) const {
  const std::vector<std::size_t>& partners = visit.repetition > 0 ? verified_ : all_;
  if (!rng.bernoulli(options.probability) || partners.size() < 2) return false;
  const auto longest = static_cast<std::size_t>(options.length_ratio * static_cast<double>(plan.n_samples));
  const auto max_samples =
      static_cast<std::size_t>(std::llround(options.max_s * sample_rate_of(recipe_.features)));
  for (int i = 0; i < kPartnerTries; ++i) {
    WavePlan::Mix mix;
    mix.other = partners[rng.below(partners.size())];
    const std::size_t n_other = clips_.n_samples(mix.other);
    if (mix.other == visit.clip || n_other > longest ||
        !draw_plan(plan.n_samples, n_other, max_samples, rng, mix.how))
      continue;
    plan.n_samples = superposed_length(plan.n_samples, n_other, mix.how);
    plan.steps.emplace_back(mix);
    plan.verified = plan.verified && clips_.clip(mix.other).verified;
    const std::vector<float>& others = clips_.clip(mix.other).targets;
    // Union of the tags: what either clip is known to hold, the mixture holds.
    for (std::size_t k = 0; k < plan.targets.size(); ++k) {
      float& target = plan.targets[k];
      target = is_known(target) && is_known(others[k])       ? std::max(target, others[k])
               : std::max({target, others[k], 0.0f}) >= 1.0f ? 1.0f
                                                             : kUnknownTarget;
    }
    return true;
  }
  return false;
}

WavePlan ExampleMaker::plan(const Visit& visit, std::uint64_t epoch) const {
  WavePlan plan;
  plan.n_samples = clips_.n_samples(visit.clip);
  plan.targets = clips_.clip(visit.clip).targets;
  plan.verified = clips_.clip(visit.clip).verified;
  Rng rng(recipe_.seed, "augment_waveform", variant_of(epoch), item_of(clips_.clip(visit.clip), visit));
  for (const AugmentOptions& options : recipe_.augment) {
    if (const auto* mixup = std::get_if<SuperposeMixupOptions>(&options)) {
      // The base has its gain in any case (UPB, section 4.1; the program gave it with a second clip only).
      if (!plan_mix(*mixup, visit, rng, plan)) plan.steps.emplace_back(WavePlan::Gain{draw_gain(rng)});
    } else {
      std::visit(WaveStepPlanner{rng, plan}, options);
    }
  }
  return plan;
}

BucketItem ExampleMaker::describe(const Visit& visit, std::uint64_t epoch) const {
  const WavePlan planned = plan(visit, epoch);
  BucketItem item;
  item.length = extractor_.n_frames(planned.n_samples);
  for (const AugmentOptions& options : recipe_.augment) {
    if (const auto* crop = std::get_if<TimeCropOptions>(&options))
      item.length = std::min(item.length, static_cast<double>(crop->frames));
  }
  for (const float target : planned.targets) item.tags.push_back(target >= 0.5f);
  return item;
}

Example ExampleMaker::augmented(const Visit& visit, std::uint64_t epoch) const {
  WavePlan planned = plan(visit, epoch);
  Example example;
  example.targets = planned.targets;
  example.verified = planned.verified;
  hear(visit.clip, planned, variant_of(visit, epoch), example);
  normalizer_of(visit.clip).apply(example.features);
  Rng feature_rng(recipe_.seed, "augment_features", epoch, item_of(clips_.clip(visit.clip), visit));
  for (const AugmentOptions& options : recipe_.augment)
    std::visit(FeatureAugmenter{example.features, example.stripes, feature_rng}, options);
  example.metadata = scaled_metadata(columns_, metadata_values(clips_.clip(visit.clip), columns_));
  return example;
}

Example ExampleMaker::plain(std::size_t clip) const {
  Example example;
  example.targets = clips_.clip(clip).targets;
  example.verified = clips_.clip(clip).verified;
  hear(clip, {}, 0, example);
  normalizer_of(clip).apply(example.features);
  example.metadata = scaled_metadata(columns_, metadata_values(clips_.clip(clip), columns_));
  return example;
}

namespace {

// What is unknown of either clip is unknown of their mean.
void mix_targets(std::vector<float>& targets, std::size_t batch_size, const MixupPlan& plan) {
  const std::vector<float> before = targets;
  mix_items(targets, batch_size, plan);
  const std::size_t n_tags = before.size() / batch_size;
  for (std::size_t item = 0; item < plan.partner.size(); ++item) {
    if (plan.lambda[item] == 1.0) continue;
    for (std::size_t k = 0; k < n_tags; ++k) {
      if (!is_known(before[item * n_tags + k]) || !is_known(before[plan.partner[item] * n_tags + k]))
        targets[item * n_tags + k] = kUnknownTarget;
    }
  }
}

}  // namespace

void ExampleMaker::mix(Batch& batch, const MixupOptions& options) const {
  const auto size = static_cast<std::size_t>(batch.size());
  const MixupPlan plan = draw_mixup(options, recipe_.seed, batch.iteration, size);
  if (!plan.changes() && !options.halves) return;
  for (std::vector<float>* values : {&batch.features, &batch.metadata, &batch.embeddings}) {
    if (!values->empty()) mix_items(*values, size, plan);
  }
  if (options.each) {
    mix_targets(batch.targets, size, plan);
  } else {
    keep_both_targets(batch, size, plan);
  }
  mix_facts(batch, plan);
}

void ExampleMaker::mix(Batch& batch) const {
  for (const AugmentOptions& options : recipe_.augment) {
    if (const auto* mixup = std::get_if<MixupOptions>(&options)) mix(batch, *mixup);
    if (const auto* scale = std::get_if<RandomScaleOptions>(&options)) {
      scale_items(batch.features,
                  draw_scales(*scale, recipe_.seed, batch.iteration, static_cast<std::size_t>(batch.size())));
    }
  }
}

Batch collate(std::vector<Example> examples, std::vector<std::string> clip_ids) {
  Batch batch;
  batch.clip_ids = std::move(clip_ids);
  for (const Example& e : examples)
    batch.n_frames = std::max<std::int64_t>(batch.n_frames, e.features.n_frames);
  batch.n_channels = examples.front().features.n_channels;
  batch.n_mels = examples.front().features.n_mels;
  if (std::any_of(examples.begin(), examples.end(), [](const Example& e) { return !e.stripes.empty(); })) {
    for (const Example& e : examples) batch.stripes.push_back(e.stripes);
  }
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
    batch.verified.push_back(e.verified);
    batch.targets.insert(batch.targets.end(), e.targets.begin(), e.targets.end());
    batch.metadata.insert(batch.metadata.end(), e.metadata.begin(), e.metadata.end());
    batch.embeddings.insert(batch.embeddings.end(), e.embeddings.begin(), e.embeddings.end());
  }
  return batch;
}

}  // namespace earmark
