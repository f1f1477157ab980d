#include "augment/random_scale.h"

namespace earmark {

std::vector<double> draw_scales(const RandomScaleOptions& options, std::uint64_t seed, long iteration,
                                std::size_t batch_size) {
  Rng rng(seed, "random_scale", static_cast<std::uint64_t>(iteration));
  std::vector<double> scales;
  for (std::size_t i = 0; i < batch_size; ++i) scales.push_back(rng.uniform(options.min, options.max));
  return scales;
}

void scale_items(std::vector<float>& values, const std::vector<double>& scales) {
  if (scales.empty()) return;
  const std::size_t n = values.size() / scales.size();
  for (std::size_t item = 0; item < scales.size(); ++item) {
    const auto scale = static_cast<float>(scales[item]);
    for (std::size_t i = 0; i < n; ++i) values[item * n + i] *= scale;
  }
}

}  // namespace earmark
