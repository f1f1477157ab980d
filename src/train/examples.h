// examples.h: a clip as the network meets it in training: mixed, turned into features, normalised,
// warped and masked. A pure function of (seed, epoch, clip), so any thread may make any example.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "earmark/feature_map.h"
#include "earmark/log_mel.h"
#include "features/normalize.h"
#include "recipe/recipe.h"
#include "train/clip_store.h"

namespace earmark {

struct Example {
  FeatureMap features;
  std::vector<float> targets;
};

/// Thread-safety: const members may be called from many threads at once.
class ExampleMaker {
 public:
  ExampleMaker(const Recipe& recipe, const ClipStore& clips);

  /// Statistics of the un-augmented clips; from then on applied to every example.
  const Normalizer& measure_normalizer();
  void set_normalizer(Normalizer normalizer) { normalizer_ = std::move(normalizer); }
  const Normalizer& normalizer() const { return normalizer_; }

  /// As trained on.
  Example augmented(std::size_t clip, std::uint64_t epoch) const;
  /// As scored: no augmentation.
  Example plain(std::size_t clip) const;

  const ClipStore& clips() const { return clips_; }

 private:
  void mix_in(const SuperposeMixupOptions& options, std::size_t clip, Rng& rng, Waveform& waveform,
              std::vector<float>& targets) const;

  const Recipe& recipe_;
  const ClipStore& clips_;
  LogMelExtractor extractor_;
  Normalizer normalizer_;
};

/// Zero-padded examples side by side: [batch, n_channels, n_mels, longest].
struct Batch {
  long iteration = 0;
  std::uint64_t epoch = 0;
  std::int64_t n_channels = 0, n_mels = 0, n_frames = 0;
  std::vector<float> features;
  std::vector<float> targets;  ///< [batch, n_tags]
  std::vector<std::int64_t> n_valid;
  std::vector<std::string> clip_ids;

  std::int64_t size() const { return static_cast<std::int64_t>(n_valid.size()); }
};
Batch collate(std::vector<Example> examples, std::vector<std::string> clip_ids);

}  // namespace earmark
