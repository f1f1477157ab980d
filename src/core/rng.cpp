#include "core/rng.h"

#include <cmath>
#include <numbers>
#include <numeric>

namespace earmark {
namespace {

// Spreads seed and purpose over the key (the finaliser of splitmix64).
std::uint64_t mix(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> x,
                                    std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xD2511F53ULL * x[0];
    const std::uint64_t b = 0xCD9E8D57ULL * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return x;
}

}  // namespace

std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

Rng::Rng(std::uint64_t seed, std::string_view purpose, std::uint64_t epoch, std::uint64_t item) noexcept {
  const std::uint64_t key = mix(seed + 0x9E3779B97F4A7C15ULL * mix(fnv1a(purpose)));
  const std::uint64_t stream = mix(item + 0x9E3779B97F4A7C15ULL * mix(epoch + 1));
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  counter_ = {0, 0, static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
}

std::uint32_t Rng::bits() noexcept {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

double Rng::uniform() noexcept {
  const std::uint64_t high = bits() >> 5, low = bits() >> 6;  // 27 + 26 bits
  return static_cast<double>((high << 26) | low) * 0x1.0p-53;
}

double Rng::uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

std::uint64_t Rng::below(std::uint64_t n) noexcept {
  const std::uint64_t limit = ~0ULL - (~0ULL % n + 1) % n;  // last value of the last whole run of n
  for (;;) {
    const std::uint64_t high = bits(), low = bits();
    const std::uint64_t x = (high << 32) | low;
    if (x <= limit) return x % n;
  }
}

double Rng::exponential(double mean) noexcept { return -mean * std::log1p(-uniform()); }

double Rng::normal() noexcept {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::size_t> permutation(std::size_t n, Rng& rng) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  rng.shuffle(std::span<std::size_t>(order));
  return order;
}

}  // namespace earmark
