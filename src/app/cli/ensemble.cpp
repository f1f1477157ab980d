#include "eval/ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "core/file.h"
#include "core/options_io.h"
#include "data/taxonomies.h"
#include "earmark/error.h"
#include "earmark/version.h"
#include "tagger/combine.h"

namespace earmark::cli {
namespace {

struct EnsembleFlags {
  std::vector<std::filesystem::path> inputs;
  std::string rule = "mean", row_sum = "auto";
  std::optional<std::string> weights, taxonomy, top;
  std::string taxonomy_name() const { return taxonomy.value_or("sonyc_ust"); }
  std::string top_name() const { return top.value_or("joint37"); }
  std::filesystem::path output;
  double segment_s = 0.0;
  bool overwrite = false, json = false;
};

std::vector<double> read_weights(const std::optional<std::string>& given) {
  std::vector<double> weights;
  if (!given) return weights;
  const std::string& text = *given;
  for (std::size_t begin = 0; begin <= text.size();) {
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

// What would be passed over by the rule, or would destroy what is read.
void check(const EnsembleFlags& flags) {
  std::vector<std::string> problems;
  const bool hierarchy = flags.rule == "hierarchy";
  if (hierarchy && flags.weights)
    problems.push_back(fmt::format("--weights: a hierarchy takes none, got '{}'", *flags.weights));
  if (!hierarchy && flags.top)
    problems.push_back(
        fmt::format("--top: is of --rule hierarchy alone, got '{}' and {}", *flags.top, flags.rule));
  if (!hierarchy && flags.taxonomy)
    problems.push_back(fmt::format("--taxonomy: is of --rule hierarchy alone, got '{}' and {}",
                                   *flags.taxonomy, flags.rule));
  std::vector<NamedPath> inputs;
  for (const auto& path : flags.inputs) {
    inputs.push_back({"inputs", path});
    if (!std::filesystem::exists(path)) problems.push_back("inputs: there is no file " + path.string());
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  refuse_same_place({{"--output", flags.output}}, inputs);
}

ScoreTable combined(const EnsembleFlags& flags) {
  std::vector<ScoreTable> tables;
  for (const auto& path : flags.inputs) tables.push_back(read_score_table(path));
  std::vector<std::string> problems;
  if (flags.rule == "hierarchy") {
    HierarchyTop top = HierarchyTop::kJoint;
    detail::read_field(Value(flags.top_name()), top, kAny, {"--top", &problems});
    if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
    const ScoreTable first = tables.front();
    tables.erase(tables.begin());
    return combine_hierarchy(known_taxonomy(flags.taxonomy_name()), first, tables, top);
  }
  EnsembleOptions options;
  options.weights = read_weights(flags.weights);
  detail::read_field(Value(flags.rule), options.rule, kAny, {"--rule", &problems});
  detail::read_field(Value(flags.row_sum), options.row_sum, kAny, {"--row-sum", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  return ensemble(tables, options);
}

Value answer_of(const EnsembleFlags& flags, std::size_t n_tags) {
  Value::List inputs;
  for (const std::filesystem::path& path : flags.inputs) inputs.emplace_back(path.string());
  return Value(Value::Map{{"output", Value(flags.output.string())},
                          {"rule", Value(flags.rule)},
                          {"inputs", Value(std::move(inputs))},
                          {"n_tags", Value(static_cast<std::int64_t>(n_tags))}});
}

// Bundles become one bundle, which tags like any other.
int combine_files(const EnsembleFlags& flags) {
  CombineRequest request;
  std::vector<std::string> problems;
  detail::read_field(Value(flags.rule), request.rule, kAny, {"--rule", &problems});
  detail::read_field(Value(flags.top_name()), request.top, kAny, {"--top", &problems});
  RowSum row_sum = RowSum::kAuto;
  detail::read_field(Value(flags.row_sum), row_sum, kAny, {"--row-sum", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  if (row_sum != RowSum::kAuto) request.sum_to_one = row_sum == RowSum::kOne;
  Value::List names;
  for (const std::filesystem::path& path : flags.inputs) {
    request.bundles.push_back(read_bundle(path));
    names.emplace_back(path.filename().string());
  }
  request.weights = read_weights(flags.weights);
  if (flags.segment_s > 0.0) request.segment_s = flags.segment_s;
  if (request.rule == CombineRule::kHierarchy) {
    const Taxonomy taxonomy = known_taxonomy(flags.taxonomy_name());
    request.tags = taxonomy.tags;
    request.parents = taxonomy.parents;
  }
  Bundle made = combine_bundles(std::move(request), torch_make_network());
  made.provenance.set("combined", Value(std::move(names)));
  made.provenance.set("earmark", version());
  write_bundle(flags.output, made);
  if (flags.json) {
    Value::List weights(made.weights.begin(), made.weights.end());
    Value answer = answer_of(flags, made.tags.size());
    answer.set("networks", static_cast<std::int64_t>(made.networks.size()));
    answer.set("weights", Value(std::move(weights)));
    answer.set("sum_to_one", made.sum_to_one);
    print(to_json(answer, 2) + "\n");
    return kDone;
  }
  print(fmt::format("{}: {} networks, {} tags, {} of {} bundles\n", flags.output.string(),
                    made.networks.size(), made.tags.size(), flags.rule, flags.inputs.size()));
  return kDone;
}

int run_ensemble(const EnsembleFlags& flags) {
  refuse_existing("--output", flags.output, flags.overwrite);
  check(flags);
  const auto n_bundles = std::count_if(flags.inputs.begin(), flags.inputs.end(),
                                       [](const auto& path) { return path.extension() == ".earmark"; });
  if (n_bundles == static_cast<std::ptrdiff_t>(flags.inputs.size())) return combine_files(flags);
  if (n_bundles > 0)
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("inputs: either files of scores or bundles (.earmark), got {} bundles among {} files",
                    n_bundles, flags.inputs.size()));
  if (flags.segment_s > 0.0)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--segment-s: is for bundles, got {} and files of scores", flags.segment_s));
  const ScoreTable table = combined(flags);
  write_score_table(flags.output, table);
  if (flags.json) {
    Value answer = answer_of(flags, table.tags.size());
    answer.set("n_clips", static_cast<std::int64_t>(table.clip_ids.size()));
    print(to_json(answer, 2) + "\n");
    return kDone;
  }
  print(fmt::format("{}: {} clips, {} tags, {} of {} files\n", flags.output.string(), table.clip_ids.size(),
                    table.tags.size(), flags.rule, flags.inputs.size()));
  return kDone;
}

}  // namespace

void add_ensemble(Program& program) {
  auto flags = std::make_shared<EnsembleFlags>();
  CLI::App* verb = program.add_verb(
      "ensemble", "Makes one file of scores of several, or one bundle of several",
      "  earmark ensemble a.csv b.csv c.csv --output mean.csv\n"
      "  earmark ensemble --rule geometric --weights 1.5,1.5,1 a.csv b.csv c.csv --output all.csv\n"
      "  earmark ensemble --rule hierarchy top.csv branch1.csv branch2.csv --output tree.csv\n"
      "  earmark ensemble runs/a/model.earmark runs/b/model.earmark --output both.earmark\n",
      [flags] { return run_ensemble(*flags); });
  verb->add_option(
          "inputs", flags->inputs,
          "CSV of scores as `earmark predict` writes it, or bundles; of a hierarchy the top network's "
          "first, then the branches'")
      ->required();  // whether they are there is looked at by check(): a misspelt option is named first
  verb->add_option("--rule", flags->rule,
                   "mean; geometric (weighted, in the log domain); hierarchy: fine tags from the branch of a "
                   "category that "
                   "the top network selects")
      ->check(CLI::IsMember({"mean", "geometric", "hierarchy"}))
      ->capture_default_str();
  verb->add_option(
      "--weights", flags->weights,
      "one a file with commas between, of mean and geometric (default: all the same); exponents where the "
      "scores are made to sum to 1, else shares");
  verb->add_option(
          "--row-sum", flags->row_sum,
          "one: a clip's scores are made to sum to 1; free: they are not; auto: where every file's do, of "
          "geometric bundles where each network gives one tag a clip")
      ->capture_default_str();
  verb->add_option(
          "--segment-s", flags->segment_s,
          "of bundles that hear segments of several lengths: the length that the new one hears by default")
      ->check(real_in(kShortest_s, kDay_s));
  verb->add_option("--taxonomy", flags->taxonomy, "of a hierarchy's tags (default: sonyc_ust)");
  verb->add_option("--top", flags->top,
                   "fine tags of categories that were not selected: the top network's own scores "
                   "(joint37, the default), or 0 (coarse8)");
  verb->add_option("-o,--output", flags->output, "CSV of scores, or the bundle")->required();
  verb->add_flag("--overwrite", flags->overwrite, "replace the output file when it is there");
  verb->add_flag("--json", flags->json, "what was combined, as JSON on stdout");
  add_idle_threads_option(verb);
}

}  // namespace earmark::cli
