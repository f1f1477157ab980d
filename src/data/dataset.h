// dataset.h: what a data set says about its recordings, in one form for all of them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/annotator_votes.h"
#include "data/tag_agreement.h"
#include "earmark/options.h"

namespace earmark {

/// A target nobody has decided: neither a yes nor a no. Losses and metrics leave it out.
inline constexpr float kUnknownTarget = -1.0f;
inline constexpr bool is_known(float target) noexcept { return target >= 0.0f; }

/// One annotated recording.
struct Clip {
  std::string id;               ///< unique in the data set
  std::filesystem::path path;   ///< of the file, complete
  double from = 0.0, to = 1.0;  ///< the part of the file that is the clip, as shares of its length
  std::string split;            ///< "train", "validate", "test" or "unused"; empty: there are only folds
  int fold = 0;                 ///< as the data set numbers them, from 1; 0: none
  std::string group;            ///< recordings of one source, sensor or place; never torn apart by a split
  bool verified = true;         ///< the tags were checked by a person
  std::vector<float> targets;   ///< [n_tags] 1 yes, 0 no, between: soft, kUnknownTarget
  std::vector<float>
      clean_targets;  ///< [n_tags] the clip's own, where wrong ones were given on purpose (label_noise.h)
  std::vector<float>
      replaced_targets;  ///< [n_tags] those before new labels (labels_file.h); empty: no new ones
  std::map<std::string, std::string> metadata;
};

/// Thread-safety: a plain value.
struct Dataset {
  std::string name;
  std::vector<std::string> tags;
  std::vector<int> parents;    ///< [n_tags] index of the tag above, -1 at the top; empty: a flat list
  std::vector<bool> is_other;  ///< [n_tags] the "other or unknown" member among siblings; empty: none is
  std::vector<Clip> clips;     ///< in the order of the data set's own list
  std::vector<std::string> warnings;
  std::vector<TagAgreement> agreement;          ///< [n_tags] where several people were asked, else empty
  std::vector<std::filesystem::path> unlisted;  ///< recordings in its folders that no list of it names
  bool single_label = false;                    ///< exactly one tag a clip: a softmax makes sense

  std::optional<std::size_t> tag_index(std::string_view tag) const noexcept;
  /// The highest fold number, 0 when there are none.
  int n_folds() const noexcept;
};

/// Which of FSDKaggle2019's training clips.
enum class TrainSubset { kAll, kCurated, kNoisy };
template <>
struct EnumNames<TrainSubset> {
  static constexpr std::array kNames{std::pair{TrainSubset::kAll, std::string_view("all")},
                                     std::pair{TrainSubset::kCurated, std::string_view("curated")},
                                     std::pair{TrainSubset::kNoisy, std::string_view("noisy")}};
};

enum class FoldRule { kStratified, kShuffled };
template <>
struct EnumNames<FoldRule> {
  static constexpr std::array kNames{std::pair{FoldRule::kStratified, std::string_view("stratified")},
                                     std::pair{FoldRule::kShuffled, std::string_view("shuffled")}};
};

/// Folds of one's own, where a data set has none or others are wanted.
struct FoldOptions {
  int n = 0;
  FoldRule rule = FoldRule::kStratified;
  std::uint64_t seed = 0;
  bool verified_only = false;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("n", self.n, Range{0, 1000},
          "the training clips are dealt into so many folds; 0: those of the data set, if it has any");
    visit("rule", self.rule, kAny,
          "stratified: every tag as evenly as whole groups allow; shuffled: groups in random order, cut into "
          "runs of equal length");
    visit("seed", self.seed, kNotNegative, "of the dealing");
    visit("verified_only", self.verified_only, kAny,
          "other clips are in no fold: learned from in each, never held out");
  }
};

/// Long unchecked clips in two parts (UPB, DCASE 2019 Task 2, section 2).
struct ExcerptOptions {
  int cuts = 0;
  std::uint64_t seed = 0;
  double min_share = 0.1;
  double max_share = 0.9;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("cuts", self.cuts, Range{0, 100},
          "each training clip that is not verified becomes two, cut at a random place; both keep its tags. "
          "0: none "
          "is cut; more than 1: side by side the excerpts of so many cuts, as new labels are made for all of "
          "them");
    visit("seed", self.seed, kNotNegative, "of the places of the cuts; of several cuts, that of the first");
    visit("min_share", self.min_share, Range{0, 1, true, true}, "earliest cut, as a share of the clip");
    visit("max_share", self.max_share, Range{0, 1, true, true}, "latest cut");
  }
};

/// Wrong labels made on purpose (label_noise.h).
struct LabelNoiseOptions {
  double share = 0.0;
  std::uint64_t seed = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("share", self.share, kProbability,
          "so many of the training clips get other tags than their own, and count as unverified; held-out "
          "clips are "
          "judged by their own");
    visit("seed", self.seed, kNotNegative, "of which clips, and which tags");
  }
};

struct DatasetOptions {
  bool esc10_only = false;  ///< of ESC-50: only the clips of its ESC-10 part
  std::string
      manifest;  ///< of `folder`: CSV file, relative to the root; empty: manifest.csv when it is there

