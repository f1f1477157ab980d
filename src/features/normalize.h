// normalize.h: statistics of a training set's features, and their removal.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "earmark/feature_map.h"
#include "earmark/options.h"

namespace earmark {

/// What is divided by once each band's mean is gone.
enum class NormalizeScale {
  kNone,    ///< nothing is removed or divided: the identity
  kGlobal,  ///< one number: the standard deviation left after removing each band's mean (UPB)
  kPerMel,  ///< each band's own standard deviation
};
template <>
struct EnumNames<NormalizeScale> {
  static constexpr std::array kNames{std::pair{NormalizeScale::kNone, std::string_view("none")},
                                     std::pair{NormalizeScale::kGlobal, std::string_view("global")},
                                     std::pair{NormalizeScale::kPerMel, std::string_view("per_mel")}};
};

/// Whether clips that nobody checked have statistics of their own.
enum class NormalizeSources { kTogether, kApart };
template <>
struct EnumNames<NormalizeSources> {
  static constexpr std::array kNames{std::pair{NormalizeSources::kTogether, std::string_view("together")},
                                     std::pair{NormalizeSources::kApart, std::string_view("apart")}};
};

/// x <- (x - mean) / (scale + 1e-18), band by band. Empty vectors: the identity.
struct Normalizer {
  std::vector<float> mean;   ///< [n_mels] or empty
  std::vector<float> scale;  ///< [n_mels], [1] for all bands, or empty

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("mean", self.mean, kAny, "mean of each mel band over the training frames");
    visit("scale", self.scale, kNotNegative, "standard deviation, one for all bands or one each");
  }

  /// Each broken rule as "field: rule, got value"; empty when valid.
  std::vector<std::string> problems() const;

  /// @throws Error(kInvalidOption) where the vectors are not of the map's n_mels.
  void apply(FeatureMap& features) const;
};

/// Sums over frames of all channels. Accumulators of parts merge into that of the whole.
class FeatureMoments {
 public:
  /// @throws Error(kInvalidOption) when the number of bands changes.
  void add(const FeatureMap& features);
  void merge(const FeatureMoments& other);
  std::int64_t n_frames() const noexcept { return n_frames_; }
  /// @throws Error(kInvalidOption) while nothing was added, except for kNone.
  Normalizer normalizer(NormalizeScale scale) const;

 private:
  void expect_bands(std::size_t n_mels);

  std::int64_t n_frames_ = 0;
  std::vector<double> sum_;     ///< [n_mels]
  std::vector<double> square_;  ///< [n_mels]
};

}  // namespace earmark
