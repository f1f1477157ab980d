// The program: finds the verb, runs it, and turns what it threw into an exit status.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "app/cli/command.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "tagger/text.h"

namespace {

int exit_status(earmark::ErrorCode code) {
  using earmark::ErrorCode;
  switch (code) {
    case ErrorCode::kInternal:
      return earmark::cli::kInternalError;
    case ErrorCode::kInterrupted:
      return earmark::cli::kStopped;
    default:
      return earmark::cli::kBadUsage;
  }
}

// CLI11 says of a verb that is not there only that one is needed.
std::string unknown_verb(const earmark::cli::Program& program, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  std::vector<std::string> verbs;
  for (const CLI::App* verb : program.app.get_subcommands({})) verbs.push_back(verb->get_name());
  if (std::find(verbs.begin(), verbs.end(), argv[1]) != verbs.end()) return "";
  const std::string near = earmark::detail::nearest_name(argv[1], verbs);
  return fmt::format("there is no verb '{}'{}; `earmark --help` lists them", argv[1],
                     near.empty() ? "" : ", did you mean '" + near + "'?");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace earmark::cli;
  try {
    Program program;
    add_tag(program);
    add_train(program);
    add_crossval(program);
    add_predict(program);
    add_evaluate(program);
    add_ensemble(program);
    add_relabel(program);
    add_model(program);
    add_recipe(program);
    add_features(program);
    add_data(program);
    add_doctor(program);
    add_bench(program);
    if (const std::string problem = unknown_verb(program, argc, argv); !problem.empty()) {
      std::fprintf(stderr, "earmark: %s\n", problem.c_str());
      return kBadUsage;
    }
    try {
      program.app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      return program.app.exit(e) == 0 ? kDone : kBadUsage;
    }
    return program.run();
  } catch (const earmark::Error& e) {
    std::fprintf(stderr, "earmark: %s\n",
                 earmark::escape_invalid_utf8(e.what()).c_str());  // names of damaged files
    return exit_status(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "earmark: internal error: %s\n", e.what());
    return kInternalError;
  }
}
