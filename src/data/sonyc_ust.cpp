#include "data/sonyc_ust.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/file.h"
#include "data/sonyc_annotations.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kImpact = "2_machinery-impact", kOtherImpact = "3-1_non-machinery-impact";

std::vector<fs::path> audio_folders(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const char* name : {"audio", "train", "validate", "test", "audio-dev", "audio-eval", "audio-eval-0",
                           "audio-eval-1", "audio-eval-2"}) {
    folders.push_back(root / name);
  }
  return folders;
}

/// A coarse tag says yes exactly where one of its fine tags does.
class CoarseCheck {
 public:
  CoarseCheck(const Taxonomy& taxonomy, bool repair) : repair_(repair) {
    for (const std::size_t parent : taxonomy.top_level()) below_.push_back(taxonomy.members(parent));
    impact_ = *taxonomy.index(kImpact);
    other_impact_ = *taxonomy.index(kOtherImpact);
  }

  void check(std::vector<std::int8_t>& votes, const std::string& where) {
    for (std::size_t parent = 0; parent < below_.size(); ++parent) {
      const std::int8_t implied = implied_by(below_[parent], votes);
      if (implied == votes[parent]) continue;
      const bool known_fault = parent == impact_ && votes[parent] == 1 && votes[other_impact_] == 1;
      (known_fault ? known_fault_ : other_fault_).add(where);
      if (repair_) votes[parent] = implied;
    }
  }

  void warn(const std::string& file, Findings& findings) const {
    const char* done = repair_ ? "recomputed" : "left as it is; repair_coarse recomputes it";
    if (known_fault_.n() > 0) {
      findings.warn(
          fmt::format("{}: {} rows set {} because of {}, as releases before 0.4 do; the coarse tag is {}: {}",
                      file, known_fault_.n(), kImpact, kOtherImpact, done, known_fault_.examples()));
    }
    if (other_fault_.n() > 0) {
      findings.warn(fmt::format("{}: {} times a coarse tag is not what its fine tags say; it is {}: {}", file,
                                other_fault_.n(), done, other_fault_.examples()));
    }
  }

 private:
  static std::int8_t implied_by(const std::vector<std::size_t>& members,
                                const std::vector<std::int8_t>& votes) {
    std::int8_t implied = kNoVote;
    for (const std::size_t member : members) implied = std::max(implied, votes[member]);
    return implied;
  }

  bool repair_;
  std::vector<std::vector<std::size_t>> below_;  // [n_coarse]
  std::size_t impact_ = 0, other_impact_ = 0;
  Tally known_fault_, other_fault_;
};

class SonycReader {
 public:
  SonycReader(const fs::path& root, const DatasetOptions& options)
      : root_(root),
        options_(options),
        taxonomy_(known_taxonomy("sonyc_ust")),
        coarse_(taxonomy_, options.repair_coarse),
        findings_("sonyc_ust"),
        recordings_(audio_folders(root), options),
        agreement_(taxonomy_.size()) {}

  Dataset read() {
    data_.name = "sonyc_ust";
    use_taxonomy(data_, taxonomy_);
    check_taxonomy();
    path_ = options_.annotations.empty() ? first_file(root_, {"annotations.csv", "annotations-dev.csv"})
                                         : options_.annotations;
    if (path_.empty()) {
      findings_.problem(
          fmt::format("{}: there is neither annotations.csv nor annotations-dev.csv", root_.string()));
    } else {
      for (SonycRow& row : read_sonyc_annotations(path_, taxonomy_, findings_)) read_row(std::move(row));
      for (Draft& draft : drafts_) finish(draft);
      warn();
    }
    findings_.require_none();
    if (data_.clips.empty()) {
      findings_.problem(fmt::format("{}: no clip has a row that counts", path_.string()));
      findings_.require_none();
    }
    data_.warnings = findings_.warnings();
    data_.agreement = agreement_.result();
    return std::move(data_);
  }

 private:
  /// A clip, and what its rows said.
  struct Draft {
    SonycRow first;  // the row that speaks for the clip; its votes are among `votes`
    std::vector<AnnotatorVotes> votes;
    std::optional<fs::path> path;
    std::set<int> annotators;
  };

  std::string where(const SonycRow& row) const { return fmt::format("{}:{}", path_.string(), row.line); }

  void check_taxonomy() {
    const fs::path path = first_file(root_, {"dcase-ust-taxonomy.yaml"});
    if (path.empty() || !options_.annotations.empty()) return;
    try {
      const Taxonomy found = parse_dcase_ust_taxonomy(read_text(path), path.string());
      for (const std::string& difference : taxonomy_differences(found, taxonomy_, path.string()))
        findings_.problem(difference);
    } catch (const Error& error) {
      for (const std::string& problem : error.problems()) findings_.problem(problem);
    }
  }

