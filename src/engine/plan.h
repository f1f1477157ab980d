// plan.h: a network laid out for one shape of input: which primitives and kernels run one after the other,
// and where in one block of memory each tensor between them lies while it is needed.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <utility>
#include <variant>
#include <vector>

#include "engine/arithmetic.h"
#include "engine/weights.h"

namespace earmark::engine {

/// A tensor of a plan, by number.
struct Slot {
  std::size_t index = 0;
};

/// One item of a batch, for the length of a run.
struct Item {
  const float* features = nullptr;    ///< [n_channels, n_mels, n_frames]
  const float* metadata = nullptr;    ///< [n_metadata]
  const float* embeddings = nullptr;  ///< [n_embedding]
  float* answer = nullptr;            ///< [n_tags]
  float* hidden = nullptr;            ///< [n_hidden], or null when nobody asks for it
};

/// Where the tensors lie, for kernels.
class Addresses {
 public:
  float* operator[](Slot slot) const { return at_[slot.index]; }

 private:
  friend class Plan;
  friend class PlanBuilder;
  std::vector<float*> at_;
};
using Kernel = std::function<void(const Addresses& at)>;

/// Not thread-safe: a worker has its own.
class Plan {
 public:
  /// Of the block of memory that run() works in.
  std::size_t arena_bytes() const { return arena_bytes_; }
  /// @param arena aligned to kAlignment; what it holds between runs does not matter.
  void bind(std::byte* arena);
  void run(const Item& item);
  static constexpr std::size_t kAlignment = 4096;

 private:
  friend class PlanBuilder;
  enum class Home { kArena, kAlias, kConstant, kFeatures, kMetadata, kEmbeddings, kAnswer, kHidden };
  struct Tensor {
    dnnl::memory memory;
    Home home = Home::kArena;
    std::size_t offset = 0;
    std::size_t base = 0;  ///< of an alias: the tensor whose memory it is
    std::size_t first_step = 0, last_step = 0;
  };
  struct PrimitiveStep {
    dnnl::primitive primitive;
    std::vector<dnnl_exec_arg_t> arguments;
  };
  void set_address(Tensor& tensor, std::size_t index, void* address);

  std::vector<Tensor> tensors_;
  std::vector<std::variant<PrimitiveStep, Kernel>> steps_;
  std::vector<Slot> outside_;  ///< whose address is the caller's
  Addresses addresses_;
  std::size_t arena_bytes_ = 0;
};

/// (bands, frames)
using Pair = std::array<std::int64_t, 2>;

/// A convolution of a plan, for those who count.
struct ConvShape {
  Shape in, out;
  Pair kernel, stride, before, behind;
  std::int64_t multiply_adds() const {
    return out[0] * out[1] * out[2] * out[3] * in[1] * kernel[0] * kernel[1];
  }
};

/// Tensors are made by the steps that write them and live until the last step that reads them.
class PlanBuilder {
 public:
  /// @param features shape of an item's: [1, n_channels, n_mels, n_frames]
  explicit PlanBuilder(const Shape& features, std::int64_t n_metadata, std::int64_t n_embedding,
                       Arithmetic arithmetic = Arithmetic::kFloat32);

  /// Of what convolutions and dense layers multiply.
  dnnl::memory::data_type factors() const {
    return arithmetic_ == Arithmetic::kBfloat16 ? dnnl::memory::data_type::bf16
                                                : dnnl::memory::data_type::f32;
  }

  Slot features() const { return features_; }
  Slot metadata() const { return metadata_; }      ///< [1, n_metadata]
  Slot embeddings() const { return embeddings_; }  ///< [1, n_embedding]

  Slot tensor(const dnnl::memory::desc& desc);
  Slot plain_tensor(const Shape& shape);
  Slot constant(const dnnl::memory& memory);
  /// The memory of a tensor of the plan under another description, which must not need more of it.
  Slot seen_as(Slot slot, const dnnl::memory::desc& desc);
  const dnnl::memory::desc& desc(Slot slot) const { return descs_[slot.index]; }
  Shape shape(Slot slot) const { return desc(slot).dims(); }

  using Argument = std::pair<int, Slot>;  ///< DNNL_ARG_...
  /// @param scratchpad what the primitive needs while it runs (its attributes must say "user").
  void add(const dnnl::primitive& primitive, std::vector<Argument> arguments,
           const dnnl::memory::desc& scratchpad);
  /// @param uses what it reads or writes.
  void add(Kernel kernel, std::initializer_list<Slot> uses);
  void add(Kernel kernel, const std::vector<Slot>& uses);

  void note(ConvShape shape);
  const std::vector<ConvShape>& conv_shapes() const { return conv_shapes_; }
  /// Products of a step that is no convolution.
  void note_products(std::int64_t n) { multiply_adds_ += n; }
  std::int64_t multiply_adds() const { return multiply_adds_; }

  /// Called by a network while it is laid out: what its last layer sees, a plain tensor of one row an item.
  void tell_hidden(Slot seen);
  /// The same of frames, whose mean it is. @param frames [n_frames, n_hidden]
  void tell_mean_of(Slot frames);

  /// `answer` must be plain and as many as the network's tags.
  Plan finish(Slot answer);

 private:
  Slot tensor_at(const dnnl::memory::desc& desc, Plan::Home home);
  void touch(Slot slot);
  void place_tensors();

  Plan plan_;
  std::vector<dnnl::memory::desc> descs_;
  std::vector<ConvShape> conv_shapes_;
  std::int64_t multiply_adds_ = 0;
  Slot features_, metadata_, embeddings_;
  Arithmetic arithmetic_;
};

/// Attributes of all primitives here: scratch memory comes from the plan.
dnnl::primitive_attr attributes();

}  // namespace earmark::engine
