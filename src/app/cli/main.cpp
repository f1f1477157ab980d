// The program: finds the verb, runs it, and turns what it threw into an exit status.
#include <cstdio>
#include <exception>

#include "app/cli/command.h"
#include "earmark/error.h"

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
    try {
      program.app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      return program.app.exit(e) == 0 ? kDone : kBadUsage;
    }
    return program.run();
  } catch (const earmark::Error& e) {
    std::fprintf(stderr, "earmark: %s\n", e.what());
    return exit_status(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "earmark: internal error: %s\n", e.what());
    return kInternalError;
  }
}
