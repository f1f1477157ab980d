#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "app/relabelling.h"
#include "core/file.h"
#include "core/options_io.h"
#include "data/splits.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

struct RelabelFlags {
  DatasetChoice choice;
  RelabelRequest request;
  std::string rule = "threshold";
  std::filesystem::path output;
  CLI::Option* threshold = nullptr;  ///< whether it was given
  bool overwrite = false, json = false, unverified_only = false;
};

// What stands beside the labels: the same name, another ending.
std::filesystem::path provenance_path(const std::filesystem::path& output) {
  return std::filesystem::path(output).replace_extension(".provenance.json");
}

std::string changes_text(const Value& provenance) {
  std::string text;
  for (const auto& [tag, change] : provenance.at("tags").as_map()) {
    const Value* threshold = change.find("threshold");
    text += fmt::format("  {:<40} {:>6} set {:>6} removed{}\n", tag, change.at("set").as_integer(),
                        change.at("removed").as_integer(),
                        threshold == nullptr ? "" : fmt::format("   above {:.3f}", threshold->as_number()));
  }
  return text;
}

void check_outputs(const RelabelFlags& flags) {
  const std::filesystem::path provenance = provenance_path(flags.output);
  refuse_existing("--output", flags.output, flags.overwrite);
  refuse_existing("--output", provenance, flags.overwrite);
  std::vector<NamedPath> inputs;
  for (const std::filesystem::path& path : flags.request.scores) inputs.push_back({"--scores", path});
  refuse_same_place({{"--output", flags.output}, {"--output (what changed)", provenance}}, inputs);
}

void read_rule(RelabelFlags& flags) {
  RelabelOptions& options = flags.request.options;
  std::vector<std::string> problems;
  detail::read_field(Value(flags.rule), options.rule, kAny, {"--rule", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  if (flags.threshold->count() > 0 && options.rule != RelabelRule::kThreshold)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--threshold: is for --rule threshold, got {} with --rule {}; leave it out",
                            options.threshold, flags.rule));
}

int run_relabel(RelabelFlags& flags, const Common& common) {
  check_outputs(flags);
  read_rule(flags);
  const Dataset data = load_chosen(flags.choice, true);
  for (const std::string& warning : data.warnings) say(common, "warning: " + warning);
  std::vector<std::size_t> clips = select_clips(data, flags.choice.split, flags.choice.fold);
  if (flags.unverified_only)
    std::erase_if(clips, [&](std::size_t clip) { return data.clips[clip].verified; });
  if (clips.empty())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--{}: no clip of split {} is left to be labelled anew",
                            flags.unverified_only ? "unverified-only" : "split", flags.choice.split));
  const RelabelResult result = relabel_clips(data, clips, flags.request);
  write_text(provenance_path(flags.output), to_json(result.provenance, 2) + "\n");
  write_score_table(flags.output, result.labels);
  if (flags.json) {
    Value answer = result.provenance;
    answer.set("output", flags.output.string());
    print(to_json(answer, 2) + "\n");
    return kDone;
  }
  if (const std::size_t n_kept = result.provenance.at("kept_tags").as_list().size(); n_kept > 0)
    say(common, fmt::format("{} of {} tags have no scores and keep their labels", n_kept, data.tags.size()));
  print(fmt::format("{}: {} clips\n{}", flags.output.string(), result.labels.clip_ids.size(),
                    changes_text(result.provenance)));
  if (const auto n_empty = result.provenance.at("n_empty").as_integer(); n_empty > 0) {
    say(common,
        fmt::format("{} clips have no tag now{}", n_empty,
                    flags.request.drop_empty
                        ? " and are not in the list: as data.new_labels it leaves them their old labels"
                        : "; data.drop_untagged: true keeps a training from learning from them"));
  }
  return kDone;
}

}  // namespace

void add_relabel(Program& program) {
  auto flags = std::make_shared<RelabelFlags>();
  CLI::App* verb = program.add_verb(
      "relabel", "New labels for training clips, from the scores of trained networks",
      "  earmark predict --model runs/first/model.earmark --dataset sonyc_ust --data-root SONYC-UST\n"
      "        --set data.rows=all --set data.unverified_to_train=true --split train --output scores.csv\n"
      "  earmark relabel --dataset sonyc_ust --data-root SONYC-UST --set data.rows=all\n"
      "        --set data.unverified_to_train=true --split train --scores scores.csv --rule threshold "
      "--threshold 0.7 --output labels.csv\n"
      "  earmark train sonyc_ust/multitel_system1 --data-root SONYC-UST --out runs/second\n"
      "        --set data.rows=all --set data.unverified_to_train=true --set data.new_labels=labels.csv\n",
      [&program, flags] { return run_relabel(*flags, program.common); });
  add_dataset_options(verb, flags->choice);
  verb->get_option("--data-root")->required();
  flags->choice.split = "train";
  add_part_options(verb, flags->choice);
  verb->get_option("--split")->description("train, validate, test or all (default: train)");
  verb->add_option("--scores", flags->request.scores,
                   "CSV of scores as `earmark predict` writes it; several: the mean of their scores")
      ->required()
      ->check(CLI::ExistingFile);
  verb->add_option("--rule", flags->rule,
                   "threshold: yes above --threshold; error_rate: yes above the threshold, one a tag, at "
                   "which new labels "
                   "differ least from the old ones; soft: the score itself")
      ->capture_default_str();
  flags->threshold =
      verb->add_option("--threshold", flags->request.options.threshold, "of the rule threshold")
          ->check(real_in(0.0, 1.0))
          ->capture_default_str();
  verb->add_flag("--drop-empty", flags->request.drop_empty,
                 "no rows for clips that end without a tag: with data.new_labels they keep their old labels "
                 "(data.drop_untagged, without this flag, leaves them out of the training)");
  verb->add_flag("--unverified-only", flags->unverified_only,
                 "no rows for clips that somebody checked: with data.new_labels they keep their labels");
  verb->add_option("-o,--output", flags->output,
                   "CSV of labels; what changed, and by which rule, stands beside it in NAME.provenance.json")
      ->required();
  add_idle_threads_option(verb);
  verb->add_flag("--overwrite", flags->overwrite, "replace the files when they are there");
  verb->add_flag("--json", flags->json, "what changed, as JSON on stdout");
}

}  // namespace earmark::cli
