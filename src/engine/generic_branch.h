// generic_branch.h: what TALNet and UrbanNet share: convolutions with BatchNorm and ReLU, then a
// bidirectional GRU, as models/talnet has it.
#pragma once
#include <vector>

#include "architectures/conv_stack.h"
#include "engine/layers.h"

namespace earmark::engine {

class GenericBranch {
 public:
  GenericBranch(const ConvStackOptions& options, StateReader& state);
  /// @param x plain [1, n_channels, n_mels, n_frames]. @return [frames that are left, embedding]
  Slot lay_out(PlanBuilder& plan, Slot x) const;

 private:
  std::vector<StackLayer> stack_;
  std::vector<Conv> convs_;
  Gru forwards_, backwards_;
};

}  // namespace earmark::engine
