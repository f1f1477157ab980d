// tag_run.h: the threads of a tagging job.
#pragma once
#include <filesystem>
#include <vector>

#include "tagger/recording.h"
#include "tagger/tag_job.h"
#include "tagger/tag_output.h"

namespace earmark {

struct TagTask {
  const TagInput* input = nullptr;
  std::filesystem::path file;     ///< in a tree of outputs
  std::filesystem::path picture;  ///< empty: none
};

/// Scores the tasks on request.threads threads and tells `output` and the ledger in the tasks' order.
TagSummary run_tag_tasks(const TagRequest& request, const std::vector<TagTask>& tasks, const Scorer& scorer,
                         const ScoringOptions& scoring, TagOutput& output);

}  // namespace earmark
