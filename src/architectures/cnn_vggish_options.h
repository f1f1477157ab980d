// cnn_vggish_options.h: sizes of CNN+VGGish; no libtorch here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// How the CNN's features meet the VGGish embeddings.
enum class Combine { kBilinear, kConcat, kNone };
template <>
struct EnumNames<Combine> {
  static constexpr std::array kNames{std::pair{Combine::kBilinear, std::string_view("bilinear")},
                                     std::pair{Combine::kConcat, std::string_view("concat")},
                                     std::pair{Combine::kNone, std::string_view("none")}};
};

/// CNN+VGGish (Microsoft, DCASE 2019 Task 5).
struct CnnVggishOptions {
  static constexpr std::string_view kKind = "cnn_vggish";
  static constexpr int kRevision = 1;
  int n_tags = 37;
  int n_mels = 128;
  int n_channels = 1;
  int n_frames = 862;
  int width = 8;
  Combine combine = Combine::kBilinear;
  int n_embedding = 1280;
  double block_dropout = 0.5;
  double head_dropout = 0.2;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    visit("n_mels", self.n_mels, Range{128, 128}, "mel bands");
    visit("n_channels", self.n_channels, Range{1, 64}, "input channels; set from the features when training");
    visit("n_frames", self.n_frames, Range{528, 1039},
          "frames that a clip is cut or, with its own lowest value, completed to");
    visit("width", self.width, Range{1, 256},
          "channels of the first convolution; later ones have 2, 4, 8, 16 and 32 times as many");
    visit("combine", self.combine, kAny,
          "how features and embeddings meet: bilinear as published, concat as in the paper's text, or none");
    visit("n_embedding", self.n_embedding, Range{1, 100000}, "width of a clip's embeddings");
    visit("block_dropout", self.block_dropout, Range{0, 1, false, true}, "after each convolution block");
    visit("head_dropout", self.head_dropout, Range{0, 1, false, true}, "after each hidden layer");
  }
};

}  // namespace earmark
