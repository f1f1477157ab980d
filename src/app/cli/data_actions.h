// data_actions.h: what the verb `data` can do has one file where it is long.
#pragma once
#include <functional>

#include "app/cli/command.h"

namespace earmark::cli {

/// An action below the verb `data`. `body` is called when it was given.
CLI::App* add_action(Program& program, CLI::App* verb, const char* name, const char* description,
                     const char* examples, const std::function<int()>& body);

void add_data_download(Program& program, CLI::App* verb);
void add_data_simulate(Program& program, CLI::App* verb);

}  // namespace earmark::cli
