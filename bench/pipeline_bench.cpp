#include "pipeline_bench.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <numbers>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "architectures/upb_crnn_options.h"
#include "audio/read_audio.h"
#include "audio/write_wav.h"
#include "child_process.h"
#include "core/file.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "pipeline_peer.h"
#include "scratch_folder.h"
#include "tagger/combine.h"
#include "tagger/engine.h"
#include "tagger/scorer.h"
#include "timing.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr int kRate_hz = 44100;
constexpr double kOfTwoEngines = 1e-5;  // of a score

// A tone in noise, another one for every index.
fs::path add_sound(const fs::path& folder, int index, double duration_s) {
  Rng rng(static_cast<std::uint64_t>(index), "bench_pipeline");
  Waveform sound;
  sound.sample_rate_hz = kRate_hz;
  sound.n_channels = 1;
  for (int i = 0; i < static_cast<int>(duration_s * kRate_hz); ++i) {
    const double tone = 0.2 * std::sin(2.0 * std::numbers::pi * (200.0 + 20.0 * index) * i / kRate_hz);
    sound.samples.push_back(static_cast<float>(tone + rng.uniform(-0.05, 0.05)));
  }
  fs::create_directories(folder);
  fs::path path = folder / fmt::format("{:05}.wav", index);
  write_wav(path, sound);
  return path;
}

// Hours of the same, never in memory as a whole: a child's peak is no less than this process's.
fs::path add_long_sound(const fs::path& folder, double duration_s) {
  const fs::path second = add_sound(folder, 0, 1.0);
  const std::vector<std::byte> wav = read_bytes(second);
  const std::size_t n = 2 * kRate_hz;  // bytes of its samples, which stand last
  const auto n_seconds = static_cast<std::uint32_t>(duration_s);
  std::ofstream out(folder / "long.wav", std::ios::binary);
  const auto write = [&](const void* bytes, std::size_t size) {
    out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  };
  const std::uint32_t data_size = n_seconds * static_cast<std::uint32_t>(n), riff_size = data_size + 36;
  write(wav.data(), 4);
  write(&riff_size, 4);
  write(wav.data() + 8, wav.size() - n - 12);
  write(&data_size, 4);
  for (std::uint32_t i = 0; i < n_seconds; ++i) write(wav.data() + wav.size() - n, n);
  if (!out.flush()) throw Error(ErrorCode::kIo, "cannot write the long recording");
  return folder / "long.wav";
}

class PipelineBench {
 public:
  explicit PipelineBench(const PipelineBenchOptions& options) : options_(options), model_(options.model) {
    const Bundle bundle = read_bundle(model_);
    const auto& networks = bundle.networks;
    const auto upb = std::find_if(networks.begin(), networks.end(),
                                  [](const auto& n) { return n.kind == UpbCrnnOptions::kKind; });
    python_has_it_ = upb != networks.end();
    if (networks.size() == 1 || !python_has_it_) return;
    Bundle one = extract_network(bundle, static_cast<std::size_t>(upb - networks.begin()));
    complete_self_test(one, make_network_by(Engine::kAuto), Precision::kFloat32);
    model_ = archive_ / "upb_crnn.earmark";
    write_bundle(model_, one);
  }

  std::vector<std::string> run() {
    for (int i = 0; i < options_.clips; ++i) add_sound(archive_ / "all", i, options_.clip_s);
    check_answers();
    time_folder();  // first: a child's memory is told as no less than this process's
    time_growth();
    time_cold_start();
    time_long_recording();
    time_stages();
    return std::move(lines_);
  }

 private:
  void add(const std::string& config, const std::string& figure, double value, const char* unit) {
    lines_.push_back(
        fmt::format(R"({{"bench":"pipeline","config":"{}","figure":"{}","value":{:.4g},"unit":"{}"}})",
                    config, figure, value, unit));
  }

