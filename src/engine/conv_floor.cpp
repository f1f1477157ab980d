#include "engine/conv_floor.h"

#include <cstring>

#include "engine/architecture.h"
#include "engine/arithmetic.h"
#include "engine/known_networks.h"
#include "engine/layers.h"

namespace earmark {
namespace {

using dnnl::memory;
using engine::ConvShape;

class DnnlConvFloor final : public ConvFloor {
 public:
  DnnlConvFloor(const std::vector<ConvShape>& shapes, FloorNumbers numbers) : numbers_(numbers) {
    const engine::OneThread one_thread;
    for (const ConvShape& shape : shapes) add(shape);
  }

  void run() override {
    const engine::OneThread one_thread;
    for (auto& [primitive, arguments] : convs_) primitive.execute(stream_, arguments);
  }
  double gflop() const override { return gflop_; }

 private:
  void add(const ConvShape& s) {
    constexpr auto kAny = memory::format_tag::any;
    using Type = memory::data_type;
    const Type factor = numbers_ == FloorNumbers::kInt8       ? Type::u8
                        : numbers_ == FloorNumbers::kBfloat16 ? Type::bf16
                                                              : Type::f32;
    const Type weight = factor == Type::u8 ? Type::s8 : factor,
               bias = factor == Type::u8 ? Type::s32 : Type::f32;
    dnnl::post_ops ops;
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    dnnl::primitive_attr attr;
    attr.set_post_ops(ops);
    if (numbers_ == FloorNumbers::kInt8) attr.set_output_scales(0, {0.01f});
    const dnnl::convolution_forward::primitive_desc chosen(
        {dnnl::prop_kind::forward_inference,
         dnnl::algorithm::convolution_direct,
         {s.in, factor, kAny},
         {{s.out[1], s.in[1], s.kernel[0], s.kernel[1]}, weight, kAny},
         {{s.out[1]}, bias, memory::format_tag::a},
         {s.out, factor, kAny},
         {s.stride[0], s.stride[1]},
         {s.before[0], s.before[1]},
         {s.behind[0], s.behind[1]}},
        attr, engine::cpu());
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, zeros(chosen.src_desc())},
                                              {DNNL_ARG_WEIGHTS, zeros(chosen.weights_desc())},
                                              {DNNL_ARG_BIAS, zeros(chosen.bias_desc())},
                                              {DNNL_ARG_DST, zeros(chosen.dst_desc())}};
    convs_.emplace_back(dnnl::convolution_forward(chosen), std::move(arguments));
    gflop_ += 2e-9 * static_cast<double>(s.multiply_adds());
  }

  static memory zeros(const memory::desc& desc) {
    memory made(desc, engine::cpu());
    std::memset(made.get_data_handle(), 0, desc.get_size());
    return made;
  }

  FloorNumbers numbers_;
  dnnl::stream stream_{engine::cpu()};
  std::vector<std::pair<dnnl::convolution_forward, std::unordered_map<int, memory>>> convs_;
  double gflop_ = 0.0;
};

}  // namespace

std::unique_ptr<ConvFloor> make_conv_floor(const BundledNetwork& spec, const TensorMap& tensors,
                                           std::int64_t n_frames, FloorNumbers numbers) {
  if (numbers != FloorNumbers::kFloat32 && !engine::multiplies_bfloat16()) return nullptr;
  const std::optional<engine::KnownNetwork> network = engine::read_network(spec, tensors);
  if (!network) return nullptr;
  const engine::OneThread one_thread;
  engine::PlanBuilder builder(network->features({n_frames, n_frames}), network->n_metadata,
                              network->n_embedding);
  network->architecture->lay_out(builder, {n_frames, n_frames});
  return std::make_unique<DnnlConvFloor>(builder.conv_shapes(), numbers);
}

}  // namespace earmark
