// upb_crnn_options.h: sizes of the UPB CRNN; no libtorch here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

struct UpbCrnnOptions {
  static constexpr std::string_view kKind = "upb_crnn";
  static constexpr int kRevision = 1;
  int n_tags = 80;
  int n_mels = 128;
  int n_channels = 1;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    visit("n_mels", self.n_mels, Range{32, 1024},
          "mel bands, a multiple of 32; set from the features when training");
    visit("n_channels", self.n_channels, Range{1, 64}, "input channels; set from the features when training");
  }
};

}  // namespace earmark
