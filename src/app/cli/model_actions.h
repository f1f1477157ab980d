// model_actions.h: actions of `earmark model` that stand in files of their own.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "app/cli/command.h"

namespace earmark::cli {

/// `model calibrate`: thresholds and calibration from clips whose truth is known.
void add_model_calibrate(Program& program, CLI::App* verb);
/// `model extract`: one network of a bundle as a bundle of its own.
void add_model_extract(Program& program, CLI::App* verb);
/// `model events`: how scores become events by default.
void add_model_events(Program& program, CLI::App* verb);

}  // namespace earmark::cli
