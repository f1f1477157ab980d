// single_block_densenet_options.h: sizes of the single-block DenseNets; no libtorch here.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "earmark/log_mel.h"
#include "earmark/options.h"
#include "features/published_front_ends.h"

namespace earmark {

/// What the dense block grows over.
enum class DensenetInput {
  kLogMel,    ///< a log-mel that the network makes of the waveform, convolved along bands and frames
  kWaveform,  ///< the samples themselves, convolved along time
};
template <>
struct EnumNames<DensenetInput> {
  static constexpr std::array kNames{std::pair{DensenetInput::kLogMel, std::string_view("log_mel")},
                                     std::pair{DensenetInput::kWaveform, std::string_view("waveform")}};
};

/// Over what the loudest cell is searched that becomes 0 dB.
enum class DbReference { kClip, kBatch };
template <>
struct EnumNames<DbReference> {
  static constexpr std::array kNames{std::pair{DbReference::kClip, std::string_view("clip")},
                                     std::pair{DbReference::kBatch, std::string_view("batch")}};
};

/// Cochlear.ai, DCASE 2018 Task 2. It hears waveforms, whatever its input.
struct SingleBlockDensenetOptions {
  static constexpr std::string_view kKind = "single_block_densenet";
  static constexpr int kRevision = 1;
  int n_tags = 41;
  int n_channels = 1;
  DensenetInput input = DensenetInput::kLogMel;
  int n_low = 0;
  std::vector<int> growth;
  int se_ratio = 2;
  int n_heads = 8;
  LogMelOptions log_mel = cochlear_front_end(44100);
  DbReference db_reference = DbReference::kClip;

  /// n_low and growth, the published ones where none are given.
  int n_low_filters() const;
  std::vector<int> widths() const;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    visit("n_channels", self.n_channels, Range{1, 64},
          "input channels, one: the network hears mono; set from the features when training");
    visit("input", self.input, kAny, "what the dense block grows over");
    visit("n_low", self.n_low, Range{0, 1024},
          "filters of the first convolution, beside the input itself; 0: as published, 15 (log_mel) or 1");
    visit("growth", self.growth, Range{1, 4096},
          "channels that each module adds, a module halves the resolution; empty: as published, 8 modules of "
          "16, 32 ... 512 (log_mel) or 15 of 2, 4 ... 512");
    visit("se_ratio", self.se_ratio, Range{1, 1024},
          "squeeze-and-excitation: its hidden layer has a module's channels over this, at least one");
    visit("n_heads", self.n_heads, Range{1, 1024},
          "last layers, each with a softmax of its own; the scores are their mean");
    visit("log_mel", self.log_mel, kAny,
          "input: log_mel: the picture that the network makes of the waveform, behind a BatchNorm");
    visit("db_reference", self.db_reference, kAny,
          "what log_mel.reference: max looks at: every clip for itself, or the whole batch (kapre before "
          "2019), in training; one clip alone is heard alike either way");
  }
};

}  // namespace earmark
