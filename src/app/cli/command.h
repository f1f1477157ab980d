// command.h: what the verbs share: how one is added, common options, progress and exit status.
#pragma once
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "core/value.h"
#include "tagger/engine.h"

namespace earmark::cli {

/// Exit status of the program; docs and tests rely on these numbers.
enum Exit { kDone = 0, kSomeFailed = 1, kBadUsage = 2, kInternalError = 3, kStopped = 130 };

/// Options that every verb has.
struct Common {
  bool quiet = false;
  std::string log_level = "info";
};

/// A verb adds itself to the program; when it is chosen, `run` becomes what the program does.
struct Program {
  CLI::App app;
  Common common;
  std::function<int()> run;

  Program();
  /// A verb with its common options. `body` is called when the verb was given.
  CLI::App* add_verb(const std::string& name, const std::string& description, const std::string& examples,
                     std::function<int()> body);
};

void add_bench(Program& program);
void add_crossval(Program& program);
void add_data(Program& program);
void add_doctor(Program& program);
void add_ensemble(Program& program);
void add_evaluate(Program& program);
void add_features(Program& program);
void add_model(Program& program);
void add_predict(Program& program);
void add_recipe(Program& program);
void add_relabel(Program& program);
void add_tag(Program& program);
void add_train(Program& program);

/// `--engine auto|fast|plain`, of the verbs that run networks.
void add_engine_option(CLI::App* verb, Engine& engine);

/// `--device auto|cpu`, of the verbs that run networks: both are the processor, as there is no other device
/// yet.
void add_device_option(CLI::App* verb);

/// `--threads N`, of verbs whose work is one thread's: taken as every verb takes it, and no result depends on
/// it anywhere.
void add_idle_threads_option(CLI::App* verb);

/// Set by Ctrl-C and SIGTERM; a second Ctrl-C ends the program at once.
const std::atomic<bool>& stop_flag();

/// A bar on a terminal, a line every few seconds elsewhere, nothing with --quiet. Writes to stderr.
class Progress {
 public:
  explicit Progress(const Common& common);
  ~Progress();
  /// @param note shown behind the figures, e.g. "loss 0.412". @param rate in units a second; 0: measured
  /// here.
  void show(const std::string& stage, long done, long total, const std::string& unit,
            const std::string& note = "");
  /// Ends a bar's line, so that other text may follow.
  void clear();

 private:
  bool enabled_, terminal_, open_ = false;
  std::string stage_;
  std::chrono::steady_clock::time_point stage_start_, last_;
  long first_done_ = 0;
};

/// An error that --quiet does not silence: a line on stderr.
void complain(const std::string& line);
/// A line on stderr unless --quiet.
void say(const Common& common, const std::string& line);
/// Text on stdout. @throws Error(kIo) when it cannot be written.
void print(const std::string& text);
/// Bounds of lengths in seconds.
inline constexpr double kShortest_s = 1e-3, kDay_s = 86400.0;
/// Of options that are real numbers: low to high, both included. CLI11's own ranges take "nan".
CLI::Validator real_in(double low, double high);
/// Of options that are whole numbers, both included.
CLI::Validator integer_in(std::int64_t low, std::int64_t high);
/// Of `--threads`; 0: all cores.
inline constexpr std::int64_t kMostThreads = 4096;
/// Empty when the text is a seed, 0 to 2^64 - 1, else why not.
std::string seed_problem(const std::string& text);
/// "3 min 05 s".
std::string duration_text(double seconds);

}  // namespace earmark::cli
