// waveform_log_mel.h: a log-mel inside a network, of samples that a learned scale and offset went through (a
// BatchNorm; Cochlear.ai, DCASE 2018 Task 2). Values come from LogMelExtractor; gradients reach the scale and
// the offset through it.
#pragma once
#include <torch/types.h>

#include "architectures/single_block_densenet_options.h"
#include "earmark/log_mel.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once.
class WaveformLogMel {
 public:
  /// @param options as SingleBlockDensenetOptions::problems() allows.
  WaveformLogMel(const LogMelOptions& options, DbReference reference);

  /// The log-mel of scale * x + offset. Half precision is widened inside: 1e-10 is no half.
  /// @param x [batch, n_samples]; @param scale, offset [1].
  /// @return [batch, n_mels, n_frames], in the precision of x.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& scale,
                        const torch::Tensor& offset) const;

 private:
  torch::Tensor extracted(const torch::Tensor& y) const;
  torch::Tensor extracted_power(const torch::Tensor& x, const torch::Tensor& scale,
                                const torch::Tensor& offset) const;
  torch::Tensor transformed_power(const torch::Tensor& y) const;
  torch::Tensor logarithm(const torch::Tensor& power) const;

  LogMelOptions options_;
  DbReference reference_;
  LogMelExtractor extractor_;  // of the mel power
};

}  // namespace earmark