  ChildRun tag(const fs::path& input, int threads, const std::string& engine = "auto",
               const fs::path& output = {}) const {
    std::vector<std::string> words{options_.program.string(),
                                   "tag",
                                   input.string(),
                                   "--model",
                                   model_.string(),
                                   "--segment-s",
                                   "whole",
                                   "--all-scores",
                                   "--format",
                                   "csv",
                                   "--quiet",
                                   "--engine",
                                   engine,
                                   "--threads",
                                   std::to_string(threads)};
    if (!output.empty()) words.insert(words.end(), {"--output", output.string(), "--overwrite"});
    auto child = run_child(words);
    if (!child || child->status != 0)
      throw Error(ErrorCode::kInternal, fmt::format("{} tag {}: ended with {}", options_.program.string(),
                                                    input.string(), child ? child->status : -1));
    return std::move(*child);
  }

  // The same bytes from any number of threads, and the plain engine's scores where it is built in.
  void check_answers() {
    const ChildRun first = tag(archive_ / "all", options_.threads.front());
    for (const int threads : options_.threads) {
      if (tag(archive_ / "all", threads).out != first.out)
        throw Error(ErrorCode::kInternal, fmt::format("{} threads give other bytes", threads));
    }
    add_sound(archive_ / "few", 0, options_.clip_s);
    add_sound(archive_ / "few", options_.clips - 1, options_.clip_s);
    ChildRun plain;
    try {
      plain = tag(archive_ / "few", 1, "plain");
    } catch (const Error&) {
      return;  // built without libtorch
    }
    const double difference = largest_difference(tag(archive_ / "few", 1).out, plain.out);
    if (!(difference <= kOfTwoEngines))
      throw Error(ErrorCode::kInternal, fmt::format("the engines differ by {:g} in a score", difference));
    add("2 recordings", "largest_difference_of_engines", difference, "score");
    try {
      const double rounded = largest_difference(tag(archive_ / "few", 1, "bf16").out, plain.out);
      add("2 recordings", "largest_difference_of_bf16", rounded, "score");
      has_bf16_ = true;
    } catch (const Error&) {  // this processor is no faster in it
    }
  }

  static double largest_difference(const std::string& a, const std::string& b) {
    const auto scores_of = [](const std::string& csv) {
      std::map<std::string, double> scores;
      std::istringstream rows(csv);
      for (std::string row; std::getline(rows, row);) {
        const std::size_t comma = row.rfind(',');
        scores[row.substr(0, comma)] = std::strtod(row.c_str() + comma + 1, nullptr);
      }
      return scores;
    };
    const auto x = scores_of(a), y = scores_of(b);
    if (x.size() != y.size()) return HUGE_VAL;
    double largest = 0.0;
    for (const auto& [key, value] : x) {
      const auto other = y.find(key);
      largest = std::max(largest, other == y.end() ? HUGE_VAL : std::fabs(value - other->second));
    }
    return largest;
  }

  std::string folder_config(int clips, int threads) const {
    return fmt::format("{} WAV files of {:g} s, {}, {} thread{}", clips, options_.clip_s,
                       model_.filename().string(), threads, threads == 1 ? "" : "s");
  }

