// image_warp.h: two warps of the log-mel as the image that Multitel's program saw (DCASE 2020 Task 5): a
// picture whose rows are frames, downwards, and whose columns are mel bands, to the right. Between pixels the
// interpolation is bilinear and exact (OpenCV, under that program, rounds positions to 1/32 of a pixel);
// beyond the edges the image is mirrored about its edge pixels (OpenCV's reflect-101).
#pragma once
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "earmark/feature_map.h"
#include "earmark/options.h"

namespace earmark {

struct ShiftScaleRotateOptions {
  static constexpr std::string_view kKind = "shift_scale_rotate";
  double probability = 0.5;
  double max_shift = 0.1;
  double max_scale = 0.1;
  double max_rotation_deg = 0.5;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is moved");
    visit("max_shift", self.max_shift, kProbability,
          "furthest shift either way, as a share of the bands and, drawn apart, of the frames");
    visit("max_scale", self.max_scale, Range{0.0, 0.9},
          "the scale is drawn from 1 - max_scale..1 + max_scale");
    visit("max_rotation_deg", self.max_rotation_deg, Range{0.0, 180.0}, "largest turn either way, degrees");
  }
};

struct ShiftScaleRotatePlan {
  double rotation_deg = 0.0;  ///< > 0: counter-clockwise in the image
  double scale = 1.0;         ///< > 0; > 1 enlarges
  double shift_mel = 0.0;     ///< share of the bands; > 0 moves sounds up
  double shift_time = 0.0;    ///< share of the frames; > 0 moves sounds later
};

/// Each part is uniform within its limits.
ShiftScaleRotatePlan draw_shift_scale_rotate(const ShiftScaleRotateOptions& options, Rng& rng);

/// Turned and scaled about (n_mels / 2, n_frames / 2), then shifted. In place, every channel alike.
void shift_scale_rotate(FeatureMap& features, const ShiftScaleRotatePlan& plan);

enum class GridDistortionCompat {
  kNone,
  kReference,  ///< rows and columns behind the last whole cell become copies of the first one
};
template <>
struct EnumNames<GridDistortionCompat> {
  static constexpr std::array kNames{
      std::pair{GridDistortionCompat::kNone, std::string_view("none")},
      std::pair{GridDistortionCompat::kReference, std::string_view("reference")}};
};

struct GridDistortionOptions {
  static constexpr std::string_view kKind = "grid_distortion";
  double probability = 0.5;
  int n_cells = 5;
  double max_distortion = 0.3;
  GridDistortionCompat compat = GridDistortionCompat::kNone;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is distorted");
    visit("n_cells", self.n_cells, Range{1, 1000}, "cells along each axis");
    visit("max_distortion", self.max_distortion, kProbability,
          "a cell shows a stretch of 1 - max_distortion..1 + max_distortion times its length");
    visit("compat", self.compat, kAny,
          "none: the last cell takes what the division of the axis leaves; reference: that rest shows the "
          "first band or frame, as in the published program (bands 60 to 63 of 64)");
  }
};

struct GridDistortionPlan {
  std::vector<double> mel_factors;   ///< one a cell: length of the source it shows over its own
  std::vector<double> time_factors;  ///< one a cell
};

/// Each factor is uniform within the distortion about 1.
GridDistortionPlan draw_grid_distortion(const GridDistortionOptions& options, Rng& rng);

/// Along each axis cell k, floor(size / cells) long, shows the stretch of the source behind what cell k - 1
/// showed, in equal steps and both of its ends included. In place, every channel alike.
void grid_distortion(FeatureMap& features, const GridDistortionPlan& plan, GridDistortionCompat compat);

}  // namespace earmark
