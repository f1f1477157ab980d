// vggish_options.h: sizes of VGGish; no libtorch here.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// What becomes of whitened embeddings: clipped to -2 .. 2 and laid onto 0 .. 255.
enum class Quantise {
  kNone,      ///< neither
  kTruncate,  ///< fractions cut off, as TensorFlow's VGGish does
  kRound,     ///< to the nearest, as torchvggish does
};
template <>
struct EnumNames<Quantise> {
  static constexpr std::array kNames{std::pair{Quantise::kNone, std::string_view("none")},
                                     std::pair{Quantise::kTruncate, std::string_view("truncate")},
                                     std::pair{Quantise::kRound, std::string_view("round")}};
};

/// VGGish (Hershey et al. 2017): embeddings of log-mel examples of 96 frames of 64 bands.
struct VggishOptions {
  static constexpr std::string_view kKind = "vggish";
  static constexpr int kRevision = 1;
  int n_tags = 128;
  int n_mels = 64;
  int n_channels = 1;
  int width = 64;
  int hidden = 4096;
  int embedding = 0;
  bool pca = false;
  Quantise quantise = Quantise::kNone;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000},
          "outputs: width of the embedding, or tags where `embedding` is not 0");
    visit("n_mels", self.n_mels, Range{64, 64}, "mel bands");
    visit("n_channels", self.n_channels, Range{1, 1}, "input channels");
    visit("width", self.width, Range{1, 1024},
          "channels of the first convolution; later ones have 2, 4 and 8 times as many");
    visit("hidden", self.hidden, Range{1, 100000}, "width of the two hidden layers");
    visit("embedding", self.embedding, Range{0, 100000},
          "0: the network answers with its embedding; else its width, with a layer for n_tags tags behind it "
          "(to train an embedder)");
    visit("pca", self.pca, kAny, "embeddings are whitened by stored principal components");
    visit("quantise", self.quantise, kAny,
          "of whitened embeddings: clipped to -2 .. 2, then 0 .. 255 with the fraction cut off (TensorFlow's "
          "VGGish) or rounded (torchvggish)");
  }
};

}  // namespace earmark
