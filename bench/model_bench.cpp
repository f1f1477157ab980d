#include "model_bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "core/options_io.h"
#include "core/rng.h"
#include "core/shared_module.h"
#include "earmark/error.h"
#include "engine/conv_floor.h"
#include "model_peers.h"
#include "tagger/engine.h"
#include "timing.h"

namespace earmark {
namespace {

struct Config {
  std::string name;
  ModelOptions model;
  std::int64_t n_frames;  ///< of about 10 s; of waveforms, samples
  bool has_peer;          ///< is written out in Python
  double power = 2.0;     ///< of filters: what keeps the size of what a ReLU lets through half of
};

std::vector<Config> all_configs() {
  CnnVggishOptions cnn_vggish;
  cnn_vggish.combine = Combine::kConcat;
  return {{"upb_crnn", UpbCrnnOptions(), 501, true},
          {"two_path_resnet", TwoPathResnetOptions(), 461, true, 0.5},
          {"talnet", TalnetOptions(), 400, true},
          {"cnn_vggish", cnn_vggish, 862, true},
          {"single_block_densenet", SingleBlockDensenetOptions(), 441000, true},
          {"urbannet_system2", UrbannetSystem2Options(), 400, false},
          {"mean_std_linear", MeanStdLinearOptions(), 501, false}};
}

// Statistics are not the initial ones.
Tensor drawn(const std::string& name, const std::vector<std::int64_t>& shape, double power) {
  Rng rng(1, "bench_" + name);
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n *= d;
  const double fan = shape.size() < 2 ? 1.0 : static_cast<double>(n / shape[0]);
  std::vector<float> values;
  for (std::int64_t i = 0; i < n; ++i) {
    const double u = rng.uniform(-1.0, 1.0);
    const double value = name.ends_with("running_var") ? 1.0 + 0.5 * u
                         : shape.size() >= 2           ? u * std::sqrt(3.0 * power / fan)
                         : name.ends_with(".weight")   ? 1.0 + 0.25 * u  // of one axis: a norm's
                                                       : 0.1 * u;
    values.push_back(static_cast<float>(value));
  }
  return Tensor::from_floats(values, shape);
}

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

/// One that takes turns.
struct Side {
  std::string name;
  std::function<std::optional<double>()> once_ms;
  std::vector<double> ms{};
  bool alive = true;

  void turn(int repeats) {
    std::vector<double> times;
    for (int i = 0; i < repeats && alive; ++i) {
      const std::optional<double> time = once_ms();
      alive = time.has_value();
      if (time) times.push_back(*time);
    }
    if (alive) ms.push_back(median(std::move(times)));
  }
};

std::function<std::optional<double>()> timed(std::function<void()> work) {
  return [work = std::move(work)]() -> std::optional<double> {
    const double begin = processor_ms();
    work();
    return processor_ms() - begin;
  };
}

/// The network of a configuration in both engines, and what it is given.
struct Contest {
  BundledNetwork spec;
  TensorMap tensors;
  std::unique_ptr<Network> fast, plain, bf16;  ///< bf16: null where the processor is no faster in it
  std::vector<float> features, metadata, embeddings;
  NetworkInput input;

  explicit Contest(const Config& config) {
    spec.kind = kind_of(config.model);
    spec.revision = revision_of(config.model);
    spec.options = std::visit([](const auto& chosen) { return write_options(chosen); }, config.model);
    const ModelSizes sizes = sizes_of(config.model);
    spec.front_end = FrontEnd::of(default_front_end(config.model));
    if (spec.front_end.log_mel) spec.front_end.log_mel->n_mels = sizes.n_mels;
    for (const auto& [name, shape] : torch_state_layout()(config.model))
      tensors.emplace(name, drawn(name, shape, config.power));
    plain = make_network_by(Engine::kPlain)(spec, tensors);
    fast = make_network_by(Engine::kFast)(spec, tensors);
    try {
      bf16 = make_network_by(Engine::kBf16)(spec, tensors);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported) throw;
    }
    Rng rng(2, "bench_input");
    const auto draw = [&](std::vector<float>& to, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) to.push_back(static_cast<float>(rng.uniform(-1.7, 1.7)));
    };
    draw(features, sizes.n_channels * sizes.n_mels * config.n_frames);
    draw(metadata, n_metadata_of(config.model));
    draw(embeddings, n_embedding_of(config.model));
    for (float& x : embeddings) x = std::max(x, 0.0f);
    input = {1, sizes.n_channels, sizes.n_mels, config.n_frames, features, {}, metadata, embeddings};
  }

  /// Between the engines; and, in the plain one, what it changes of the scores that the input is reversed.
  double difference() const { return largest(fast->scores(input), plain->scores(input)); }
  double bf16_difference() const { return largest(fast->scores(input), bf16->scores(input)); }
  double effect_of_input() const {
    const std::vector<float> reversed(features.rbegin(), features.rend());
    NetworkInput changed = input;
    changed.features = reversed;
    return largest(plain->scores(input), plain->scores(changed));
  }

 private:
  static double largest(const std::vector<float>& a, const std::vector<float>& b) {
    double most = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i)
      most = std::max(most, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return most;
  }
};

