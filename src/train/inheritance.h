// inheritance.h: the weights that a training begins with, of another training's bundle (`--init`, or an
// earlier stage of the same recipe).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "models/tagging_network.h"
#include "tagger/bundle.h"
#include "train/options.h"

namespace earmark {

/// A bundle of one network as it is; of an ensemble the network of that kind as a bundle of its own.
/// @throws Error(kInvalidOption) when an ensemble has none or several of the kind. `name` is for the message.
Bundle network_to_inherit(Bundle bundle, const std::string& kind, const std::string& name);

/// What became of the tensors.
struct Inheritance {
  std::int64_t n_weights = 0;        ///< that began with the bundle's
  std::int64_t n_all = 0;            ///< that the network has
  StateMismatch mismatch;            ///< missing: begun anew; unused: left in the bundle; shapes: both
  std::vector<std::string> options;  ///< "heads: the recipe has 4, the bundle 2": what shapes do not tell
};

/// @param options of the network. @param init a bundle of one network.
/// @param same_tags whether its last layer answers for the recipe's tags; of a whole network it is left
///   otherwise.
/// @throws Error(kBadBundle) listing what does not fit (kWhole: tensors, and options but for n_tags and
///   dropout), or when nothing does (kMatching); Error(kInvalidOption) when the rule is kNone.
Inheritance inherit(TaggingNetwork& network, const Value& options, const Bundle& init, InitRule rule,
                    bool same_tags);

/// Two or three lines: "12.3 of 22.7 million weights begin with the bundle's; new: head (4 tensors), ...".
std::string to_text(const Inheritance& inheritance);

}  // namespace earmark
