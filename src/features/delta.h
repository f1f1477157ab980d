// delta.h: slopes of features over time. All rows are [n_frames] of one mel band of one channel.
#pragma once
#include <cstddef>
#include <span>

#include "earmark/feature_map.h"
#include "earmark/log_mel.h"

namespace earmark {

/// Regression slope over two frames each side, where all five exist: out[t] is centred on in[t + 2].
/// @param out [in.size() - 4]
void htk_delta(std::span<const float> in, std::span<float> out);

/// Savitzky-Golay as librosa has it: the `order`-th derivative (1 or 2) of the polynomial of degree
/// `order` fitted to `width` frames (odd). Interpolated edges need in.size() >= width.
/// @param out [in.size()]
void savgol_delta(std::span<const float> in, int width, int order, DeltaEdges edges, std::span<float> out);

/// Frames left of `n_frames` once the options' deltas are stacked; 0 when there are too few for them.
int frames_with_deltas(const LogMelOptions& options, int n_frames) noexcept;

/// [C, M, T] -> [C * (1 + delta_order), M, frames_with_deltas]: statics, slopes, second derivatives, each
/// trimmed so that one frame index is one time. `stacked` must be another map; its storage is reused.
void stack_deltas(const LogMelOptions& options, const FeatureMap& statics, FeatureMap& stacked);

}  // namespace earmark
