// features_bench.h: how fast the log-mel front ends are, next to what else could be used. Each front end
// first proves its answer against sums written out in double precision; then the sides take turns on the
// same clip, one thread each, and medians are compared.
#pragma once
#include <string>
#include <vector>

namespace earmark {

struct FeaturesBenchOptions {
  std::vector<std::string> configs;  ///< empty: all of features_bench_configs()
  double clip_s = 10.0;
  int rounds = 15;  ///< turns of each side
  int repeats = 5;  ///< clips a turn; a turn counts as their median
  bool with_peers = true;
  std::string python = "/usr/bin/python3";  ///< interpreter that may have torchaudio
};

std::vector<std::string> features_bench_configs();

/// One JSON object a line: {"bench":"features","config":..,"figure":..,"value":..,"unit":..}. Figures of
/// peers that are not installed (FFTW's shared library, torchaudio) are left out.
/// @throws Error(kInvalidOption) for an unknown config, Error(kInternal) when an answer is wrong.
std::vector<std::string> run_features_bench(const FeaturesBenchOptions& options);

}  // namespace earmark
