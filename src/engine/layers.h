// layers.h: what networks are made of, as steps of a plan. A layer's struct holds its weights, shared by all
// plans; its function lays it into a plan and returns where the answer lies. Images are [batch, channels,
// bands, frames] in whatever layout oneDNN likes, sequences [n_frames, n_features] row-major.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "engine/kernels.h"
#include "engine/plan.h"
#include "engine/weights.h"

namespace earmark::engine {

/// Convolution, bias and activation in one pass.
struct Conv {
  ConstantPtr weight;  ///< [n_out, n_in, kernel]
  ConstantPtr bias;    ///< null: none
  std::int64_t n_out = 0;
  Pair kernel{3, 3}, stride{1, 1}, before{1, 1}, behind{1, 1};  ///< padding before and behind
  Activation activation = Activation::kNone;
  /// The answer is float32 whatever is multiplied: others are added to it, or a kernel reads it.
  bool full_answer = false;
};
Conv make_conv(const std::vector<float>& weight, const std::vector<float>& bias, std::int64_t n_out,
               std::int64_t n_in, Pair kernel, Activation activation);
Slot conv(PlanBuilder& plan, Slot x, const Conv& layer);
/// The same of an image whose channels lie together (NHWC), into one of the same kind.
Slot conv_nhwc(PlanBuilder& plan, Slot x, const Conv& layer);
/// x in `wanted`'s layout, as it is or copied.
Slot in_layout(PlanBuilder& plan, Slot x, const dnnl::memory::desc& wanted);
/// x as float32: kernels read nothing else.
Slot as_floats(PlanBuilder& plan, Slot x);
/// Adds the result to `sum`, in its place. @return sum
Slot conv_onto(PlanBuilder& plan, Slot x, const Conv& layer, Slot sum);

/// Strides as wide as the window. @param whole windows that hang over the end are left out, else cut.
Slot max_pool(PlanBuilder& plan, Slot x, Pair window, bool whole);
/// Cells that are not there are not counted.
Slot average_pool(PlanBuilder& plan, Slot x, Pair window, Pair stride, Pair before, Pair behind);

/// y = activation(x * scale + shift) by channel, into a new image of the same layout.
struct ChannelAffine {
  std::vector<float> scale, shift;
  Activation activation = Activation::kNone;
};
Slot channel_affine(PlanBuilder& plan, Slot x, const ChannelAffine& layer);
/// GroupNorm over `n_groups` equal groups of channels, then activation; in place where x is float32. @return
/// where it lies
struct GroupNorm {
  std::vector<float> weight, bias;
  std::size_t n_groups = 32;
  double eps = 1e-5;
  Activation activation = Activation::kNone;
};
Slot group_norm(PlanBuilder& plan, Slot x, const GroupNorm& layer);
/// Of plain input: bands [first, first + n) of every channel, each row by its own scale and shift
/// ([n_channels
/// * n_bands], of all bands; empty: as it is).
Slot bands(PlanBuilder& plan, Slot x, std::int64_t first, std::int64_t n, const Affine& rows);
/// sum += x on its first channels, in place. @return sum
Slot add_channels(PlanBuilder& plan, Slot x, Slot sum);
/// [1, n_channels], the mean of several images' positions taken together.
Slot position_means(PlanBuilder& plan, std::vector<Slot> images);
/// A copy of shape `shape`, in which the image's cells lie `strides` apart.
Slot copied_as(PlanBuilder& plan, Slot x, const Shape& shape, const Shape& strides);
/// An image of shape `shape` whose channels lie together.
Slot nhwc_tensor(PlanBuilder& plan, const Shape& shape);
/// [n_frames, n_channels * n_bands], bands the faster.
Slot as_sequence(PlanBuilder& plan, Slot x);

/// y = x weight^T + bias, and ReLU.
struct Linear {
  ConstantPtr weight;  ///< [n_out, n_in]
  ConstantPtr bias;
  std::int64_t n_out = 0;
  bool relu = false;
};
Linear make_linear(const std::vector<float>& weight, const std::vector<float>& bias, bool relu);
Linear take_linear(StateReader& state, const std::string& prefix, std::int64_t n_out, std::int64_t n_in,
                   bool relu = false);
/// @param x [n_rows, n_in]
Slot linear(PlanBuilder& plan, Slot x, const Linear& layer);

/// A recurrent layer's own weights; rounded ones are made when a plan first asks for them. Thread-safety:
/// in() may be called by many threads at once.
class GruConstant {
 public:
  explicit GruConstant(GruWeights exact)
      : n_hidden(static_cast<std::int64_t>(exact.n_hidden)),
        exact_(std::make_shared<const GruWeights>(std::move(exact))) {}
  std::shared_ptr<const GruWeights> in(dnnl::memory::data_type factors);

  const std::int64_t n_hidden;

 private:
  std::mutex mutex_;
  std::shared_ptr<const GruWeights> exact_, rounded_;
};
/// A GRU as libtorch has it.
struct Gru {
  Linear input;
  std::shared_ptr<GruConstant> hidden;
};
/// @param suffix "_l0", "_l0_reverse"
Gru take_gru(StateReader& state, const std::string& prefix, const std::string& suffix, std::int64_t n_in,
             std::int64_t n_hidden);
/// @return [n_frames, n_hidden]
Slot gru(PlanBuilder& plan, Slot x, const Gru& layer);
/// @return [n_frames, 2 * n_hidden], forwards and backwards side by side
Slot bidirectional_gru(PlanBuilder& plan, Slot x, const Gru& forwards, const Gru& backwards);

/// Rows [first, first + n) of a sequence.
Slot rows(PlanBuilder& plan, Slot x, std::int64_t first, std::int64_t n);
/// [1, all values] of a sequence.
Slot as_one_row(PlanBuilder& plan, Slot x);
/// Sequences side by side; one of a single row stands beside every frame.
Slot side_by_side(PlanBuilder& plan, const std::vector<Slot>& parts);

Slot sigmoid(PlanBuilder& plan, Slot x);
Slot softmax(PlanBuilder& plan, Slot x);

std::int64_t n_values(const PlanBuilder& plan, Slot x);

}  // namespace earmark::engine