/// A network's convolutions by themselves, in each kind of numbers that is fast here.
struct Floors {
  std::unique_ptr<ConvFloor> exact, bf16, int8;

  Floors(const Contest& contest, std::int64_t n_frames) {
    auto* make = reinterpret_cast<MakeConvFloorFn*>(engine_symbol("earmark_make_conv_floor"));
    const auto in = [&](FloorNumbers numbers) {
      return make(contest.spec, contest.tensors, n_frames, numbers);
    };
    exact = in(FloorNumbers::kFloat32);
    bf16 = in(FloorNumbers::kBfloat16);
    int8 = in(FloorNumbers::kInt8);
  }
};

std::vector<Side> sides_of(const Contest& contest, const Config& config, const Floors& floors,
                           const ModelBenchOptions& options) {
  std::vector<Side> sides{{"fast", timed([&] { contest.fast->scores(contest.input); })},
                          {"plain", timed([&] { contest.plain->scores(contest.input); })},
                          {"convolutions_alone", timed([&] { floors.exact->run(); })}};
  if (contest.bf16) sides.push_back({"bf16", timed([&] { contest.bf16->scores(contest.input); })});
  if (floors.bf16) sides.push_back({"convolutions_alone_bf16", timed([&] { floors.bf16->run(); })});
  if (floors.int8) sides.push_back({"convolutions_alone_int8", timed([&] { floors.int8->run(); })});
  if (!options.with_peers || !config.has_peer) return sides;
  for (const TorchMode mode :
       {TorchMode::kEager, TorchMode::kFrozen, TorchMode::kFrozenChannelsLast, TorchMode::kOnnxRuntime}) {
    const bool pytorch = mode != TorchMode::kOnnxRuntime;
    if (!pytorch && options.node_modules.empty()) continue;
    std::shared_ptr<PythonPeer> peer =
        start_torch_network(options.python, config.name, mode, options.node_modules);
    if (peer)
      sides.push_back(
          {std::string(pytorch ? "pytorch_" : "") + name_of(mode), [peer] { return peer->time_ms(); }});
  }
  return sides;
}

std::vector<std::string> run_config(const Config& config, const ModelBenchOptions& options) {
  const Contest contest(config);
  const double difference = contest.difference();
  if (!(contest.effect_of_input() > 1e-4))
    throw Error(ErrorCode::kInternal,
                fmt::format("{}: the drawn network hardly hears its input", config.name));
  if (!(difference < 1e-5))
    throw Error(ErrorCode::kInternal,
                fmt::format("{}: the engines differ by {:g} in a score", config.name, difference));
  if (contest.bf16 && !(contest.bf16_difference() < contest.bf16->tolerance()))
    throw Error(ErrorCode::kInternal,
                fmt::format("{}: bfloat16 changes a score by {:g}", config.name, contest.bf16_difference()));
  const Floors floors(contest, config.n_frames);
  std::vector<Side> sides = sides_of(contest, config, floors, options);
  for (Side& side : sides) side.turn(2);  // buffers are allocated, code is compiled
  for (Side& side : sides) side.ms.clear();
  long faults = 0;
  for (int round = 0; round < options.rounds; ++round) {
    for (Side& side : sides) {
      const long before = page_faults();
      side.turn(options.repeats);
      if (side.name == "fast") faults += page_faults() - before;
    }
  }
  std::vector<std::string> lines;
  const auto add = [&](const std::string& figure, double value, const char* unit) {
    lines.push_back(fmt::format(
        R"({{"bench":"model","config":"{} {} frames, batch 1, 1 thread","figure":"{}","value":{:.4g},"unit":"{}"}})",
        config.name, config.n_frames, figure, value, unit));
  };
  add("largest_difference", difference, "score");
  if (contest.bf16) add("largest_difference_of_bf16", contest.bf16_difference(), "score");
  const double fast = median(sides.front().ms);
  for (const Side& side : sides) {
    if (!side.alive || (side.name.starts_with("convolutions_alone") && floors.exact->gflop() == 0.0))
      continue;
    const double ms = median(side.ms);
    add(side.name + "_ms", ms, "ms");
    if (side.name == "convolutions_alone")
      add("convolutions_alone_rate", floors.exact->gflop() * 1e3 / ms, "GFLOP/s");
    if (side.name != "fast") add("time_of_" + side.name, fast / ms, "x");
  }
  add("page_faults", static_cast<double>(faults) / (options.rounds * options.repeats), "a clip");
  return lines;
}

}  // namespace

std::vector<std::string> model_bench_configs() {
  std::vector<std::string> names;
  for (const Config& config : all_configs()) names.push_back(config.name);
  return names;
}

std::vector<std::string> run_model_bench(const ModelBenchOptions& options) {
  const auto known = model_bench_configs();
  const auto& wanted = options.configs;
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("configs: must be of {}, got {}", fmt::join(known, ", "), name));
  }
  if (options.rounds < 1 || options.repeats < 1)
    throw Error(ErrorCode::kInvalidOption, "rounds, repeats: must be above 0");
  std::vector<std::string> lines;
  for (const Config& config : all_configs()) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), config.name) == wanted.end()) continue;
    for (std::string& line : run_config(config, options)) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace earmark
