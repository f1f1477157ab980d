// superpose_mixup.h: mixup as superposition of recordings (UPB, DCASE 2019 Task 2, section 4.1): two
// clips sound together and the label is the union of their tags, never a convex mean.
//
//   x = lambda0 * x_i + gamma * lambda1 * (max|x_i| / max|x_j|) * x_j(t - tau),   gamma: 0 or 1
#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "earmark/options.h"

namespace earmark {

struct SuperposeMixupOptions {
  static constexpr std::string_view kKind = "superpose_mixup";
  double probability = 2.0 / 3.0;
  double max_s = 30.0;
  double length_ratio = 1.1;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip gets a second one mixed in");
    visit("max_s", self.max_s, kPositive,
          "longest mixture; the offset of the second clip is drawn to stay below it, seconds (a clip that is "
          "longer by itself stays so)");
    visit("length_ratio", self.length_ratio, kPositive,
          "the second clip is at most this many times as long as the first");
  }
};

/// What was drawn for one clip: the second clip's gain and where it starts.
struct SuperposePlan {
  double base_gain = 1.0;   ///< lambda0
  double other_gain = 1.0;  ///< lambda1
  long offset = 0;  ///< samples from the base's start to the other's; negative: the other starts first
};

/// lambda = a^(2b-1) with a ~ U(1,2), b ~ Bernoulli(1/2): log-symmetric in [1/2, 2].
double draw_gain(Rng& rng);

/// The offset is uniform over all that keep the span of both within `max_samples` and let them overlap or
/// touch: [max(-n_other, n_base - max), min(n_base, max - n_other)]. @return false when there is none.
bool draw_plan(std::size_t n_base, std::size_t n_other, std::size_t max_samples, Rng& rng,
               SuperposePlan& plan);

/// Length of the span of both, samples.
std::size_t superposed_length(std::size_t n_base, std::size_t n_other, const SuperposePlan& plan);

/// Both clips as planned, in a buffer that spans both; peaks below 1e-3 count as 1e-3.
std::vector<float> superpose(std::span<const float> base, std::span<const float> other,
                             const SuperposePlan& plan);

}  // namespace earmark
