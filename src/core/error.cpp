#include "earmark/error.h"

namespace earmark {
namespace {

std::string list_problems(const std::string& headline, const std::vector<std::string>& problems) {
  std::string text = headline;
  for (const std::string& problem : problems) text += "\n  " + problem;
  return text;
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message)
    : std::runtime_error(message), code_(code), problems_{message} {}

Error::Error(ErrorCode code, const std::string& headline, std::vector<std::string> problems)
    : std::runtime_error(list_problems(headline, problems)), code_(code), problems_(std::move(problems)) {}

}  // namespace earmark
