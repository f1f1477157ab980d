// stripes.h: what SpecAugment masks of one clip inside a network (Park et al. 2019; UrbanNet masks after its
// input normalisation, so that both branches see the same). Drawn outside, from (seed, epoch, clip).
#pragma once
#include <utility>
#include <vector>

namespace earmark {

/// Half-open intervals [first, last) that become 0.
struct Stripes {
  std::vector<std::pair<int, int>> frames;
  std::vector<std::pair<int, int>> bands;
  bool empty() const { return frames.empty() && bands.empty(); }
};

}  // namespace earmark
