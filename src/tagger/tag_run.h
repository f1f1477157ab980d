// tag_run.h: the threads of a tagging job.
#pragma once
#include <filesystem>
#include <vector>

#include "tagger/clips.h"
#include "tagger/recording.h"
#include "tagger/tag_job.h"
#include "tagger/tag_output.h"

namespace earmark {

struct TagTask {
  const TagInput* input = nullptr;
  std::filesystem::path file;     ///< in a tree of outputs
  std::filesystem::path picture;  ///< empty: none
  std::string clips;              ///< what its clips' names begin with
  OwnFiles names{};               ///< of the three, for the ledger
};

/// Scores the tasks on request.threads threads and tells `output`, the list of clips and the ledger in the
/// tasks' order. @param clips null: none are cut.
/// @param provenance kept in every picture.
TagSummary run_tag_tasks(const TagRequest& request, const std::vector<TagTask>& tasks, const Scorer& scorer,
                         const ScoringOptions& scoring, TagOutput& output, ClipFolder* clips,
                         const std::string& provenance);

}  // namespace earmark
