#include "app/cli/event_flags.h"

#include <algorithm>

#include "earmark/event_options.h"

namespace earmark::cli {

namespace {

// Without a line, which text of a command line does not have; what is no number is told by the option's own
// rule.
Value number_or_text(const std::string& text) {
  std::int64_t whole = 0;
  double real = 0.0;
  if (CLI::detail::lexical_cast(text, whole)) return Value(whole);
  if (CLI::detail::lexical_cast(text, real)) return Value(real);
  return Value(text);
}

}  // namespace

void add_event_options(CLI::App* verb, Value& given) {
  const EventOptions defaults;
  EventOptions::fields(defaults,
                       [&](std::string_view name, const auto&, const Range&, std::string_view description) {
                         std::string flag = "--" + std::string(name);
                         std::replace(flag.begin(), flag.end(), '_', '-');
                         verb->add_option_function<std::string>(
                                 flag,
                                 [&given, field = std::string(name)](const std::string& text) {
                                   given.set(field, number_or_text(text));
                                 },
                                 "with events: " + std::string(description))
                             ->type_name("NUMBER");
                       });
}

}  // namespace earmark::cli