  void time_folder() {
    struct Own {
      std::vector<double> wall_s, processor_s, peak_mb, bf16_wall_s;
    };
    std::map<int, Own> own;
    std::map<std::pair<PipelinePeer, int>, std::vector<PipelinePeerRun>> peers;
    for (int round = 0; round < options_.rounds; ++round) {
      for (const int threads : options_.threads) {
        const ChildRun run = tag(archive_ / "all", threads, "auto", archive_ / "tags.csv");
        own[threads].wall_s.push_back(run.wall_s);
        own[threads].processor_s.push_back(run.processor_s);
        own[threads].peak_mb.push_back(run.peak_mb);
        if (has_bf16_)
          own[threads].bf16_wall_s.push_back(
              tag(archive_ / "all", threads, "bf16", archive_ / "tags.csv").wall_s);
        for (const PipelinePeer peer : {PipelinePeer::kEager, PipelinePeer::kFrozen}) {
          if (!options_.with_peers || !python_has_it_) continue;
          if (const auto python = run_pipeline_peer(options_.python, peer, archive_ / "all", threads))
            peers[{peer, threads}].push_back(*python);
        }
      }
    }
    for (const auto& [threads, runs] : own) {
      const std::string config = folder_config(options_.clips, threads);
      const double wall_s = median(runs.wall_s), peak_mb = median(runs.peak_mb);
      add(config, "wall", wall_s, "s");
      add(config, "processor_time", median(runs.processor_s), "s");
      add(config, "clips", options_.clips / wall_s, "clips/s");
      add(config, "peak_memory", peak_mb, "MB");
      if (has_bf16_) {
        const double rounded_s = median(runs.bf16_wall_s);
        add(config, "bf16_clips", options_.clips / rounded_s, "clips/s");
        add(config, "speed_of_bf16", wall_s / rounded_s, "x");
      }
      if (threads != options_.threads.front()) {
        const Own& first = own.at(options_.threads.front());
        add(config, fmt::format("speed_of_{}_threads", options_.threads.front()),
            median(first.wall_s) / wall_s, "x");
        add(config, fmt::format("memory_of_{}_threads", options_.threads.front()),
            peak_mb / median(first.peak_mb), "x");
      }
      for (const PipelinePeer peer : {PipelinePeer::kEager, PipelinePeer::kFrozen}) {
        const auto found = peers.find({peer, threads});
        if (found != peers.end()) beside_python(config, name_of(peer), found->second, wall_s, peak_mb);
      }
    }
  }

  // Python's loop alone beside earmark's whole process.
  void beside_python(const std::string& config, const std::string& name,
                     const std::vector<PipelinePeerRun>& runs, double wall_s, double peak_mb) {
    const auto middle = [&](double PipelinePeerRun::*figure) {
      std::vector<double> values;
      for (const PipelinePeerRun& run : runs) values.push_back(run.*figure);
      return median(values);
    };
    const std::string python = "python_" + name;
    const double loop_s = middle(&PipelinePeerRun::loop_s), memory = middle(&PipelinePeerRun::peak_mb);
    add(config, python + "_clips", options_.clips / loop_s, "clips/s");
    add(config, "speed_of_" + python, loop_s / wall_s, "x");
    add(config, python + "_peak_memory", memory, "MB");
    add(config, "memory_of_" + python, peak_mb / memory, "x");
    add(config, python + "_first_tags", middle(&PipelinePeerRun::first_s), "s");
    add(config, python + "_decode", middle(&PipelinePeerRun::decode_ms), "ms/clip");
    add(config, python + "_features", middle(&PipelinePeerRun::features_ms), "ms/clip");
    add(config, python + "_network", middle(&PipelinePeerRun::network_ms), "ms/clip");
    first_tags_of_python_s_ = std::min(first_tags_of_python_s_, middle(&PipelinePeerRun::first_s));
  }

  void time_growth() {
    for (const int share : {4, 2}) {
      const int n = options_.clips / share;
      if (n < 1) continue;
      const std::string folder = fmt::format("part{}", share);
      for (int i = 0; i < n; ++i) add_sound(archive_ / folder, i, options_.clip_s);
      std::vector<double> wall_s;
      for (int round = 0; round < options_.rounds; ++round)
        wall_s.push_back(tag(archive_ / folder, 1, "auto", archive_ / "tags.csv").wall_s);
      add(folder_config(n, 1), "wall", median(wall_s), "s");
    }
  }

  void time_cold_start() {
    const fs::path one = add_sound(archive_ / "one", 1, 1.0);
    std::vector<double> wall_s;
    for (int round = 0; round < std::max(options_.rounds, 5); ++round) wall_s.push_back(tag(one, 1).wall_s);
    const std::string config = fmt::format("1 WAV file of 1 s, {}", model_.filename().string());
    add(config, "cold_start", median(wall_s), "s");
    if (std::isfinite(first_tags_of_python_s_))
      add(config, "time_of_python_first_tags", median(wall_s) / first_tags_of_python_s_, "x");
  }

