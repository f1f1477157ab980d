// pipeline_bench.h: `earmark tag` over a folder, from the start of the process to its end, beside the Python
// way (torchaudio and torch). Sides take turns, medians are compared.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace earmark {

struct PipelineBenchOptions {
  std::filesystem::path program;  ///< earmark
  std::filesystem::path
      model;        ///< bundle; of an ensemble its UPB CRNN is taken. Peers have that network alone
  int clips = 100;  ///< recordings of the archive
  double clip_s = 10.0;
  double long_s = 1200.0;  ///< of one long recording; 0: none
  std::vector<int> threads{1, 2};
  int rounds = 3;  ///< turns of each side
  bool with_peers = true;
  std::string python = "/usr/bin/python3";
};

/// One JSON object a line. The archive is SYNTHETIC (a tone and noise, WAV, 44.1 kHz, 16 bit, mono), the same
/// at every run, and gone afterwards. Peers that are not installed are left out.
/// @throws Error(kInvalidOption) for options out of range, Error(kInternal) when a run fails, two numbers of
/// threads do not give the same bytes, or the engines disagree.
std::vector<std::string> run_pipeline_bench(const PipelineBenchOptions& options);

}  // namespace earmark