  // Of FSDKaggle2019.
  TrainSubset subset = TrainSubset::kAll;
  bool keep_known_bad = false;  ///< curated clips known to be silent or wrongly labelled stay in the list

  // Of SONYC-UST: how the votes of several people become targets (annotator_votes.h).
  VoteRule labels = VoteRule::kAnyVote;
  VoteRows rows = VoteRows::kCrowd;               ///< in the training split
  VoteRows held_out_rows = VoteRows::kConsensus;  ///< in the other splits
  double min_agreement = 0.5;
  bool strict = true;
  bool verified_only = false;    ///< only clips that the team agreed upon
  bool keep_unlabelled = false;  ///< clips without a row that counts stay in the list, every target unknown
  bool unverified_to_train = false;  ///< clips of validate that the team did not agree upon are for training
  bool repair_coarse = false;        ///< in each row a coarse tag is what its fine tags say

  FoldOptions folds;
  ExcerptOptions excerpts;
  LabelNoiseOptions label_noise;
  bool drop_untagged = false;  ///< training clips without any tag are not in the list
  std::string new_labels;      ///< CSV of labels that stand in place of the data set's own; empty: none

  // Not a recipe's to say, so not among the fields:
  bool allow_missing = false;         ///< a clip whose recording is not there stays in the list
  std::filesystem::path annotations;  ///< read in place of the root's own list; recordings are not looked for

  bool needs_recordings() const noexcept { return !allow_missing && annotations.empty(); }

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("esc10_only", self.esc10_only, kAny, "esc50: only the clips of its ESC-10 part");
    visit("manifest", self.manifest, kAny, "folder: CSV file with the tags, relative to the data root");
    visit("folds", self.folds, kAny, "folds of one's own");
    visit("excerpts", self.excerpts, kAny, "long unchecked clips in two parts");
    visit("label_noise", self.label_noise, kAny,
          "wrong labels made on purpose, for experiments with remedies");
    visit("drop_untagged", self.drop_untagged, kAny,
          "training clips that have no tag at all, as new labels may leave them, are left out");
    visit("new_labels", self.new_labels, kAny,
          "CSV of labels for some clips (`earmark relabel` writes it), in place of their own");
    visit("subset", self.subset, kAny, "fsdkaggle2019: which training clips");
    visit("keep_known_bad", self.keep_known_bad, kAny,
          "fsdkaggle2019: keep the curated clips known to be silent or wrongly labelled");
    visit("labels", self.labels, kAny,
          "sonyc_ust: a tag is given when one row that counts has it (any_vote), when enough rows have it "
          "(min_agreement), to the degree that rows have it (soft), or as the team's consensus says "
          "(official)");
    visit("rows", self.rows, kAny,
          "sonyc_ust: whose rows count in the split train, but for labels: official");
    visit("held_out_rows", self.held_out_rows, kAny,
          "sonyc_ust: whose rows count in the splits validate and test, but for labels: official");
    visit("min_agreement", self.min_agreement, kProbability,
          "sonyc_ust: min_agreement: share of the votes on a tag that say yes");
    visit("strict", self.strict, kAny,
          "sonyc_ust: min_agreement: the share must be exceeded, not only reached");
    visit("verified_only", self.verified_only, kAny, "sonyc_ust: only clips that the team agreed upon");
    visit("keep_unlabelled", self.keep_unlabelled, kAny,
          "sonyc_ust: clips without a row that counts stay in the list, all their tags unknown");
    visit("unverified_to_train", self.unverified_to_train, kAny,
          "sonyc_ust: clips of validate that the team did not agree upon move to the split train");
    visit("repair_coarse", self.repair_coarse, kAny,
          "sonyc_ust: coarse tags of a row are recomputed from its fine ones (faulty before release 0.4)");
  }
};

/// Which tags a network answers for.
enum class OutputTags { kAll, kWithoutOther, kCoarse, kFine };
template <>
struct EnumNames<OutputTags> {
  static constexpr std::array kNames{std::pair{OutputTags::kAll, std::string_view("all")},
                                     std::pair{OutputTags::kWithoutOther, std::string_view("without_other")},
                                     std::pair{OutputTags::kCoarse, std::string_view("coarse")},
                                     std::pair{OutputTags::kFine, std::string_view("fine")}};
};

/// Of the clips, their parts and their tags: a resumed run must meet the same ones.
std::string identity_of(const Dataset& data);

/// Indices of those tags. @throws Error(kInvalidOption) where the data set has no such level.
std::vector<std::size_t> output_tags(const Dataset& data, OutputTags which);

/// Names that load_dataset knows.
std::vector<std::string> dataset_names();
/// One line about one of them. @throws Error(kInvalidOption) for an unknown name.
std::string dataset_about(std::string_view name);

/// Reads the annotations under `root` and checks that every recording named is there (unless the options
/// say otherwise); decodes nothing.
/// @throws Error(kInvalidOption) for an unknown name, Error(kBadDataset) listing every problem, each with its
/// file and line.
Dataset load_dataset(const std::string& name, const std::filesystem::path& root,
                     const DatasetOptions& options = {});

}  // namespace earmark
