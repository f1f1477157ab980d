#include "app/cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>

#include "core/options_io.h"
#include "earmark/error.h"
#include "earmark/version.h"

namespace earmark::cli {
namespace {

std::atomic<bool> stop{false};

void on_signal(int signal) {
  if (stop.exchange(true) && signal == SIGINT) std::_Exit(kStopped);
}

constexpr auto kBarInterval = std::chrono::milliseconds(100);
constexpr auto kLineInterval = std::chrono::seconds(5);

}  // namespace

Program::Program() : app("Learns to tag sound, then tags it.", "earmark") {
  app.set_version_flag("--version", std::string("earmark ") + version());
  app.require_subcommand(1);
  app.footer("`earmark VERB --help` teaches a verb. First: `earmark tag FILE`.");
  app.get_formatter()->column_width(36);
}

CLI::App* Program::add_verb(const std::string& name, const std::string& description,
                            const std::string& examples, std::function<int()> body) {
  CLI::App* verb = app.add_subcommand(name, description);
  if (!examples.empty()) verb->footer("Examples:\n" + examples);
  verb->add_flag("-q,--quiet", common.quiet, "no progress and no messages on stderr but errors");
  verb->add_option("--log-level", common.log_level, "least important message shown")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  if (body) verb->parse_complete_callback([this, body = std::move(body)] { run = body; });
  return verb;
}

std::string seed_problem(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error == std::errc() && end == text.data() + text.size()) return "";
  return fmt::format("must be a whole number from 0 to 2^64 - 1, got '{}'", text);
}

const std::atomic<bool>& stop_flag() {
  static const bool installed = [] {
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    std::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is a write that fails, as on a full disk
    return true;
  }();
  (void)installed;
  return stop;
}

Progress::Progress(const Common& common)
    : enabled_(!common.quiet && common.log_level != "warning" && common.log_level != "error"),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (open_) std::fputs("\r\033[K", stderr);
  open_ = false;
}

void Progress::show(const std::string& stage, long done, long total, const std::string& unit,
                    const std::string& note) {
  if (!enabled_) return;
  const auto now = std::chrono::steady_clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = now;
    last_ = now - kLineInterval;
    if (!terminal_) last_ = now;
    first_done_ = done;
  }
  if (now - last_ <
          (terminal_ ? std::chrono::milliseconds(kBarInterval) : std::chrono::milliseconds(kLineInterval)) &&
      done != total)
    return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - stage_start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done - first_done_) / seconds : 0.0;
  std::string line = stage;
  if (total > 0) {
    const double share = static_cast<double>(done) / static_cast<double>(total);
    if (terminal_) {
      constexpr int kWidth = 24;
      const int filled = static_cast<int>(share * kWidth);
      line += " [" + std::string(static_cast<std::size_t>(filled), '=') +
              std::string(static_cast<std::size_t>(kWidth - filled), ' ') + "]";
    }
    line += fmt::format(" {}/{} ({:.0f} %)", done, total, 100.0 * share);
  } else {
    line += fmt::format(" {}", done);
  }
  if (rate > 0) line += fmt::format(", {:.3g} {}/s", rate, unit);  // not known before something is done
  if (total > 0 && rate > 0 && done < total)
    line += ", " + duration_text(static_cast<double>(total - done) / rate) + " left";
  if (!note.empty()) line += ", " + note;
  if (terminal_) {
    std::fprintf(stderr, "\r%s\033[K", line.c_str());
    open_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

void add_engine_option(CLI::App* verb, Engine& engine) {
  verb->add_option_function<std::string>(
          "--engine",
          [&engine](const std::string& text) {
            std::vector<std::string> problems;
            detail::read_field(Value(text), engine, kAny, {"--engine", &problems});
            if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, problems.front());
          },
          "what runs the networks: fast (fused, without libtorch), bf16 (the same in bfloat16, only on "
          "processors "
          "with AMX; scores differ by some 0.01), plain (libtorch), or auto: fast where it knows the network")
      ->default_str("auto");
}

void add_device_option(CLI::App* verb) {
  verb->add_option_function<std::string>(
          "--device",
          [](const std::string& text) {
            if (text != "auto" && text != "cpu")
              throw Error(
                  ErrorCode::kInvalidOption,
                  fmt::format("--device: must be auto or cpu (earmark has no code for GPUs), got '{}'",
                              text));
          },
          "where networks run: cpu, or auto: the best there is, which is the processor")
      ->default_str("auto");
}

void add_idle_threads_option(CLI::App* verb) {
  verb->add_option_function<std::int64_t>(
          "--threads", [](std::int64_t) {}, "taken as by every verb; this work is one thread's")
      ->check(integer_in(0, kMostThreads))
      ->default_str("0");
}

void complain(const std::string& line) { fmt::print(stderr, "{}\n", line); }

void say(const Common& common, const std::string& line) {
  if (!common.quiet && common.log_level != "warning" && common.log_level != "error")
    std::fprintf(stderr, "%s\n", line.c_str());
}

CLI::Validator real_in(double low, double high) {
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        double value = 0.0;
        if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return "";
        return fmt::format("must be {:g}..{:g}, got {}", low, high, text);
      },
      fmt::format("{:g}..{:g}", low, high));
}

CLI::Validator integer_in(std::int64_t low, std::int64_t high) {
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        std::int64_t value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return "";
        return fmt::format("must be a whole number, {}..{}, got {}", low, high, text);
      },
      fmt::format("{}..{}", low, high));
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error(ErrorCode::kIo, "cannot write to the standard output");
  }
}

std::string duration_text(double seconds) {
  const long s = std::lround(seconds);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

}  // namespace earmark::cli
