#include "app/cli/event_flags.h"

#include <algorithm>

#include "earmark/event_options.h"

namespace earmark::cli {

void add_event_options(CLI::App* verb, Value& given) {
  const EventOptions defaults;
  EventOptions::fields(defaults,
                       [&](std::string_view name, const auto&, const Range&, std::string_view description) {
                         std::string flag = "--" + std::string(name);
                         std::replace(flag.begin(), flag.end(), '_', '-');
                         verb->add_option_function<std::string>(
                                 flag,
                                 [&given, flag, field = std::string(name)](const std::string& text) {
                                   given.set(field, parse_yaml(text, flag));
                                 },
                                 "with events: " + std::string(description))
                             ->type_name("NUMBER");
                       });
}

}  // namespace earmark::cli
