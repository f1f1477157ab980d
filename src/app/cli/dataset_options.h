// dataset_options.h: the options of every verb that works on a data set.
#pragma once
#include <CLI/CLI.hpp>

#include "app/dataset_choice.h"

namespace earmark::cli {

/// --dataset, --data-root, --set.
void add_dataset_options(CLI::App* verb, DatasetChoice& choice);
/// --split, --fold.
void add_part_options(CLI::App* verb, DatasetChoice& choice);
/// @throws Error(kInvalidOption) when a result would replace a file and `overwrite` is false.
void refuse_existing(const std::string& option, const std::filesystem::path& path, bool overwrite);

}  // namespace earmark::cli
