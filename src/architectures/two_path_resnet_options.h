// two_path_resnet_options.h: sizes of the two-path ResNet; no libtorch here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// Two-path ResNet (McDonnell & Gao, DCASE 2019 Task 1).
struct TwoPathResnetOptions {
  static constexpr std::string_view kKind = "two_path_resnet";
  static constexpr int kRevision = 1;
  int n_tags = 10;
  int n_mels = 128;
  int n_channels = 6;
  int width = 24;
  bool norm_affine = false;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    visit("n_mels", self.n_mels, Range{2, 4096}, "mel bands, even: each path hears one half");
    visit("n_channels", self.n_channels, Range{1, 64}, "input channels; set from the features when training");
    visit("width", self.width, Range{1, 1024},
          "channels of the first stack; the three behind it have 2, 4 and 8 times as many");
    visit("norm_affine", self.norm_affine, kAny,
          "every BatchNorm learns a scale and an offset, not only the first of each path");
  }
};

}  // namespace earmark
