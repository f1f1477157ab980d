// run_folder.h: the files that a run leaves in its folder, and who may write there.
#pragma once
#include <array>
#include <filesystem>
#include <string_view>

namespace earmark {

/// What a run leaves beside the bundles of its best weights (model_METRIC.earmark), its stages' folders and
/// TensorBoard's events; no stage may have one of these names.
inline constexpr std::array<std::string_view, 8> kRunFiles{"recipe.yaml",  "log.jsonl",  "model.earmark",
                                                           "metrics.json", "scores.csv", "report.html",
                                                           "stages.json",  "checkpoints"};

/// Whether a file or folder of this name in a run's folder is the run's own.
bool is_run_file(std::string_view name);

/// @throws Error(kInvalidOption) where `out` is a file, holds a run that is neither resumed nor overwritten,
/// or holds no run but files that one would replace.
void check_run_folder(const std::filesystem::path& out, bool resume, bool overwrite);

/// Removes what an earlier run has left, whatever its recipe was; other files stay. The recipe goes last:
/// until then the folder is known as a run's.
void clear_run_folder(const std::filesystem::path& out);

}  // namespace earmark
