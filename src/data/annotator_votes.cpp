#include "data/annotator_votes.h"

#include <limits>

#include "data/dataset.h"

namespace earmark {
namespace {

float target_of(int n_yes, int n_votes, const VoteOptions& options) {
  if (options.rule == VoteRule::kSoft)
    return n_votes == 0 ? kUnknownTarget : static_cast<float>(n_yes) / static_cast<float>(n_votes);
  if (options.rule != VoteRule::kMinAgreement || n_yes == 0) return n_yes > 0 ? 1.0f : 0.0f;
  const double agreement = static_cast<double>(n_yes) / n_votes;
  const bool enough = options.strict ? agreement > options.min_agreement : agreement >= options.min_agreement;
  return enough ? 1.0f : 0.0f;
}

}  // namespace

bool counts(VoteRows rows, int annotator) noexcept {
  switch (rows) {
    case VoteRows::kCrowd:
      return annotator > 0;
    case VoteRows::kTeam:
      return annotator < 0;
    case VoteRows::kConsensus:
      return annotator == 0;
    case VoteRows::kAll:
      return true;
  }
  return false;
}

std::vector<float> targets_from_votes(std::span<const AnnotatorVotes> votes, const VoteOptions& options) {
  const VoteRows rows = options.rule == VoteRule::kOfficial ? VoteRows::kConsensus : options.rows;
  std::vector<int> n_yes, n_votes;
  for (const AnnotatorVotes& row : votes) {
    if (!counts(rows, row.annotator)) continue;
    n_yes.resize(row.votes.size());
    n_votes.resize(row.votes.size());
    for (std::size_t tag = 0; tag < row.votes.size(); ++tag) {
      n_yes[tag] += row.votes[tag] == 1;
      n_votes[tag] += row.votes[tag] != kNoVote;
    }
  }
  std::vector<float> targets(n_yes.size());
  for (std::size_t tag = 0; tag < targets.size(); ++tag)
    targets[tag] = target_of(n_yes[tag], n_votes[tag], options);
  return targets;
}

void AgreementCounter::add(std::span<const AnnotatorVotes> votes) {
  for (std::size_t t = 0; t < tags_.size(); ++t) {
    std::uint64_t n_yes = 0, n_no = 0;
    for (const AnnotatorVotes& row : votes) {
      if (row.is_consensus() || row.votes[t] == kNoVote) continue;
      ++(row.votes[t] > 0 ? n_yes : n_no);
    }
    const std::uint64_t n = n_yes + n_no;
    if (n < 2) continue;
    Tag& tag = tags_[t];
    ++tag.counts.n_clips;
    tag.counts.n_any_yes += n_yes > 0 ? 1 : 0;
    tag.counts.n_all_yes += n_no == 0 ? 1 : 0;
    tag.n_pairs += n * (n - 1) / 2;
    tag.n_alike += (n_yes * n_yes - n_yes) / 2 + (n_no * n_no - n_no) / 2;
  }
}

std::vector<TagAgreement> AgreementCounter::result() const {
  std::vector<TagAgreement> agreement;
  for (const Tag& tag : tags_) {
    agreement.push_back(tag.counts);
    agreement.back().pairs_alike = tag.n_pairs > 0
                                       ? static_cast<double>(tag.n_alike) / static_cast<double>(tag.n_pairs)
                                       : std::numeric_limits<double>::quiet_NaN();
  }
  return agreement;
}

}  // namespace earmark
