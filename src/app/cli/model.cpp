#include <utility>

#include "app/cli/command.h"
#include "app/cli/model_actions.h"

namespace earmark::cli {

CLI::App* add_model_action(Program& program, CLI::App* verb, const char* name, const char* description,
                           const char* examples) {
  CLI::App* action = verb->add_subcommand(name, description);
  action->footer(std::string("Examples:\n") + examples);
  action->add_flag("-q,--quiet", program.common.quiet, "no messages on stderr but errors");
  return action;
}

void run_when_given(Program& program, CLI::App* action, std::function<int()> body) {
  action->parse_complete_callback([&program, body = std::move(body)] { program.run = body; });
}

void add_model(Program& program) {
  CLI::App* verb = program.add_verb(
      "model", "Shows, makes and runs bundles",
      "  earmark model info models/esc10.earmark\n"
      "  earmark model import --kind upb_crnn --state-dict weights.pt --labels tags.txt "
      "--output mine.earmark\n"
      "  earmark model calibrate mine.earmark --dataset folder --data-root my_sounds --split validate\n"
      "        --output tuned.earmark\n"
      "Each action has its own: earmark model import --help\n",
      nullptr);
  verb->require_subcommand(1);
  add_model_info(program, verb);
  add_model_import(program, verb);
  add_model_calibrate(program, verb);
  add_model_events(program, verb);
  add_model_extract(program, verb);
  add_model_forward(program, verb);
}

}  // namespace earmark::cli
