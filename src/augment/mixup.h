// mixup.h: convex mixup of a batch (Zhang et al. 2018), as Multitel's System 1 has it (DCASE 2020 Task 5):
//
//   x_i <- lambda x_i + (1 - lambda) x_p(i)
//
// with one lambda ~ Beta(alpha, alpha) and one permutation p a batch, for features and metadata alike. Not
// the targets but the losses against both are mixed, by lambda: targets may decide what a loss leaves out.
// McDonnell & Gao (DCASE 2019 Task 1) mix two halves of a batch, with a lambda for each pair. Cochlear.ai
// (DCASE 2018 Task 2) mix waveforms of which each was divided by its peak, every clip with one of another
// class.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "earmark/options.h"

namespace earmark {

struct MixupOptions {
  static constexpr std::string_view kKind = "mixup";
  double probability = 1.0;
  double alpha = 0.5;
  bool each = false;
  bool halves = false;
  bool larger_share = false;
  bool no_self = false;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a batch is mixed");
    visit("alpha", self.alpha, Range{1e-6, 1e6},
          "lambda ~ Beta(alpha, alpha): the smaller, the less is mixed");
    visit("each", self.each, kAny,
          "a lambda for each clip rather than one for the batch; the targets are mixed then, not the losses");
    visit("halves", self.halves, kAny,
          "the second half of the batch is mixed into the first, and only that is learned from (an epoch "
          "then has as "
          "many pairs as clips); else every clip is mixed with another one of the batch");
    visit("larger_share", self.larger_share, kAny, "the clip itself has the larger share: lambda >= 0.5");
    visit("no_self", self.no_self, kAny,
          "no clip is its own partner: with train.sampler one_per_class each meets one of another class");
  }
};

/// What was drawn for a batch; thread-safety: a plain value.
struct MixupPlan {
  std::vector<double> lambda;        ///< [n] weight of the item itself; all 1: the batch stays as it is
  std::vector<std::size_t> partner;  ///< [n] a permutation, or the second half; n the batch or its first half

  bool changes() const;
};

/// Exact for a and b in [1e-6, 1e6]: Johnk's method where both are at most 1, two gamma variates
/// (Marsaglia and Tsang 2000) elsewhere. @return 0..1.
double draw_beta(double a, double b, Rng& rng);

/// A pure function of (seed, iteration): any thread may make any batch.
MixupPlan draw_mixup(const MixupOptions& options, std::uint64_t seed, long iteration, std::size_t batch_size);

/// In place. @param values [batch, n] of any n, cut to the plan's items. @param batch_size before.
void mix_items(std::vector<float>& values, std::size_t batch_size, const MixupPlan& plan);

}  // namespace earmark
