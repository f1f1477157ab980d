// talnet_options.h: sizes of TALNet; no libtorch here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// Sizes of the convolution stack that TALNet and both branches of UrbanNet share: every second layer (of
/// n_conv / n_pool) halves the bands, the first two of these the frames as well; a layer that leaves F bands
/// has embedding / F channels, twice that where none is halved, so that the last one gives `embedding`
/// features a frame.
struct ConvStackOptions {
  int n_mels = 64;
  int n_channels = 1;
  int embedding = 1024;
  int n_conv = 10;
  int n_pool = 5;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_mels", self.n_mels, Range{2, 1024}, "mel bands; set from the features when training");
    visit("n_channels", self.n_channels, Range{1, 64}, "input channels; set from the features when training");
    visit("embedding", self.embedding, Range{2, 65536}, "features a frame after the convolutions");
    visit("n_conv", self.n_conv, Range{1, 64}, "convolutions, a multiple of n_pool");
    visit("n_pool", self.n_pool, Range{1, 16}, "of them followed by pooling");
  }
};

/// TALNet (Wang, Li, Metze 2019): convolutions, a bidirectional GRU, attention pooling.
struct TalnetOptions : ConvStackOptions {
  static constexpr std::string_view kKind = "talnet";
  static constexpr int kRevision = 1;
  int n_tags = 527;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    ConvStackOptions::fields(self, visit);
  }
};

}  // namespace earmark
