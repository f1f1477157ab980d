// urbannet_options.h: sizes and choices of UrbanNet; no libtorch here.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "architectures/talnet_options.h"
#include "earmark/options.h"

namespace earmark {

enum class NormKind { kGroup, kBatch };
template <>
struct EnumNames<NormKind> {
  static constexpr std::array kNames{std::pair{NormKind::kGroup, std::string_view("group")},
                                     std::pair{NormKind::kBatch, std::string_view("batch")}};
};

enum class EncoderKind { kBare, kStandard, kGru, kNone };
template <>
struct EnumNames<EncoderKind> {
  static constexpr std::array kNames{std::pair{EncoderKind::kBare, std::string_view("bare")},
                                     std::pair{EncoderKind::kStandard, std::string_view("standard")},
                                     std::pair{EncoderKind::kGru, std::string_view("gru")},
                                     std::pair{EncoderKind::kNone, std::string_view("none")}};
};

/// `reference`: as the published program lays it out, features scrambled; needed for its weights alone.
enum class Time2VecLayout { kCorrect, kReference };
template <>
struct EnumNames<Time2VecLayout> {
  static constexpr std::array kNames{std::pair{Time2VecLayout::kCorrect, std::string_view("correct")},
                                     std::pair{Time2VecLayout::kReference, std::string_view("reference")}};
};

/// UrbanNet (Multitel, DCASE 2020 Task 5): up to three branches side by side, one attention-pooling head.
struct UrbannetOptions : ConvStackOptions {
  int n_tags = 31;
  bool specific = true;
  bool generic = true;
  bool metadata = true;
  bool input_norm = true;
  NormKind norm = NormKind::kGroup;
  bool weight_standardisation = true;
  EncoderKind encoder = EncoderKind::kBare;
  int n_encoder_layers = 1;
  bool positions = false;
  int heads = 16;
  int d_k = 128;
  double dropout = 0.2;
  int n_metadata = 5;
  int time2vec = 64;
  Time2VecLayout time2vec_layout = Time2VecLayout::kCorrect;
  bool normalised_head = false;
  bool spare_attention = false;

  std::vector<std::string> problems() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n_tags", self.n_tags, Range{1, 100000}, "outputs; set from the data set when training");
    ConvStackOptions::fields(self, visit);
    visit("specific", self.specific, kAny, "branch of its own convolutions and encoder");
    visit("generic", self.generic, kAny, "branch as TALNet has it, which may begin with TALNet's weights");
    visit("metadata", self.metadata, kAny, "branch of place and time: Time2Vec and an encoder");
    visit("input_norm", self.input_norm, kAny, "BatchNorm over the mel bands before the branches");
    visit("norm", self.norm, kAny, "of the specific branch: GroupNorm of 32 groups or BatchNorm");
    visit("weight_standardisation", self.weight_standardisation, kAny,
          "of the specific branch: filters minus their mean, over their deviation");
    visit("encoder", self.encoder, kAny,
          "of the specific branch over time: self-attention alone as published (bare), a transformer's layer "
          "(standard), a bidirectional GRU, or none");
    visit("n_encoder_layers", self.n_encoder_layers, Range{1, 32}, "layers of the encoder");
    visit("positions", self.positions, kAny, "standard encoder: sinusoidal positions are added to its input");
    visit("heads", self.heads, Range{1, 256}, "of the encoders");
    visit("d_k", self.d_k, Range{1, 4096}, "width of a head");
    visit("dropout", self.dropout, Range{0, 1, false, true}, "after an encoder's attention");
    visit("n_metadata", self.n_metadata, Range{1, 1000}, "columns; set from `metadata` when training");
    visit("time2vec", self.time2vec, Range{2, 4096}, "tokens that Time2Vec makes of the columns");
    visit("time2vec_layout", self.time2vec_layout, kAny, "correct, or scrambled as the published program's");
    visit("normalised_head", self.normalised_head, kAny, "frames and weights are divided by their norms");
    visit("spare_attention", self.spare_attention, kAny,
          "carries the attention that the published System 1 has and never uses");
  }
};

struct UrbannetSystem1Options : UrbannetOptions {
  static constexpr std::string_view kKind = "urbannet_system1";
  static constexpr int kRevision = 1;
  UrbannetSystem1Options() {
    generic = input_norm = false;
    heads = 8;
    dropout = 0.0;
    time2vec = 128;
    normalised_head = spare_attention = true;
  }
};

struct UrbannetSystem2Options : UrbannetOptions {
  static constexpr std::string_view kKind = "urbannet_system2";
  static constexpr int kRevision = 1;
};

struct UrbannetSystem3Options : UrbannetOptions {
  static constexpr std::string_view kKind = "urbannet_system3";
  static constexpr int kRevision = 1;
  UrbannetSystem3Options() { n_tags = 37; }
};

}  // namespace earmark
