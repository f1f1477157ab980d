// conv_stack.h: the layers of the convolution stack that TALNet and both branches of UrbanNet share.
#pragma once
#include <cstdint>
#include <vector>

#include "architectures/talnet_options.h"

namespace earmark {

/// A convolution and the max-pooling behind it; windows that hang over the end are left out.
struct StackLayer {
  int n_in = 1;
  int n_out = 1;
  int pool_bands = 1, pool_frames = 1;
};
/// The options must have no problems().
std::vector<StackLayer> stack_layers(const ConvStackOptions& options);
/// Frames that are left of n_frames after the stack, at least 1.
std::int64_t stack_frames(const ConvStackOptions& options, std::int64_t n_frames);
/// @throws Error(kBadAudio) for a clip of which the stack leaves no frame.
void check_stack_length(const ConvStackOptions& options, std::int64_t n_frames);

}  // namespace earmark