  void time_long_recording() {
    if (options_.long_s <= 0.0) return;
    for (const double share : {0.25, 1.0}) {
      const double length_s = options_.long_s * share;
      const fs::path path = add_long_sound(archive_ / "long", length_s);
      std::vector<std::string> words{options_.program.string(),
                                     "tag",
                                     path.string(),
                                     "--quiet",
                                     "--model",
                                     model_.string(),
                                     "--threads",
                                     "1",
                                     "--format",
                                     "csv",
                                     "--output",
                                     (archive_ / "tags.csv").string(),
                                     "--overwrite"};
      const auto run = run_child(words);
      if (!run || run->status != 0) throw Error(ErrorCode::kInternal, "the long recording was not tagged");
      const std::string config = fmt::format("1 WAV file of {:g} s, 1 thread", length_s);
      add(config, "wall", run->wall_s, "s");
      add(config, "real_time", length_s / run->wall_s, "x");
      add(config, "peak_memory", run->peak_mb, "MB");
      fs::remove(path);
    }
  }

  // What a recording costs in each stage, in processor time of one thread.
  void time_stages() {
    const Scorer scorer(read_bundle(model_), make_network_by(Engine::kAuto));
    const Bundle bundle = read_bundle(model_);
    const BundledNetwork& network = bundle.networks.front();
    const FeatureExtractor extractor(network.front_end.features());
    LogMelWorkspace buffers;
    FeatureMap features;
    Scorer::Workspace workspace;
    std::vector<double> decode_ms, features_ms, score_ms;
    for (int i = 0; i < options_.clips; ++i) {
      const double begin = processor_ms();
      ReadOptions reading;
      reading.sample_rate_hz = scorer.sample_rate_hz();
      reading.channels = scorer.mono() ? ChannelMode::kMono : ChannelMode::kStereo;
      const auto sound = read_audio(archive_ / fmt::format("all/{:05}.wav", i), reading);
      if (!sound) throw Error(ErrorCode::kInternal, sound.failure().detail);
      const double decoded = processor_ms();
      extractor.compute(sound->waveform, buffers, features);
      network.front_end.normalizer.apply(features);
      const double heard = processor_ms();
      scorer.scores(sound->waveform, workspace);
      const double scored = processor_ms();
      decode_ms.push_back(decoded - begin);
      features_ms.push_back(heard - decoded);
      score_ms.push_back(scored - heard);
    }
    const std::string config = folder_config(options_.clips, 1);
    add(config, "decode", median(decode_ms), "ms/clip");
    add(config, "features", median(features_ms), "ms/clip");
    add(config, "network", median(score_ms) - median(features_ms), "ms/clip");
  }

  const PipelineBenchOptions& options_;
  ScratchFolder archive_;
  fs::path model_;  ///< of an ensemble its UPB CRNN, the network that the Python way has
  bool python_has_it_ = false;
  std::vector<std::string> lines_;
  double first_tags_of_python_s_ = HUGE_VAL;
  bool has_bf16_ = false;
};

}  // namespace

std::vector<std::string> run_pipeline_bench(const PipelineBenchOptions& options) {
  std::vector<std::string> problems;
  if (options.clips < 1) problems.push_back(fmt::format("clips: must be above 0, got {}", options.clips));
  if (!(options.clip_s >= 0.1))
    problems.push_back(fmt::format("clip_s: must be at least 0.1, got {:g}", options.clip_s));
  if (options.rounds < 1) problems.push_back(fmt::format("rounds: must be above 0, got {}", options.rounds));
  if (options.threads.empty() || *std::min_element(options.threads.begin(), options.threads.end()) < 1)
    problems.emplace_back("threads: must be numbers above 0");
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the benchmark cannot be run:", problems);
  return PipelineBench(options).run();
}

}  // namespace earmark
