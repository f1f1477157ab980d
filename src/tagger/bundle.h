// bundle.h: the one bridge between training and tagging. A bundle is a safetensors file whose metadata
// says all that is needed to turn a recording into scores; docs/bundle_format.md is its specification.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/calibration.h"
#include "core/hierarchy.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "earmark/event_options.h"
#include "earmark/log_mel.h"
#include "earmark/options.h"
#include "features/feature_options.h"
#include "features/metadata.h"
#include "features/normalize.h"

namespace earmark {

inline constexpr int kBundleVersion = 1;

/// Waveform -> what one network sees: one of log_mel and waveform is there.
struct FrontEnd {
  std::optional<LogMelOptions> log_mel;
  std::optional<WaveformOptions> waveform;
  Normalizer normalizer;
  /// Of training clips that nobody checked, where they were learned from with statistics of their own
  /// (normalize_sources: apart): for scoring them again (UPB, DCASE 2019 Task 2, section 5).
  std::optional<Normalizer> unverified_normalizer;
  std::vector<MetadataColumn> metadata;  ///< what is known of the recording, beside the features
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("log_mel", self.log_mel, kAny, "spectrogram");
    visit("waveform", self.waveform, kAny, "the samples themselves, in its place");
    visit("normalizer", self.normalizer, kAny, "statistics removed from it");
    visit("unverified_normalizer", self.unverified_normalizer, kAny,
          "the same of training clips that nobody checked, where they have their own");
    visit("metadata", self.metadata, kAny, "columns beside it");
  }

  static FrontEnd of(const FeatureOptions& features, Normalizer normalizer = {},
                     std::vector<MetadataColumn> metadata = {});
  /// @throws Error(kBadBundle) when neither is there.
  FeatureOptions features() const;
};

/// A network whose answers are part of another one's input: VGGish beside CNN+VGGish. A clip is heard as
/// `n_examples` examples of `example_frames` frames, completed with silence where it is too short; their
/// embeddings stand one after the other. Its tensors stand in the file under "networks.<index>.embedder.".
struct BundledEmbedder {
  std::string kind = "vggish";
  int revision = 1;
  Value options;
  FrontEnd front_end;
  int n_examples = 10;
  int example_frames = 96;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("kind", self.kind, kAny, "architecture");
    visit("revision", self.revision, Range{1, 1000}, "of the architecture");
    visit("options", self.options, kAny, "sizes of the architecture");
    visit("front_end", self.front_end, kAny, "waveform to input, of a sample rate of its own");
    visit("n_examples", self.n_examples, Range{1, 10000}, "examples that a clip is heard as");
    visit("example_frames", self.example_frames, Range{1, 100000}, "frames of an example");
  }
};

/// One network and its front end. Its tensors stand in the file under "networks.<index>.".
struct BundledNetwork {
  std::string kind;
  int revision = 1;
  Value options;
  FrontEnd front_end;
  std::vector<std::string> tags;            ///< that it answers for, "" for one that is not told; empty: all
  std::optional<BundledEmbedder> embedder;  ///< what it hears beside its own features
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("kind", self.kind, kAny, "architecture");
    visit("revision", self.revision, Range{1, 1000}, "of the architecture");
    visit("options", self.options, kAny, "sizes of the architecture");
    visit("front_end", self.front_end, kAny, "waveform to input");
    visit("tags", self.tags, kAny,
          "tags that it answers for, '' for one that is not told; none named: all of the bundle's");
    visit("embedder", self.embedder, kAny, "network whose embeddings it hears beside its features");
  }
};

/// Whether its answers are an embedding and no scores of tags: VGGish without a layer for tags.
bool answers_with_embedding(const BundledNetwork& network);

/// How the scores of several networks become one.
enum class CombineRule {
  kMean,
  kGeometric,
  kHierarchy,  ///< a top network and, of some categories each, branches (core/hierarchy.h)
};
template <>
struct EnumNames<CombineRule> {
  static constexpr std::array kNames{std::pair{CombineRule::kMean, std::string_view("mean")},
                                     std::pair{CombineRule::kGeometric, std::string_view("geometric")},
                                     std::pair{CombineRule::kHierarchy, std::string_view("hierarchy")}};
};

/// A rule within the bundle's own: an ensemble that is part of another one.
struct ScoreGroup {
  /// Networks by their number; group g by g + the number of networks, an earlier one. Each has one place.
  std::vector<int> members;
  CombineRule combine = CombineRule::kMean;
  std::vector<double> weights;  ///< one a member; empty: equal
  bool sum_to_one = false;      ///< as the bundle's
  HierarchyTop top =
      HierarchyTop::kJoint;  ///< of kHierarchy: the first member is the top, the others branches
  std::optional<Calibration> calibration;  ///< of what the group gives

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("members", self.members, Range{0, 100000}, "networks, and earlier groups behind their last number");
    visit("combine", self.combine, kAny, "how the members' scores become one");
    visit("weights", self.weights, kNotNegative, "of the members");
    visit("sum_to_one", self.sum_to_one, kAny, "combine: geometric: as the bundle's own");
    visit("top", self.top, kAny, "combine: hierarchy: what stands for categories that are not selected");
    visit("calibration", self.calibration, kAny, "of the group's scores");
  }
};

