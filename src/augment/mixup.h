// mixup.h: convex mixup of a batch (Zhang et al. 2018), as Multitel's System 1 has it (DCASE 2020 Task 5):
//
//   x_i <- lambda x_i + (1 - lambda) x_p(i)
//
// with one lambda ~ Beta(alpha, alpha) and one permutation p a batch, for features and metadata alike. Not
// the targets but the losses against both are mixed, by lambda: targets may decide what a loss leaves out.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "earmark/options.h"

namespace earmark {

struct MixupOptions {
  static constexpr std::string_view kKind = "mixup";
  double probability = 1.0;
  double alpha = 0.5;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a batch is mixed");
    visit("alpha", self.alpha, Range{1e-6, 1e6},
          "lambda ~ Beta(alpha, alpha): the smaller, the less is mixed");
  }
};

/// What was drawn for a batch; thread-safety: a plain value.
struct MixupPlan {
  double lambda = 1.0;               ///< weight of the item itself; 1: the batch stays as it is
  std::vector<std::size_t> partner;  ///< [batch], a permutation
};

/// Exact for a and b in [1e-6, 1e6]: Johnk's method where both are at most 1, two gamma variates
/// (Marsaglia and Tsang 2000) elsewhere. @return 0..1.
double draw_beta(double a, double b, Rng& rng);

/// A pure function of (seed, iteration): any thread may make any batch.
MixupPlan draw_mixup(const MixupOptions& options, std::uint64_t seed, long iteration, std::size_t batch_size);

/// In place. @param values [batch, n] of any n.
void mix_items(std::span<float> values, const MixupPlan& plan);

}  // namespace earmark
