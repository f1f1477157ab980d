// rng.h: counter-based randomness (Philox-4x32-10, Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A draw is a pure function of (seed, purpose, epoch, item, how many draws came
// before it in this stream), so it depends neither on threads nor on what was drawn for other items.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace earmark {

/// FNV-1a, 64 bit: a stable identity for clips and purposes.
std::uint64_t fnv1a(std::string_view text) noexcept;

/// One stream of draws. Cheap to make: make one wherever a (purpose, epoch, item) begins.
class Rng {
 public:
  Rng(std::uint64_t seed, std::string_view purpose, std::uint64_t epoch = 0, std::uint64_t item = 0) noexcept;

  std::uint32_t bits() noexcept;
  double uniform() noexcept;                         ///< [0, 1), 53 bits
  double uniform(double low, double high) noexcept;  ///< [low, high)
  std::uint64_t below(std::uint64_t n) noexcept;     ///< 0..n-1 without bias; n >= 1
  bool bernoulli(double probability) noexcept { return uniform() < probability; }
  double exponential(double mean) noexcept;
  double normal() noexcept;  ///< mean 0, variance 1 (Box-Muller)

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) noexcept {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// 0..n-1 in an order drawn from `rng`.
std::vector<std::size_t> permutation(std::size_t n, Rng& rng);

}  // namespace earmark
