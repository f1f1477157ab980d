#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "app/recipe_features.h"
#include "core/tensor_io.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

struct FeaturesOptions {
  std::string recipe;
  std::vector<std::string> overrides;
  std::filesystem::path input, output;
  bool overwrite = false, json = false;
};

int run_features(const FeaturesOptions& options, const Common& common) {
  const Recipe recipe = load_recipe(options.recipe, options.overrides);
  refuse_existing("--output", options.output, options.overwrite);
  const Outcome<RecipeFeatures> made = recipe_features(recipe, options.input);
  if (!made) {
    throw Error(ErrorCode::kBadAudio, fmt::format("{}: {} ({})", options.input.string(),
                                                  made.failure().detail, made.failure().reason));
  }
  for (const std::string& warning : made->warnings)
    say(common, fmt::format("{}: {}", options.input.string(), warning));
  const FeatureMap& map = made->map;
  write_npy(options.output, Tensor::from_floats(map.values, {map.n_channels, map.n_mels, map.n_frames}));
  if (options.json) {
    Value answer;
    answer.set("output", options.output.string());
    answer.set("shape", Value::List{map.n_channels, map.n_mels, map.n_frames});
    answer.set("sample_rate_hz", sample_rate_of(recipe.features));
    answer.set("duration_s", made->duration_s);
    print(to_json(answer, 2) + "\n");
  } else {
    print(fmt::format("{}: [{}, {}, {}], {:.3f} s at {} Hz\n", options.output.string(), map.n_channels,
                      map.n_mels, map.n_frames, made->duration_s, sample_rate_of(recipe.features)));
  }
  return kDone;
}

}  // namespace

void add_features(Program& program) {
  auto options = std::make_shared<FeaturesOptions>();
  CLI::App* verb = program.add_verb(
      "features", "Writes what a recipe's network sees of a recording",
      "  earmark features --recipe esc10/upb_crnn dog.wav --output dog.npy\n"
      "  earmark features --recipe my.yaml --set features.n_mels=64 dog.wav --output dog.npy\n",
      [&program, options] { return run_features(*options, program.common); });
  verb->add_option("--recipe", options->recipe,
                   "recipe file, or the name of one that ships (`earmark recipe list`)")
      ->required();
  verb->add_option("--set", options->overrides,
                   "key.path=value, replaces an option of the recipe; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("input", options->input, "recording")->required();
  verb->add_option("-o,--output", options->output, "NumPy file: float32 [channels, n_mels, n_frames]")
      ->required();
  verb->add_flag("--overwrite", options->overwrite, "replace the output file when it is there");
  verb->add_flag("--json", options->json, "file and shape as JSON on stdout");
}

}  // namespace earmark::cli
