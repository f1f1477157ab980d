// random_scale.h: the loudness of waveforms as they are heard (Cochlear.ai, DCASE 2018 Task 2): the factor w
// of x = w (lambda x_j + (1 - lambda) x_k), so it follows a mixup in the recipe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "earmark/options.h"

namespace earmark {

struct RandomScaleOptions {
  static constexpr std::string_view kKind = "random_scale";
  double min = 0.1;
  double max = 1.0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("min", self.min, kPositive, "smallest factor of a clip; all up to max are equally likely");
    visit("max", self.max, kPositive, "largest factor of a clip, at least min");
  }
};

/// One factor an item: a pure function of (seed, iteration).
std::vector<double> draw_scales(const RandomScaleOptions& options, std::uint64_t seed, long iteration,
                                std::size_t batch_size);

/// In place. @param values [batch, n] of any n, the batch as many as there are scales.
void scale_items(std::vector<float>& values, const std::vector<double>& scales);

}  // namespace earmark