/// How a segment shorter than the others is completed.
enum class SegmentPadding { kZeros, kRepeat };
template <>
struct EnumNames<SegmentPadding> {
  static constexpr std::array kNames{std::pair{SegmentPadding::kZeros, std::string_view("zeros")},
                                     std::pair{SegmentPadding::kRepeat, std::string_view("repeat")}};
};

/// A signal made from a seed, and the scores that this bundle gives for it.
struct SelfTest {
  std::uint64_t seed = 1;
  double duration_s = 2.0;
  double tolerance = 2e-4;
  std::vector<float> scores;  ///< [n_tags]; empty: not yet measured
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("seed", self.seed, kNotNegative, "of the generated signal");
    visit("duration_s", self.duration_s, Range{0.1, 60.0}, "of the generated signal");
    visit("tolerance", self.tolerance, kPositive, "largest difference of a score");
    visit("scores", self.scores, kAny, "expected, one a tag; of an embedder its embedding");
  }
};

struct Bundle {
  std::vector<std::string> tags;
  std::vector<double> thresholds;  ///< [n_tags]
  double segment_s = 10.0;
  SegmentPadding padding = SegmentPadding::kZeros;
  std::vector<BundledNetwork> networks;
  CombineRule combine = CombineRule::kMean;
  std::vector<double> weights;     ///< one a network, or a member; empty: equal
  bool sum_to_one = false;         ///< of kGeometric, of networks that give one tag a clip
  std::vector<ScoreGroup> groups;  ///< rules within `combine`
  /// What `combine` is over, numbered as a group's members; empty: all networks, where there are no groups.
  std::vector<int> members;
  std::vector<int> parents;  ///< [n_tags] index of the tag above, -1 at the top; empty: a flat list
  /// Of kHierarchy: the first network (or member) is the top, the others branches.
  HierarchyTop top = HierarchyTop::kJoint;
  std::optional<Calibration> calibration;  ///< of the scores, behind all that combines them
  std::optional<EventOptions> events;      ///< what events are made with unless somebody says otherwise
  SelfTest self_test;                      ///< of the scores before the calibration
  Value provenance;  ///< recipe as resolved, data set, fold, seed, revision, measured scores, notes
  std::vector<TensorMap> tensors;  ///< one map a network

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("tags", self.tags, kAny, "names of the outputs, in order");
    visit("thresholds", self.thresholds, kProbability, "score from which a tag counts as present");
    visit("segment_s", self.segment_s, kPositive, "length of the segments scored by default");
    visit("padding", self.padding, kAny, "how a short segment is completed");
    visit("networks", self.networks, kAny, "architectures with their front ends");
    visit("combine", self.combine, kAny, "how several networks' scores become one");
    visit("weights", self.weights, kNotNegative, "of the networks, or members");
    visit("groups", self.groups, kAny, "rules within `combine`");
    visit("members", self.members, Range{0, 100000}, "what `combine` is over; none named: all networks");
    visit("sum_to_one", self.sum_to_one, kAny,
          "combine: geometric: weights are exponents as they stand, and a clip's scores are divided by their "
          "sum");
    visit("parents", self.parents, Range{-1, 100000}, "index of the tag above each, -1 at the top");
    visit("top", self.top, kAny, "combine: hierarchy: what stands for categories that are not selected");
    visit("calibration", self.calibration, kAny, "of the scores");
    visit("events", self.events, kAny, "how scores become events by default");
    visit("self_test", self.self_test, kAny, "an input and the expected answer");
    visit("provenance", self.provenance, kAny, "where the bundle comes from");
  }

  std::size_t n_parameters() const;
};

/// Of the tensors whose names begin with `prefix`, without what is no weight: running statistics, principal
/// components.
std::size_t n_parameters(const TensorMap& tensors, std::string_view prefix = "");

enum class Precision { kFloat32, kFloat16 };
template <>
struct EnumNames<Precision> {
  static constexpr std::array kNames{std::pair{Precision::kFloat32, std::string_view("float32")},
                                     std::pair{Precision::kFloat16, std::string_view("float16")}};
};

/// @throws Error(kBadBundle) listing what is wrong; a bundle of a newer version is refused with advice, a
/// damaged one by its checksum.
Bundle read_bundle(const std::filesystem::path& path);
/// One that gives tags: @throws also Error(kBadBundle) of an embedder.
Bundle read_tagging_bundle(const std::filesystem::path& path);
/// The tensors are parts of `bytes`.
Bundle parse_bundle(const SharedBytes& bytes, const std::string& name);
/// Weights are stored in `precision`, statistics and biases always in float32. Atomic and deterministic.
void write_bundle(const std::filesystem::path& path, const Bundle& bundle,
                  Precision precision = Precision::kFloat32);
/// What a bundle is but its tensors, as it stands in the file. Fields that came after the first bundles were
/// written (`calibration`, `events`, `groups`, `members`) are left out where they say nothing.
Value bundle_description(const Bundle& bundle);
std::vector<std::byte> format_bundle(const Bundle& bundle, Precision precision = Precision::kFloat32);

/// The self-test's signal: sweep, clicks, noise and silence, mono at `sample_rate_hz`.
std::vector<float> self_test_signal(const SelfTest& test, int sample_rate_hz);

/// SHA-256 would tie bundles to a crypto library; for provenance the 64-bit FNV-1a of the file, in hex.
std::string bundle_id(std::span<const std::byte> bytes);

}  // namespace earmark
