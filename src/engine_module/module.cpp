// The C names by which the program finds what oneDNN is needed for (core/shared_module.h).
#include "engine/conv_floor.h"
#include "engine/fast_network.h"

extern "C" {
std::unique_ptr<earmark::Network> earmark_make_fast_network(const earmark::BundledNetwork& spec,
                                                            const earmark::TensorMap& tensors) {
  return earmark::make_fast_network(spec, tensors);
}
std::unique_ptr<earmark::Network> earmark_make_bf16_network(const earmark::BundledNetwork& spec,
                                                            const earmark::TensorMap& tensors) {
  return earmark::make_bf16_network(spec, tensors);
}
std::unique_ptr<earmark::ConvFloor> earmark_make_conv_floor(const earmark::BundledNetwork& spec,
                                                            const earmark::TensorMap& tensors,
                                                            std::int64_t n_frames,
                                                            earmark::FloorNumbers numbers) {
  return earmark::make_conv_floor(spec, tensors, n_frames, numbers);
}
std::optional<std::int64_t> earmark_count_multiply_adds(const earmark::BundledNetwork& spec,
                                                        const earmark::TensorMap& tensors,
                                                        std::int64_t n_frames) {
  return earmark::count_multiply_adds(spec, tensors, n_frames);
}
}
