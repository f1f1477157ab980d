// state_names.h: what others call the tensors of our networks. A table a kind, declared in
// state_names/<kind>.yaml:
//
//   names:
//     - {from: "conv#.conv.weight", to: "generic.block#.conv.weight", permute: [0, 1, 3, 2]}
//
// `#` stands for a number, the same on both sides; a `*` at the end for whatever follows; `permute` says
// which axis of the foreign tensor becomes each of ours. The first rule that fits is taken.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedded_text.h"
#include "core/tensor_io.h"
#include "earmark/options.h"

namespace earmark {

/// The files of architectures/state_names.
extern const std::span<const EmbeddedText> kStateNameTexts;

struct StateNameRule {
  std::string from, to;
  std::vector<int> permute;  ///< empty: the tensor as it is
  bool column = false;       ///< [n] is [n, 1]

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("from", self.from, kAny, "foreign name");
    visit("to", self.to, kAny, "our name");
    visit("permute", self.permute, Range{0, 7}, "our axes, as numbers of the foreign ones");
    visit("column", self.column, kAny, "a flat array is a column of ours");
  }
};

/// The name that a rule makes of `name`; nothing when it does not fit.
std::optional<std::string> renamed(const StateNameRule& rule, std::string_view name);

/// A tensor with its axes in another order. @throws Error(kBadFile) when it has another number of axes.
Tensor permuted(const Tensor& tensor, const std::vector<int>& axes, const std::string& name);

/// A foreign state under our names.
struct TranslatedState {
  TensorMap tensors;
  std::map<std::string, std::string> origin;  ///< our name -> the name in the file
  std::vector<std::string> left;              ///< "name: why", what is no tensor of a network
  bool by_table = false;  ///< a rule of the table was used, so the weights are not our own
};

/// Takes wrappers' prefixes off ("module." of several GPUs, "model." of a trainer, when most names have
/// them) and TensorFlow's ":0" at the end, then applies the kind's table; names that no rule fits stay as
/// they are.
/// @throws Error(kBadFile) when two tensors get one name.
TranslatedState translate_state(const std::string& kind, const TensorMap& state);

}  // namespace earmark
