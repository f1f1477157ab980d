// scorer.h: samples in, scores out: a bundle with its networks built and its self-test passed.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "earmark/log_mel.h"
#include "earmark/waveform.h"
#include "features/feature_extractor.h"
#include "tagger/bundle.h"
#include "tagger/embedder.h"
#include "tagger/network.h"
#include "tagger/score_tree.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once.
class Scorer {
 public:
  /// Builds the networks and runs the self-test.
  /// @throws Error(kBadBundle) when weights do not fit, or the bundle no longer gives its own answer.
  Scorer(Bundle bundle, MakeNetworkFn& make_network);

  /// Without its tensors: the networks have them.
  const Bundle& bundle() const noexcept { return bundle_; }
  /// Rate and channels that samples must have: the highest rate among the networks, several channels when one
  /// of them hears several. What hears at a lower rate is given the segment resampled for itself, so that its
  /// answer depends on the segment alone.
  int sample_rate_hz() const noexcept;
  bool mono() const noexcept;
  /// What the networks' last layers see, one network behind the other.
  int n_embedding() const noexcept;

  /// Buffers of one thread, reused from segment to segment.
  struct Workspace {
    LogMelWorkspace log_mel;
    FeatureMap features;
    std::map<int, Waveform> resampled;  ///< the present segment by its rate
    /// The recording is a training clip that nobody checked: networks that learned from such with statistics
    /// of their own hear it so.
    bool unverified = false;
    bool embed = false;            ///< whether scores() fills:
    std::vector<float> embedding;  ///< [n_embedding] of the segment scored last
  };

  /// Combined and, where the bundle holds a calibration, calibrated.
  /// @param waveform a segment at sample_rate_hz().
  /// @param metadata what is known of the recording; a column that it lacks has the bundle's fallback.
  /// @return [n_tags], 0..1.
  /// @throws Error(kBadAudio) as LogMelExtractor does; Error(kUnsupported) when a network hears embeddings
  /// that the bundle has no network for.
  std::vector<float> scores(const Waveform& waveform, Workspace& workspace,
                            const Metadata& metadata = {}) const;

 private:
  friend void complete_self_test(Bundle& bundle, MakeNetworkFn& make_network, Precision precision);
  struct Part {
    FeatureExtractor extractor;
    std::unique_ptr<Network> network;
    std::unique_ptr<Embedder> embedder;  // null: none
    std::vector<std::size_t> columns;    // its tags' places among the bundle's
  };
  Part make_part(std::size_t index, MakeNetworkFn& make_network);
  void check_self_test() const;
  /// Not calibrated: a steep calibration would magnify what another processor computes otherwise.
  std::vector<float> self_test_scores() const;
  /// Metadata or embeddings of a network.
  using Beside = std::function<std::vector<float>(std::size_t network)>;
  /// One network's scores of its own tags.
  std::vector<float> part_scores(std::size_t index, const Waveform& waveform, Workspace& workspace,
                                 const Beside& metadata, const Beside& embeddings) const;
  /// The networks' scores of their own tags as the bundle's.
  std::vector<float> combined(const std::function<std::vector<float>(std::size_t)>& scores_of,
                              bool calibrated) const;

  Bundle bundle_;
  ScoreTree tree_;
  std::vector<Part> parts_;
};

/// Fills in what `bundle` answers to its self-test, with the weights as they will be stored.
void complete_self_test(Bundle& bundle, MakeNetworkFn& make_network, Precision precision);

}  // namespace earmark
