// mean_std_linear_options.h: sizes of the baseline; no libtorch here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// Logistic regression on each band's mean and standard deviation over a clip: what a network must beat.
struct MeanStdLinearOptions {
  static constexpr std::string_view kKind = "mean_std_linear";
  static constexpr int kRevision = 1;
  int n_tags = 10;
  int n_mels = 64;
  int n_channels = 1;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const { return {}; }  // ranges say it all

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    visit("n_mels", self.n_mels, Range{1, 4096}, "mel bands");
    visit("n_channels", self.n_channels, Range{1, 64}, "input channels; set from the features when training");
  }
};

}  // namespace earmark
