// event_flags.h: the options of events as flags, read from their one declaration.
#pragma once
#include <CLI/CLI.hpp>

#include "core/value.h"

namespace earmark::cli {

/// --median, --hysteresis, --min-duration-s, --min-gap-s. @param given a map: gets the fields that were
/// named. It must outlive the parsing. Values are checked by whoever reads the map.
void add_event_options(CLI::App* verb, Value& given);

}  // namespace earmark::cli
