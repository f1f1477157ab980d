#include "earmark/error.h"

#include <algorithm>

namespace earmark {
namespace {

// A list with ten thousand bad lines is to be understood from its first ones; problems() has them all.
constexpr std::size_t kMostShown = 50;

std::string list_problems(const std::string& headline, const std::vector<std::string>& problems) {
  std::string text = headline;
  const std::size_t n_shown = std::min(problems.size(), kMostShown);
  for (std::size_t i = 0; i < n_shown; ++i) text += "\n  " + problems[i];
  if (n_shown < problems.size()) text += "\n  and " + std::to_string(problems.size() - n_shown) + " more";
  return text;
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message)
    : std::runtime_error(message), code_(code), problems_{message} {}

Error::Error(ErrorCode code, const std::string& headline, std::vector<std::string> problems)
    : std::runtime_error(list_problems(headline, problems)), code_(code), problems_(std::move(problems)) {}

}  // namespace earmark
