// model_actions.h: the actions of `earmark model`, each in a file of its own.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

#include "app/cli/command.h"

namespace earmark::cli {

/// An action of the verb with what all have: --quiet and examples behind its options.
CLI::App* add_model_action(Program& program, CLI::App* verb, const char* name, const char* description,
                           const char* examples);
/// The program does `body` when the action was given.
void run_when_given(Program& program, CLI::App* action, std::function<int()> body);

/// `model info`: what a bundle is.
void add_model_info(Program& program, CLI::App* verb);
/// `model import`: a bundle of weights from elsewhere.
void add_model_import(Program& program, CLI::App* verb);
/// `model forward`: scores of features as a network sees them.
void add_model_forward(Program& program, CLI::App* verb);
/// `model calibrate`: thresholds and calibration from clips whose truth is known.
void add_model_calibrate(Program& program, CLI::App* verb);
/// `model extract`: one network of a bundle as a bundle of its own.
void add_model_extract(Program& program, CLI::App* verb);
/// `model events`: how scores become events by default.
void add_model_events(Program& program, CLI::App* verb);

}  // namespace earmark::cli
