#include "features/normalize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr float kTiny = 1e-18f;

}  // namespace

std::vector<std::string> Normalizer::problems() const {
  std::vector<std::string> found;
  if (scale.size() > 1 && scale.size() != mean.size()) {
    found.push_back(fmt::format("scale: must hold 0, 1 or as many values as mean ({}), got {}", mean.size(),
                                scale.size()));
  }
  for (float m : mean) {
    if (!std::isfinite(m)) found.push_back(fmt::format("mean: must be finite, got {}", m));
  }
  for (float s : scale) {
    if (!std::isfinite(s) || s < 0.0f)
      found.push_back(fmt::format("scale: must be finite and >= 0, got {}", s));
  }
  return found;
}

void Normalizer::apply(FeatureMap& features) const {
  const auto n_mels = static_cast<std::size_t>(features.n_mels);
  if ((!mean.empty() && mean.size() != n_mels) || (scale.size() > 1 && scale.size() != n_mels)) {
    throw Error(ErrorCode::kInvalidOption, fmt::format("statistics of {} mel bands do not fit features of {}",
                                                       std::max(mean.size(), scale.size()), n_mels));
  }
  if (mean.empty() && scale.empty()) return;
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (int mel = 0; mel < features.n_mels; ++mel) {
      const auto m = static_cast<std::size_t>(mel);
      const float shift = mean.empty() ? 0.0f : mean[m];
      const float divisor = scale.empty() ? 1.0f : scale[scale.size() == 1 ? 0 : m] + kTiny;
      for (float& x : features.row(channel, mel)) x = (x - shift) / divisor;
    }
  }
}

void FeatureMoments::expect_bands(std::size_t n_mels) {
  if (sum_.empty()) {
    sum_.assign(n_mels, 0.0);
    square_.assign(n_mels, 0.0);
  }
  if (sum_.size() != n_mels) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("statistics over {} mel bands cannot take features of {}", sum_.size(), n_mels));
  }
}

void FeatureMoments::add(const FeatureMap& features) {
  expect_bands(static_cast<std::size_t>(features.n_mels));
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (int mel = 0; mel < features.n_mels; ++mel) {
      double sum = 0.0, square = 0.0;
      for (float x : features.row(channel, mel)) {
        sum += x;
        square += static_cast<double>(x) * x;
      }
      sum_[static_cast<std::size_t>(mel)] += sum;
      square_[static_cast<std::size_t>(mel)] += square;
    }
  }
  n_frames_ += static_cast<std::int64_t>(features.n_channels) * features.n_frames;
}

void FeatureMoments::merge(const FeatureMoments& other) {
  if (other.n_frames_ == 0) return;
  expect_bands(other.sum_.size());
  for (std::size_t m = 0; m < sum_.size(); ++m) {
    sum_[m] += other.sum_[m];
    square_[m] += other.square_[m];
  }
  n_frames_ += other.n_frames_;
}

Normalizer FeatureMoments::normalizer(NormalizeScale scale) const {
  Normalizer result;
  if (scale == NormalizeScale::kNone) return result;
  if (n_frames_ == 0) throw Error(ErrorCode::kInvalidOption, "statistics of no frames at all");
  double total = 0.0;
  for (std::size_t m = 0; m < sum_.size(); ++m) {
    const double mean = sum_[m] / static_cast<double>(n_frames_);
    const double variance = std::max(0.0, square_[m] / static_cast<double>(n_frames_) - mean * mean);
    result.mean.push_back(static_cast<float>(mean));
    if (scale == NormalizeScale::kPerMel) result.scale.push_back(static_cast<float>(std::sqrt(variance)));
    total += variance;
  }
  if (scale == NormalizeScale::kGlobal) {
    result.scale.assign(1, static_cast<float>(std::sqrt(total / static_cast<double>(sum_.size()))));
  }
  return result;
}

}  // namespace earmark
