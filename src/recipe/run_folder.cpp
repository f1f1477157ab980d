#include "recipe/run_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "earmark/error.h"

namespace earmark {
namespace fs = std::filesystem;

namespace {

std::vector<std::string> run_files_in(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    if (std::string name = entry.path().filename().string(); is_run_file(name))
      found.push_back(std::move(name));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

bool is_run_file(std::string_view name) {
  const bool is_best = name.starts_with("model_") && name.ends_with(".earmark");
  return is_best || std::find(kRunFiles.begin(), kRunFiles.end(), name) != kRunFiles.end();
}

void check_run_folder(const fs::path& out, bool resume, bool overwrite) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::kInvalidOption, "--out: " + why); };
  if (out.empty()) refuse("must name a folder, got ''");
  if (fs::exists(out) && !fs::is_directory(out)) refuse("is a file: " + out.string());
  if (overwrite) return;
  if (fs::exists(out / "recipe.yaml")) {
    if (!resume)
      refuse(fmt::format("{} already holds a run; --resume continues it, --overwrite begins anew",
                         out.string()));
    return;
  }
  if (const std::vector<std::string> found = run_files_in(out); !found.empty())
    refuse(fmt::format("{} holds {}, which a run would replace; name another folder, or --overwrite",
                       out.string(), fmt::join(found, ", ")));
}

void clear_run_folder(const fs::path& out) {
  for (const std::string& name : run_files_in(out)) {
    if (name != "recipe.yaml") fs::remove_all(out / name);
  }
  fs::remove_all(out / "recipe.yaml");
}

}  // namespace earmark
