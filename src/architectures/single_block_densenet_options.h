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

/// What both networks have (Cochlear.ai, DCASE 2018 Task 2).
struct SingleBlockDensenetOptions {
  static constexpr int kRevision = 1;
  int n_tags = 41;
  int n_channels = 1;
  int n_low = 15;
  int n_modules = 8;
  int width = 16;
  int max_width = 512;
  int se_ratio = 2;
  int n_heads = 8;

  /// New channels of module 0, 1 ...: each has twice as many as the one before, up to max_width.
  int width_of(int module) const;

  /// Each broken rule as "field: rule, got value".
  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    visit("n_channels", self.n_channels, Range{1, 64},
          "input channels, one: the network hears mono; set from the features when training");
    visit("n_low", self.n_low, Range{1, 1024}, "filters of the first convolution, beside the input itself");
    visit("n_modules", self.n_modules, Range{1, 32}, "modules, each of which halves the resolution");
    visit("width", self.width, Range{1, 4096}, "channels that the first module adds; the next twice as many");
    visit("max_width", self.max_width, Range{1, 4096}, "channels that a module adds at most");
    visit("se_ratio", self.se_ratio, Range{1, 1024},
          "squeeze-and-excitation: its hidden layer has a module's channels over this, at least one");
    visit("n_heads", self.n_heads, Range{1, 1024},
          "last layers, each with a softmax of its own; the scores are their mean");
  }
};

/// Over what the loudest cell is searched that becomes 0 dB.
enum class DbReference { kClip, kBatch };
template <>
struct EnumNames<DbReference> {
  static constexpr std::array kNames{std::pair{DbReference::kClip, std::string_view("clip")},
                                     std::pair{DbReference::kBatch, std::string_view("batch")}};
};

struct SingleBlockDensenetLogmelOptions : SingleBlockDensenetOptions {
  static constexpr std::string_view kKind = "single_block_densenet_logmel";
  LogMelOptions log_mel = cochlear_front_end(44100);
  DbReference db_reference = DbReference::kClip;

  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    SingleBlockDensenetOptions::fields(self, visit);
    visit("log_mel", self.log_mel, kAny,
          "the picture that the network makes of the waveform, behind a BatchNorm");
    visit("db_reference", self.db_reference, kAny,
          "what log_mel.reference: max looks at: every clip for itself, or the whole batch (kapre before "
          "2019), in "
          "training; one clip alone is heard alike either way");
  }
};

struct SingleBlockDensenetWaveOptions : SingleBlockDensenetOptions {
  static constexpr std::string_view kKind = "single_block_densenet_wave";
  SingleBlockDensenetWaveOptions() {
    n_low = 1;
    n_modules = 15;
    width = 2;
  }
};

}  // namespace earmark
