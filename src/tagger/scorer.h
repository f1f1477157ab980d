// scorer.h: samples in, scores out: a bundle with its networks built and its self-test passed.
#pragma once
#include <memory>
#include <vector>

#include "earmark/log_mel.h"
#include "earmark/waveform.h"
#include "tagger/bundle.h"
#include "tagger/network.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once.
class Scorer {
 public:
  /// Builds the networks and runs the self-test.
  /// @throws Error(kBadBundle) when weights do not fit, or the bundle no longer gives its own answer.
  Scorer(Bundle bundle, MakeNetworkFn& make_network);

  const Bundle& bundle() const noexcept { return bundle_; }
  /// Rate and channels that samples must have.
  int sample_rate_hz() const noexcept;
  bool mono() const noexcept;

  /// Buffers of one thread, reused from segment to segment.
  struct Workspace {
    LogMelWorkspace log_mel;
    FeatureMap features;
  };

  /// @param waveform a segment at sample_rate_hz(). @return [n_tags], 0..1.
  /// @throws Error(kBadAudio) as LogMelExtractor does.
  std::vector<float> scores(const Waveform& waveform, Workspace& workspace) const;

 private:
  friend void complete_self_test(Bundle& bundle, MakeNetworkFn& make_network, Precision precision);
  struct Part {
    LogMelExtractor extractor;
    std::unique_ptr<Network> network;
  };
  void check_self_test() const;
  std::vector<float> self_test_scores() const;

  Bundle bundle_;
  std::vector<Part> parts_;
};

/// Fills in what `bundle` answers to its self-test, with the weights as they will be stored.
void complete_self_test(Bundle& bundle, MakeNetworkFn& make_network, Precision precision);

}  // namespace earmark
