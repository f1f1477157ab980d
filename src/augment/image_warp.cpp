#include "augment/image_warp.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace earmark {
namespace {

struct Position {
  double mel, time;
};

// Two neighbours on an axis and the weight of the second.
struct Neighbours {
  int low, high;
  float weight;
};

// Straight lines between mirrored pixels are the mirror image of the lines, so the position is folded back.
Neighbours neighbours(double position, int size) {
  const double last = size - 1;
  double folded = last > 0.0 ? std::fmod(std::fabs(position), 2.0 * last) : 0.0;
  if (folded > last) folded = 2.0 * last - folded;
  const int low = static_cast<int>(folded);
  return {low, std::min(low + 1, size - 1), static_cast<float>(folded - low)};
}

// source_of(band, frame) -> where that pixel comes from.
template <class SourceOf>
void move_pixels(FeatureMap& features, const SourceOf& source_of) {
  const FeatureMap source = features;
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (int mel = 0; mel < features.n_mels; ++mel) {
      const std::span<float> out = features.row(channel, mel);
      for (int t = 0; t < features.n_frames; ++t) {
        const Position from = source_of(mel, t);
        const Neighbours m = neighbours(from.mel, features.n_mels);
        const Neighbours n = neighbours(from.time, features.n_frames);
        const auto between = [&](std::span<const float> row) {
          const float low = row[static_cast<std::size_t>(n.low)];
          return low + n.weight * (row[static_cast<std::size_t>(n.high)] - low);
        };
        const float below = between(source.row(channel, m.low));
        out[static_cast<std::size_t>(t)] = below + m.weight * (between(source.row(channel, m.high)) - below);
      }
    }
  }
}

// Where each pixel of an axis comes from.
std::vector<double> cell_positions(int size, const std::vector<double>& factors,
                                   GridDistortionCompat compat) {
  const auto n_cells = static_cast<int>(factors.size());
  const int cell = size / n_cells;
  std::vector<double> positions(static_cast<std::size_t>(size), 0.0);
  double begin = 0.0;
  for (int k = 0; k < n_cells; ++k) {
    const bool takes_rest = k == n_cells - 1 && compat == GridDistortionCompat::kNone;
    const int length = takes_rest ? size - k * cell : cell;
    const double step = length > 1 ? length * factors[static_cast<std::size_t>(k)] / (length - 1) : 0.0;
    for (int i = 0; i < length; ++i) positions[static_cast<std::size_t>(k * cell + i)] = begin + i * step;
    begin += length * factors[static_cast<std::size_t>(k)];
  }
  return positions;
}

std::vector<double> draw_factors(const GridDistortionOptions& options, Rng& rng) {
  std::vector<double> factors(static_cast<std::size_t>(options.n_cells));
  for (double& factor : factors)
    factor = rng.uniform(1.0 - options.max_distortion, 1.0 + options.max_distortion);
  return factors;
}

}  // namespace

ShiftScaleRotatePlan draw_shift_scale_rotate(const ShiftScaleRotateOptions& options, Rng& rng) {
  ShiftScaleRotatePlan plan;
  plan.rotation_deg = rng.uniform(-options.max_rotation_deg, options.max_rotation_deg);
  plan.scale = rng.uniform(1.0 - options.max_scale, 1.0 + options.max_scale);
  plan.shift_mel = rng.uniform(-options.max_shift, options.max_shift);
  plan.shift_time = rng.uniform(-options.max_shift, options.max_shift);
  return plan;
}

void shift_scale_rotate(FeatureMap& features, const ShiftScaleRotatePlan& plan) {
  const double angle = plan.rotation_deg * std::numbers::pi / 180.0;
  const double cosine = std::cos(angle) / plan.scale, sine = std::sin(angle) / plan.scale;
  const double middle_mel = features.n_mels / 2.0, middle_time = features.n_frames / 2.0;
  const double shift_mel = plan.shift_mel * features.n_mels, shift_time = plan.shift_time * features.n_frames;
  move_pixels(features, [&](int mel, int time) {  // the inverse of the forward movement
    const double x = mel - middle_mel - shift_mel, y = time - middle_time - shift_time;
    return Position{middle_mel + cosine * x - sine * y, middle_time + sine * x + cosine * y};
  });
}

GridDistortionPlan draw_grid_distortion(const GridDistortionOptions& options, Rng& rng) {
  GridDistortionPlan plan;
  plan.mel_factors = draw_factors(options, rng);
  plan.time_factors = draw_factors(options, rng);
  return plan;
}

void grid_distortion(FeatureMap& features, const GridDistortionPlan& plan, GridDistortionCompat compat) {
  const std::vector<double> mels = cell_positions(features.n_mels, plan.mel_factors, compat);
  const std::vector<double> times = cell_positions(features.n_frames, plan.time_factors, compat);
  move_pixels(features, [&](int mel, int time) {
    return Position{mels[static_cast<std::size_t>(mel)], times[static_cast<std::size_t>(time)]};
  });
}

}  // namespace earmark