  void read_row(SonycRow row) {
    coarse_.check(row.votes.votes, where(row));
    const auto [known, is_new] = draft_of_.emplace(row.file, drafts_.size());
    if (is_new) {
      drafts_.emplace_back();
      drafts_.back().path = recordings_.take(row.file, where(row), findings_);
      if (!row.file.starts_with(fmt::format("{:0>2}_", row.sensor_id))) odd_sensors_.add(where(row));
    }
    Draft& draft = drafts_[known->second];
    // A member of the team writes a row for each group of tags; everybody else writes one a clip.
    if (row.votes.annotator >= 0 && !draft.annotators.insert(row.votes.annotator).second)
      repeated_.add(where(row));
    draft.votes.push_back(row.votes);
    if (is_new) {
      draft.first = std::move(row);
    } else {
      check_same(draft.first, row);
    }
  }

  // The rows of a clip differ in what was heard, not in what and where the clip is.
  void check_same(const SonycRow& first, const SonycRow& row) {
    const auto differs = [&](std::string_view column, const std::string& a, const std::string& b) {
      if (a == b) return;
      findings_.problem(where(row), fmt::format("{}: '{}' has '{}' here and '{}' in line {}", column,
                                                row.file, b, a, first.line));
    };
    differs("split", first.split, row.split);
    differs("sensor_id", first.sensor_id, row.sensor_id);
    for (std::size_t i = 0; i < kSonycPlaceAndTime.size(); ++i)
      differs(kSonycPlaceAndTime[i], first.place_and_time[i], row.place_and_time[i]);
  }

  void finish(Draft& draft) {
    if (!draft.path) return;  // a problem already
    Clip clip;
    clip.id = draft.first.file;
    clip.path = *draft.path;
    clip.split = draft.first.split;
    clip.group = draft.first.sensor_id;
    clip.verified = draft.annotators.count(0) > 0;
    if (options_.unverified_to_train && clip.split == "validate" && !clip.verified) clip.split = "train";
    clip.metadata["sensor_id"] = draft.first.sensor_id;
    for (std::size_t i = 0; i < kSonycPlaceAndTime.size(); ++i) {
      if (!draft.first.place_and_time[i].empty())
        clip.metadata[std::string(kSonycPlaceAndTime[i])] = draft.first.place_and_time[i];
    }
    VoteOptions votes;
    votes.rule = options_.labels;
    votes.rows = clip.split == "train" ? options_.rows : options_.held_out_rows;
    votes.min_agreement = options_.min_agreement;
    votes.strict = options_.strict;
    clip.targets = targets_from_votes(draft.votes, votes);
    agreement_.add(draft.votes);
    if (options_.verified_only && !clip.verified) {
      not_verified_.add(clip.id);
      return;
    }
    if (clip.targets.empty()) {
      unlabelled_.add(clip.id);
      if (!options_.keep_unlabelled) return;
      clip.targets.assign(taxonomy_.size(), kUnknownTarget);
    }
    data_.clips.push_back(std::move(clip));
  }

  void warn() {
    const std::string file = path_.string();
    coarse_.warn(file, findings_);
    const auto say = [&](const Tally& tally, std::string_view what) {
      if (tally.n() > 0)
        findings_.warn(fmt::format("{}: {} {}: {}", file, tally.n(), what, tally.examples()));
    };
    say(odd_sensors_, "clips whose name begins with another sensor's number than sensor_id");
    say(repeated_, "rows by an annotator who has one on that clip already");
    say(not_verified_, "clips that the team did not agree upon are left out");
    say(unlabelled_, options_.keep_unlabelled ? "clips without a row that counts have no known tag"
                                              : "clips without a row that counts are left out");
    if (options_.annotations.empty()) add_unlisted(recordings_, data_, findings_);
  }

  const fs::path& root_;
  const DatasetOptions& options_;
  Taxonomy taxonomy_;
  CoarseCheck coarse_;
  Findings findings_;
  RecordingFinder recordings_;
  Dataset data_;
  fs::path path_;
  std::vector<Draft> drafts_;  ///< in the order of the file
  std::map<std::string, std::size_t> draft_of_;
  Tally odd_sensors_, repeated_, not_verified_, unlabelled_;
  AgreementCounter agreement_;
};

}  // namespace

Dataset load_sonyc_ust(const fs::path& root, const DatasetOptions& options) {
  return SonycReader(root, options).read();
}

}  // namespace earmark
