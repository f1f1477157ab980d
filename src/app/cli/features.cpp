#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "app/recipe_features.h"
#include "core/file.h"
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

// One input has the name as it was given, several have theirs before its extension.
std::filesystem::path output_of(const std::filesystem::path& output, const std::string& input, bool alone) {
  if (alone) return output;
  return output.parent_path() /
         fmt::format("{}.{}{}", output.stem().string(), input, output.extension().string());
}

struct MadeFeatures {
  NamedFeatures input;
  std::filesystem::path output;
  RecipeFeatures made;

  std::vector<std::int64_t> shape() const { return shape_of(input.features, made.map); }
  Value to_value() const {
    Value::List sizes;
    for (const std::int64_t size : shape()) sizes.emplace_back(size);
    Value value;
    value.set("output", output.string());
    value.set("shape", Value(std::move(sizes)));
    value.set("sample_rate_hz", sample_rate_of(input.features));
    value.set("duration_s", made.duration_s);
    return value;
  }
  std::string text() const {
    return fmt::format("{}: [{}], {:.3f} s at {} Hz\n", output.string(), fmt::join(shape(), ", "),
                       made.duration_s, sample_rate_of(input.features));
  }
};

void check_places(const std::vector<NamedFeatures>& inputs, const FeaturesOptions& options) {
  std::vector<NamedPath> outputs;
  for (const NamedFeatures& input : inputs) {
    outputs.push_back({"--output", output_of(options.output, input.name, inputs.size() == 1)});
    refuse_existing("--output", outputs.back().path, options.overwrite);
  }
  refuse_same_place(outputs, {{"input", options.input}});
}

// All of them before the first is written.
std::vector<MadeFeatures> make_features(const std::vector<NamedFeatures>& inputs,
                                        const FeaturesOptions& options) {
  std::vector<MadeFeatures> all;
  for (const NamedFeatures& input : inputs) {
    Outcome<RecipeFeatures> made = recipe_features(input.features, options.input);
    if (!made) {
      throw Error(ErrorCode::kBadAudio, fmt::format("{}: {} ({})", options.input.string(),
                                                    made.failure().detail, made.failure().reason));
    }
    all.push_back({input, output_of(options.output, input.name, inputs.size() == 1), std::move(*made)});
  }
  return all;
}

int run_features(const FeaturesOptions& options, const Common& common) {
  const std::vector<NamedFeatures> inputs = inputs_of(load_recipe(options.recipe, options.overrides));
  check_places(inputs, options);
  const std::vector<MadeFeatures> all = make_features(inputs, options);
  for (const std::string& warning : all.front().made.warnings)
    say(common, fmt::format("{}: {}", options.input.string(), warning));
  Value files{Value::Map()};
  std::string text;
  for (const MadeFeatures& one : all) {
    write_npy(one.output, Tensor::from_floats(one.made.map.values, one.shape()));
    files.set(one.input.name, one.to_value());
    text += one.text();
  }
  if (options.json) text = to_json(all.size() == 1 ? all.front().to_value() : files, 2) + "\n";
  print(text);
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
  verb->add_option(
          "-o,--output", options->output,
          "NumPy file: float32 [channels, n_mels, n_frames]; of a network that hears the waveform [channels, "
          "n_samples] after resampling; of stages that hear different ones a file each, OUT.KIND_RATE_hz.npy")
      ->required();
  add_idle_threads_option(verb);
  verb->add_flag("--overwrite", options->overwrite, "replace output files that are there");
  verb->add_flag("--json", options->json,
                 "file and shape as JSON on stdout; of several files by their inputs' names");
}

}  // namespace earmark::cli
