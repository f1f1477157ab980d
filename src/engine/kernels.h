// kernels.h: the loops that oneDNN has no primitive for, or none that fits. Compiled once for each
// instruction set and chosen at run time. Plain functions of their arguments; the order of their sums depends
// on the instruction set alone.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include <hwy/aligned_allocator.h>
#include <hwy/base.h>

namespace earmark::engine {

/// Where channel c of position p stands: (c / block) * n_positions * block + p * block + c % block. Block 1
/// is NCHW, block n_channels NHWC, 8 and 16 oneDNN's blocked layouts. What completes the last block is 0.
struct ChannelBlocks {
  std::size_t n_channels = 0, n_positions = 0, block = 1;
  std::size_t n_blocks() const { return (n_channels + block - 1) / block; }
  std::size_t n_padded() const { return n_blocks() * block; }
};

enum class Activation { kNone, kRelu, kMish };

/// y = activation(x * scale + shift). @param scale, shift [n_padded]; zeros behind the last channel keep the
/// padding 0. In place is fine.
void affine(const ChannelBlocks& at, const float* x, const float* scale, const float* shift,
            Activation activation, float* y);
/// Mean, and where it is asked for the biased variance, of each channel over the positions. [n_padded]
void channel_moments(const ChannelBlocks& at, const float* x, double* mean, double* variance);

/// Of a plain row.
void sigmoid(const float* x, std::size_t n, float* y);
void softmax(const float* x, std::size_t n, float* y);

/// A recurrent layer's own weights, in panels of outputs that lie side by side for each input.
struct GruWeights {
  std::size_t n_hidden = 0;
  hwy::AlignedFreeUniquePtr<float[]> panels;
  hwy::AlignedFreeUniquePtr<hwy::bfloat16_t[]> rounded;  ///< read in place of the panels where there are any
  std::vector<float> bias_new;                           ///< [n_hidden] of the hidden part of the new state
};
/// @param weight [3 * n_hidden, n_hidden], rows of reset, update and new gate as libtorch has them.
GruWeights pack_gru(const std::vector<float>& weight, const std::vector<float>& bias_new);
/// The same, each weight rounded to the nearest bfloat16 (half-way: to the even one): half of the memory that
/// every step reads. State and sums stay float32.
GruWeights rounded(const GruWeights& weights);
/// Values of scratch that gru() needs.
std::size_t gru_scratch(std::size_t n_hidden);
/// @param gates [n_steps, 3 * n_hidden]: what the input adds to the gates, with all biases but bias_new.
/// @param scratch aligned as vectors are. @param out [n_steps] rows of out_stride values, of which n_hidden
/// are written.
/// @param backwards from the last step to the first.
void gru(const GruWeights& weights, const float* gates, std::size_t n_steps, bool backwards, float* out,
         std::size_t out_stride, float* scratch);

/// scores[k] = sum over t of p[t, k] * softmax over t of attention[t, k].
/// @param probabilities [n_frames, n_tags] as logits; their sigmoids are kept `margin` away from 0 and 1.
void attention_pool(const float* probabilities, const float* attention, std::size_t n_frames,
                    std::size_t n_tags, float margin, float* scores);

/// Two images side by side by channel, pooled by their largest cell, and what a BatchNorm and a ReLU make of
/// them. Channels lie together (NHWC).
struct DenseJoin {
  std::size_t n_new = 0, n_old = 0;               ///< channels
  std::size_t n_bands = 0, n_frames = 0;          ///< of both
  std::size_t band_window = 1, frame_window = 1;  ///< 1 or 2; one that hangs over the end is cut
  std::size_t n_channels() const { return n_new + n_old; }
  std::size_t out_bands() const { return (n_bands + band_window - 1) / band_window; }
  std::size_t out_frames() const { return (n_frames + frame_window - 1) / frame_window; }
};
/// @param made [n_bands, n_frames, n_new], times `share` [n_new] (not negative; null: 1). @param old
/// [n_bands, n_frames, n_old]. @param scale, shift [n_channels].
/// @param joined null, or gets [out_bands, out_frames, n_channels]: the new ones first.
/// @param activated gets max(0, joined * scale + shift).
void dense_join(const DenseJoin& at, const float* made, const float* share, const float* old,
                const float* scale, const float* shift, float* joined, float* activated);

/// y[o] += sum over l of left[l] * sum over r of weight[l, o, r] * right[r]; what has a left of 0 is not
/// read.
void bilinear(const float* weight, const float* left, std::size_t n_left, const float* right,
              std::size_t n_right, std::size_t n_out, float* y);

}  // namespace earmark::engine
