#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "app/cli/model_actions.h"
#include "core/shared_module.h"
#include "tagger/model_io.h"
#include "tagger/scorer.h"

namespace earmark::cli {
namespace {

struct InfoFlags {
  std::string bundle;
  bool json = false;
};

std::string self_test_text(const std::string& bundle) {
  if (!torch_module_present() && !engine_module_present())
    return "not run (this build has no module that runs networks)";
  const std::string problem = self_test_result(bundle, make_network_by(Engine::kAuto));
  return problem.empty() ? "passed" : problem;
}

std::string log_mel_text(const Value& log_mel) {
  return fmt::format("{} log-mel bands of {:g} to {:g} Hz, {} Hz, window {} of {} samples, hop {}, FFT {}",
                     log_mel.at("n_mels").as_integer(), log_mel.at("f_min_hz").as_number(),
                     log_mel.at("f_max_hz").as_number(), log_mel.at("sample_rate_hz").as_integer(),
                     log_mel.at("window").as_string(), log_mel.at("win_length").as_integer(),
                     log_mel.at("hop_length").as_integer(), log_mel.at("n_fft").as_integer());
}

std::string front_end_text(const Value& front_end) {
  const Value& log_mel = front_end.at("log_mel");
  const bool normalized = !front_end.at("normalizer").at("mean").as_list().empty();
  std::string text;
  if (log_mel.is_map()) {
    text = log_mel_text(log_mel);
  } else {
    const Value& waveform = front_end.at("waveform");
    text = fmt::format("waveform, {} Hz, at least {} samples{}", waveform.at("sample_rate_hz").as_integer(),
                       waveform.at("min_samples").as_integer(),
                       waveform.at("divide_by_peak").as_bool() ? ", divided by its peak" : "");
  }
  return text + (normalized ? ", training statistics removed" : ", not normalised");
}

std::string work_text(const Value& network) {
  const auto million = [](const Value& n) { return n.as_number() / 1e6; };
  const Value* own = network.find("multiply_adds");
  if (own == nullptr) return "";
  const Value* embedder = network.find("embedder_multiply_adds");
  return fmt::format(
      "work        {:.4g} million multiply-adds a segment{}\n", million(*own),
      embedder == nullptr ? "" : fmt::format(", its embedder {:.4g} million", million(*embedder)));
}

// @param title "network", of several with its number, by which other actions name it
std::string network_text(const std::string& title, const Value& network) {
  std::string embedder;
  if (const Value* own = network.find("embedder"); own != nullptr && own->is_map()) {
    embedder = fmt::format("embedder    {} of {} parameters, {} examples of {} frames at {} Hz, options {}\n",
                           own->at("kind").as_string(), network.at("embedder_parameters").as_integer(),
                           own->at("n_examples").as_integer(), own->at("example_frames").as_integer(),
                           own->at("front_end").at("log_mel").at("sample_rate_hz").as_integer(),
                           to_json(own->at("options")));
  }
  return fmt::format(
             "{:<12}{} (revision {}), {} parameters, options {}\n"
             "front end   {}\n",
             title, network.at("kind").as_string(), network.at("revision").as_integer(),
             network.at("parameters").as_integer(), to_json(network.at("options")),
             front_end_text(network.at("front_end"))) +
         embedder + work_text(network);
}

// The heads of the provenance; the recipe in full is for --json.
std::string provenance_text(const Value& provenance) {
  if (!provenance.is_map() || provenance.as_map().empty()) return "provenance  unknown\n";
  std::string text;
  for (const auto& [key, value] : provenance.as_map()) {
    std::string shown = value.is_string() ? value.as_string() : to_json(value);
    if (shown.size() > 160) shown = fmt::format("({} characters; --json shows them)", shown.size());
    text += fmt::format("{:<12}{}: {}\n", text.empty() ? "provenance" : "", key, shown);
  }
  return text;
}

std::string tags_text(const Value& card) {
  const auto& tags = card.at("tags").as_list();
  const auto& thresholds = card.at("thresholds").as_list();
  std::string text;
  constexpr std::size_t kShown = 40;
  for (std::size_t i = 0; i < std::min(tags.size(), kShown); ++i)
    text += fmt::format("{:<12}{} ({:g})\n", i == 0 ? fmt::format("tags  {}", tags.size()) : "",
                        tags[i].as_string(), thresholds[i].as_number());
  if (tags.size() > kShown)
    text += fmt::format("{:<12}and {} more; --json shows them\n", "", tags.size() - kShown);
  return text;
}

// Where thresholds and calibration come from, when `model calibrate` has told.
std::string fitted_text(const Value& provenance) {
  const Value* fitted = provenance.find("calibration");
  const Value* rule = fitted == nullptr ? nullptr : fitted->find("thresholds");
  if (rule == nullptr) return "";
  std::string text;
  for (const char* key : {"dataset", "split", "fold", "n_clips", "scaling"}) {
    const Value* value = fitted->find(key);
    if (value == nullptr) continue;
    text += fmt::format("{} {}, ", key, value->is_string() ? value->as_string() : to_json(*value));
  }
  return fmt::format("fitted to   {}thresholds {}\n", text, to_json(*rule));
}

std::string calibration_text(const Value& card) {
  std::string text = fitted_text(card.at("provenance"));
  if (const Value& calibration = card.at("calibration"); calibration.is_map()) {
    const std::string kind = calibration.at("kind").as_string();
    text += fmt::format("calibrated  {}\n",
                        kind == "temperature"
                            ? fmt::format("temperature {:.4g}", calibration.at("temperature").as_number())
                            : kind + ", a line a tag");
  }
  if (const Value& events = card.at("events"); events.is_map())
    text += fmt::format("events      {}\n", to_json(events));
  return text;
}

// A rule and what each of its members counts; members are told where they are not simply all networks.
std::string rule_text(const std::string& title, const Value& rule, std::size_t n_networks) {
  const bool to_one = rule.at("sum_to_one").as_bool();
  std::vector<std::string> weights, members;
  for (const Value& weight : rule.at("weights").as_list())
    weights.push_back(fmt::format("{:.4g}", weight.as_number()));
  for (const Value& member : rule.at("members").as_list()) {
    const auto node = static_cast<std::size_t>(member.as_integer());
    members.push_back(node < n_networks ? fmt::format("network {}", node)
                                        : fmt::format("group {}", node - n_networks));
  }
  std::string text = fmt::format("{:<12}{}", title, rule.at("combine").as_string());
  if (!weights.empty())
    text += fmt::format(", {} {}", to_one ? "exponents" : "weights", fmt::join(weights, " "));
  if (!members.empty()) text += fmt::format(", of {}", fmt::join(members, ", "));
  return text + (to_one ? ", scores divided by their sum" : "");
}

// By which rule, or rules within rules, several networks' scores become one.
std::string combine_text(const Value& card, std::size_t n_networks) {
  std::string text;
  const Value::List& groups = card.at("groups").as_list();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Value* calibration = groups[g].find("calibration");
    const bool calibrated = calibration != nullptr && calibration->is_map();
    text +=
        rule_text(fmt::format("group {}", g), groups[g], n_networks) + (calibrated ? ", calibrated\n" : "\n");
  }
  return text + rule_text("combined", card, n_networks) + "\n";
}

int run_info(const InfoFlags& flags) {
  Value card = describe_bundle(flags.bundle);
  const std::string self_test = self_test_text(flags.bundle);
  const bool failed = self_test != "passed" && torch_module_present();
  if (flags.json) {
    Value result = card.at("self_test");
    result.set("result", self_test);
    card.set("self_test", result);
    print(to_json(card, 2) + "\n");
  } else {
    std::string text =
        fmt::format("bundle      {}\n            {:.1f} MB, id {}\n", card.at("file").as_string(),
                    card.at("bytes").as_number() / 1e6, card.at("id").as_string());
    const Value::List& networks = card.at("networks").as_list();
    for (std::size_t i = 0; i < networks.size(); ++i)
      text += network_text(networks.size() > 1 ? fmt::format("network {}", i) : "network", networks[i]);
    if (networks.size() > 1 || !card.at("members").as_list().empty())
      text += combine_text(card, networks.size());
    text += fmt::format("segments    {:g} s, short ones completed with {}\n",
                        card.at("segment_s").as_number(), card.at("padding").as_string());
    text += tags_text(card) + calibration_text(card) + provenance_text(card.at("provenance"));
    print(text + fmt::format("self-test   {}\n", self_test));
  }
  return failed ? kBadUsage : kDone;
}

}  // namespace

void add_model_info(Program& program, CLI::App* verb) {
  auto flags = std::make_shared<InfoFlags>();
  CLI::App* action = add_model_action(program, verb, "info",
                                      "what a bundle is: tags, networks, front end, provenance, self-test",
                                      "  earmark model info models/esc10.earmark\n");
  action->add_option("bundle", flags->bundle, "file")->required();
  action->add_flag("--json", flags->json, "everything but the weights, as JSON");
  add_idle_threads_option(action);
  run_when_given(program, action, [flags] { return run_info(*flags); });
}

}  // namespace earmark::cli
