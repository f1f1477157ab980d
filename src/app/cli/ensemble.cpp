#include "eval/ensemble.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "core/options_io.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

struct EnsembleFlags {
  std::vector<std::filesystem::path> scores;
  std::string rule = "mean", weights, row_sum = "auto", taxonomy = "sonyc_ust", top = "joint";
  std::filesystem::path output;
  bool overwrite = false;
};

std::vector<double> read_weights(const std::string& text) {
  std::vector<double> weights;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    double weight = 0.0;
    if (!CLI::detail::lexical_cast(text.substr(begin, comma - begin), weight))
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("--weights: must be numbers with commas between, got '{}'", text));
    weights.push_back(weight);
    begin = comma + 1;
  }
  return weights;
}

ScoreTable combined(const EnsembleFlags& flags) {
  std::vector<ScoreTable> tables;
  for (const auto& path : flags.scores) tables.push_back(read_score_table(path));
  std::vector<std::string> problems;
  if (flags.rule == "hierarchy") {
    HierarchyTop top = HierarchyTop::kJoint;
    detail::read_field(Value(flags.top), top, kAny, {"--top", &problems});
    if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
    const ScoreTable first = tables.front();
    tables.erase(tables.begin());
    return combine_hierarchy(known_taxonomy(flags.taxonomy), first, tables, top);
  }
  EnsembleOptions options;
  options.weights = read_weights(flags.weights);
  detail::read_field(Value(flags.rule), options.rule, kAny, {"--rule", &problems});
  detail::read_field(Value(flags.row_sum), options.row_sum, kAny, {"--row-sum", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  return ensemble(tables, options);
}

int run_ensemble(const EnsembleFlags& flags) {
  refuse_existing("--output", flags.output, flags.overwrite);
  const ScoreTable table = combined(flags);
  write_score_table(flags.output, table);
  print(fmt::format("{}: {} clips, {} tags, {} of {} files\n", flags.output.string(), table.clip_ids.size(),
                    table.tags.size(), flags.rule, flags.scores.size()));
  return kDone;
}

}  // namespace

void add_ensemble(Program& program) {
  auto flags = std::make_shared<EnsembleFlags>();
  CLI::App* verb = program.add_verb(
      "ensemble", "Makes one file of scores of several",
      "  earmark ensemble a.csv b.csv c.csv --output mean.csv\n"
      "  earmark ensemble --rule geometric --weights 1.5,1.5,1 a.csv b.csv c.csv --output all.csv\n"
      "  earmark ensemble --rule hierarchy top.csv branch1.csv branch2.csv --output tree.csv\n",
      [flags] { return run_ensemble(*flags); });
  verb->add_option("scores", flags->scores,
                   "CSV of scores as `earmark predict` writes it; of a hierarchy the top network's first, "
                   "then the branches'")
      ->required()
      ->check(CLI::ExistingFile);
  verb->add_option("--rule", flags->rule,
                   "mean; geometric (weighted, in the log domain); hierarchy: fine tags from the branch of a "
                   "category that "
                   "the top network selects")
      ->check(CLI::IsMember({"mean", "geometric", "hierarchy"}))
      ->capture_default_str();
  verb->add_option("--weights", flags->weights,
                   "one a file with commas between, of mean and geometric (default: all the same)");
  verb->add_option(
          "--row-sum", flags->row_sum,
          "one: a clip's scores are made to sum to 1; free: they are not; auto: where every file's do")
      ->capture_default_str();
  verb->add_option("--taxonomy", flags->taxonomy, "of a hierarchy's tags")->capture_default_str();
  verb->add_option("--top", flags->top,
                   "fine tags of categories that were not selected: the top network's own scores (joint), or "
                   "0 (coarse)")
      ->capture_default_str();
  verb->add_option("-o,--output", flags->output, "CSV of scores")->required();
  verb->add_flag("--overwrite", flags->overwrite, "replace the output file when it is there");
}

}  // namespace earmark::cli
