#include "app/doctor.h"

#include <fmt/format.h>

#include "app/cli/command.h"

namespace earmark::cli {
namespace {

std::string diagnosis_text(const Diagnosis& diagnosis) {
  std::string text;
  for (const Finding& finding : diagnosis.findings) {
    const char* mark = finding.health == Health::kGood   ? "ok"
                       : finding.health == Health::kNote ? "note"
                                                         : "PROBLEM";
    text += fmt::format("{:<8} {:<10} {}\n", mark, finding.name, finding.text);
    if (!finding.fix.empty()) text += fmt::format("{:<19} -> {}\n", "", finding.fix);
  }
  return text;
}

}  // namespace

void add_doctor(Program& program) {
  auto json = std::make_shared<bool>(false), no_load = std::make_shared<bool>(false);
  CLI::App* verb =
      program.add_verb("doctor", "Tells what this build and machine can do, and what is wrong",
                       "  earmark doctor\n  earmark doctor --no-load --json\n", [json, no_load] {
                         const Diagnosis diagnosis = diagnose(!*no_load);
                         print(*json ? to_json(to_value(diagnosis), 2) + "\n" : diagnosis_text(diagnosis));
                         return static_cast<int>(diagnosis.broken() ? kSomeFailed : kDone);
                       });
  verb->add_flag("--no-load", *no_load,
                 "do not load libtorch: faster, but its BLAS and the bundle's self-test stay unexamined");
  verb->add_flag("--json", *json, "the answer as JSON on stdout");
}

}  // namespace earmark::cli
