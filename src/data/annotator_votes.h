// annotator_votes.h: what several people said about one clip, and the targets that come of it.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "data/tag_agreement.h"
#include "earmark/options.h"

namespace earmark {

/// A vote of 1 says that the tag was heard, 0 that it was not; this one that nobody was asked.
inline constexpr std::int8_t kNoVote = -1;

/// How the votes on a tag become its target.
enum class VoteRule { kAnyVote, kMinAgreement, kSoft, kOfficial };
template <>
struct EnumNames<VoteRule> {
  static constexpr std::array kNames{std::pair{VoteRule::kAnyVote, std::string_view("any_vote")},
                                     std::pair{VoteRule::kMinAgreement, std::string_view("min_agreement")},
                                     std::pair{VoteRule::kSoft, std::string_view("soft")},
                                     std::pair{VoteRule::kOfficial, std::string_view("official")}};
};

/// Whose votes count.
enum class VoteRows { kCrowd, kTeam, kConsensus, kAll };
template <>
struct EnumNames<VoteRows> {
  static constexpr std::array kNames{std::pair{VoteRows::kCrowd, std::string_view("crowd")},
                                     std::pair{VoteRows::kTeam, std::string_view("team")},
                                     std::pair{VoteRows::kConsensus, std::string_view("consensus")},
                                     std::pair{VoteRows::kAll, std::string_view("all")}};
};

/// One person's votes on one clip. Thread-safety: a plain value.
struct AnnotatorVotes {
  int annotator = 0;               ///< above 0: of the crowd; below 0: of the team; 0: the team's consensus
  std::vector<std::int8_t> votes;  ///< [n_tags] 1, 0 or kNoVote

  bool is_consensus() const noexcept { return annotator == 0; }
};

bool counts(VoteRows rows, int annotator) noexcept;

struct VoteOptions {
  VoteRule rule = VoteRule::kAnyVote;
  VoteRows rows = VoteRows::kCrowd;  ///< not asked by kOfficial, which takes the consensus alone
  double min_agreement = 0.5;        ///< of kMinAgreement: the share of yes among the votes, 0..1
  bool strict = true;                ///< of kMinAgreement: more than that share, not just as much
};

/// kAnyVote and kOfficial: 1 where a row that counts says yes. kMinAgreement: 1 where the share of yes among
/// the votes given is large enough and not zero. Both 0 elsewhere, also where nobody was asked. kSoft: that
/// share, kUnknownTarget where nobody was asked. Rows count equally, whoever wrote them.
/// @param votes on one clip, [n_tags] each.
/// @return [n_tags]; empty when no row counts.
std::vector<float> targets_from_votes(std::span<const AnnotatorVotes> votes, const VoteOptions& options);

/// Agreement of the crowd: counted clip by clip. Thread-safety: one thread at a time.
class AgreementCounter {
 public:
  explicit AgreementCounter(std::size_t n_tags) : tags_(n_tags) {}
  /// @param votes on one clip, [n_tags] each; the consensus is nobody's own vote and is left out.
  void add(std::span<const AnnotatorVotes> votes);
  std::vector<TagAgreement> result() const;

 private:
  struct Tag {
    TagAgreement counts;
    std::uint64_t n_pairs = 0, n_alike = 0;
  };
  std::vector<Tag> tags_;
};

}  // namespace earmark
