// vggish_options.h: sizes of VGGish; no libtorch here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// VGGish (Hershey et al. 2017): embeddings of log-mel examples of 96 frames of 64 bands.
struct VggishOptions {
  static constexpr std::string_view kKind = "vggish";
  static constexpr int kRevision = 1;
  int n_tags = 128;
  int n_mels = 64;
  int n_channels = 1;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "width of the embedding");
    visit("n_mels", self.n_mels, Range{64, 64}, "mel bands");
    visit("n_channels", self.n_channels, Range{1, 1}, "input channels");
  }
};

}  // namespace earmark
