#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "app/cli/dataset_options.h"
#include "app/cli/event_flags.h"
#include "app/cli/model_actions.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "tagger/bundle.h"

namespace earmark::cli {
namespace {

struct EventsFlags {
  std::filesystem::path bundle, output;
  Value given{Value::Map()};
  bool clear = false, overwrite = false;
};

int run_events(const EventsFlags& flags) {
  refuse_existing("--output", flags.output, flags.overwrite);
  if (flags.given.as_map().empty() && !flags.clear)
    throw Error(ErrorCode::kInvalidOption,
                "name what the bundle should hold (--median, --hysteresis, "
                "--min-duration-s, --min-gap-s), or --clear");
  Bundle bundle = read_bundle(flags.bundle);
  EventOptions options = flags.clear ? EventOptions() : bundle.events.value_or(EventOptions());
  std::vector<std::string> problems;
  read_options(flags.given, options, "", problems);
  if (problems.empty()) problems = options.problems();
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  bundle.events = options == EventOptions() ? std::nullopt : std::optional(options);
  write_bundle(flags.output, bundle);  // weights stay in the precision that they are stored in
  print(fmt::format("{}: events {}\n", flags.output.string(),
                    bundle.events ? to_json(write_options(*bundle.events)) : "as without options"));
  return kDone;
}

}  // namespace

void add_model_events(Program& program, CLI::App* verb) {
  auto flags = std::make_shared<EventsFlags>();
  CLI::App* action = add_model_action(
      program, verb, "events", "keeps in a bundle how `earmark tag --events` makes events by default",
      "  earmark model events mine.earmark --median 3 --min-gap-s 2 --output steady.earmark\n");
  action->add_option("bundle", flags->bundle, "file")->required()->check(CLI::ExistingFile);
  add_event_options(action, flags->given);
  action->add_flag("--clear", flags->clear, "forget what the bundle holds first");
  action->add_option("-o,--output", flags->output, "bundle to write")->required();
  action->add_flag("--overwrite", flags->overwrite, "replace an existing bundle");
  add_idle_threads_option(action);
  run_when_given(program, action, [flags] { return run_events(*flags); });
}

}  // namespace earmark::cli
