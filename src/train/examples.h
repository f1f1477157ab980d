// examples.h: a clip as the network meets it in training: mixed, turned into features, normalised,
// warped and masked. A pure function of (seed, epoch, clip), so any thread may make any example.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/samplers.h"
#include "earmark/feature_map.h"
#include "features/feature_extractor.h"
#include "features/metadata.h"
#include "features/normalize.h"
#include "models/stripes.h"
#include "recipe/recipe.h"
#include "tagger/embedder.h"
#include "train/clip_store.h"

namespace earmark {

struct Example {
  FeatureMap features;
  std::vector<float> targets;
  std::vector<float> metadata{};    ///< [n_metadata], scaled
  std::vector<float> embeddings{};  ///< [n_embedding]
  bool verified = true;             ///< the tags of all that is in it were checked
  Stripes stripes{};                ///< what the network masks of it
};

/// What is decided about a visit before any of its samples are looked at.
struct WavePlan {
  struct Mix {
    std::size_t other = 0;  ///< clip
    SuperposePlan how;
  };
  struct Segment {
    std::ptrdiff_t begin = 0;  ///< in the clip; negative: zeros before it
    std::size_t length = 0;
  };
  struct Gain {
    double by = 1.0;
  };
  struct Shift {
    std::size_t by = 0;  ///< samples
  };
  struct Volume {
    VolumeOptions options;
    VolumePlan how;
  };
  struct Pitch {
    double semitones = 0.0;
  };
  struct Noise {
    PinkNoiseOptions options;
    PinkNoisePlan how;
  };
  std::vector<std::variant<Segment, Mix, Gain, Shift, Volume, Pitch, Noise>> steps;
  std::size_t n_samples = 0;   ///< of the result
  std::vector<float> targets;  ///< [n_tags] of the result
  bool verified = true;        ///< of the result
};

/// Zero-padded examples side by side: [batch, n_channels, n_mels, longest].
struct Batch {
  long iteration = 0;
  std::uint64_t epoch = 0;
  std::int64_t n_channels = 0, n_mels = 0, n_frames = 0;
  std::vector<float> features;
  std::vector<float> targets;  ///< [batch, n_tags]
  double share = 1.0;          ///< of these in a mixed batch
  std::vector<float>
      other_targets;            ///< [batch, n_tags] of what is mixed in, of weight 1 - share; empty: nothing
  std::vector<float> metadata;  ///< [batch, n_metadata]
  std::vector<float> embeddings;  ///< [batch, n_embedding]
  std::vector<Stripes> stripes;   ///< [batch], or empty when nothing is masked
  std::vector<std::int64_t> n_valid;
  std::vector<bool> verified;  ///< [batch]
  std::vector<std::string> clip_ids;

  std::int64_t size() const { return static_cast<std::int64_t>(n_valid.size()); }
};

/// Thread-safety: const members may be called from many threads at once.
class ExampleMaker {
 public:
  ExampleMaker(const Recipe& recipe, const ClipStore& clips);

  /// Statistics of the un-augmented clips; from then on applied to every example. Where the recipe keeps
  /// sources apart and both are there, clips that nobody checked get their own.
  void measure_normalizers(int threads);
  /// @param unverified of the clips that nobody checked; nothing: theirs are the others'.
  void set_normalizers(Normalizer normalizer, std::optional<Normalizer> unverified);
  const Normalizer& normalizer() const { return normalizer_; }
  const std::optional<Normalizer>& unverified_normalizer() const { return unverified_normalizer_; }

  /// Columns of the recipe, measured on these clips; from then on every example has them.
  /// @throws Error(kBadDataset) naming each value that is no number, each column that no clip has.
  const std::vector<MetadataColumn>& measure_metadata_columns();
  void set_metadata_columns(std::vector<MetadataColumn> columns) { columns_ = std::move(columns); }
  const std::vector<MetadataColumn>& metadata_columns() const { return columns_; }

  /// What makes the embeddings of every example from then on; outlives the maker. @param id of its weights.
  void use_embedder(const Embedder* embedder, std::string id);
  /// Makes those of the clips as they are, once for all; `plain` then only looks them up.
  void embed_all(int threads, const std::function<void(std::size_t done)>& on_clip);

  /// As trained on.
  Example augmented(const Visit& visit, std::uint64_t epoch) const;
  /// How long a visit's example is and which tags it has (from 0.5), as batches are made by.
  BucketItem describe(const Visit& visit, std::uint64_t epoch) const;
  /// What is done to a whole batch, a pure function of its iteration: mixup, then its items' loudness.
  void mix(Batch& batch) const;
  /// As scored: no augmentation.
  Example plain(std::size_t clip) const;

  const ClipStore& clips() const { return clips_; }

 private:
  FeatureMap features_of(std::size_t clip) const;
  void mix(Batch& batch, const MixupOptions& options) const;
  std::vector<float> kept(const std::string& key, const std::function<std::vector<float>()>& make) const;
  std::string name_of(std::size_t clip, const WavePlan& plan, std::uint64_t variant) const;
  std::string key_of(const std::string& name) const;
  void hear(std::size_t clip, const WavePlan& plan, std::uint64_t variant, Example& example) const;
  std::uint64_t variant_of(std::uint64_t epoch) const;
  std::uint64_t variant_of(const Visit& visit, std::uint64_t epoch) const;
  const Normalizer& normalizer_of(std::size_t clip) const {
    return unverified_normalizer_ && !clips_.clip(clip).verified ? *unverified_normalizer_ : normalizer_;
  }
  WavePlan plan(const Visit& visit, std::uint64_t epoch) const;
  bool plan_mix(const SuperposeMixupOptions& options, const Visit& visit, Rng& rng, WavePlan& plan) const;

  const Recipe& recipe_;
  const ClipStore& clips_;
  std::vector<std::size_t> all_, verified_;  // clips that may be mixed in
  FeatureExtractor extractor_;
  Normalizer normalizer_;
  std::optional<Normalizer> unverified_normalizer_;
  std::vector<MetadataColumn> columns_;
  const Embedder* embedder_ = nullptr;
  std::string embedder_id_;
  // By clip and variant; a clip that nothing was done to has none.
  using VariantOf = std::pair<std::size_t, std::uint64_t>;
  mutable std::mutex embeddings_mutex_;
  mutable std::map<VariantOf, std::vector<float>> embeddings_;
};

Batch collate(std::vector<Example> examples, std::vector<std::string> clip_ids);

}  // namespace earmark
