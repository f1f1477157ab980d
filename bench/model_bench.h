// model_bench.h: a network's pass over one clip in the fast engine, beside the plain engine, the same
// network in Python PyTorch (eager, and TorchScript frozen and optimised for inference), in ONNX Runtime, and
// its convolutions alone. The sides take turns on one thread each, medians are compared.
#pragma once
#include <string>
#include <vector>

namespace earmark {

struct ModelBenchOptions {
  std::vector<std::string> configs;  ///< empty: all of model_bench_configs()
  int rounds = 9;                    ///< turns of each side
  int repeats = 5;                   ///< clips a turn; a turn counts as their median
  bool with_peers = true;
  std::string python = "/usr/bin/python3";  ///< interpreter that may have torch
  std::string node_modules;                 ///< folder that may hold onnxruntime-node
};

std::vector<std::string> model_bench_configs();

/// One JSON object a line. Times are processor time of the thread that works, so that what else runs on the
/// machine disturbs them little. Peers that are not installed are left out.
/// @throws Error(kInvalidOption) for an unknown config, Error(kInternal) when the engines disagree,
/// Error(kUnsupported) without libtorch or oneDNN.
std::vector<std::string> run_model_bench(const ModelBenchOptions& options);

}  // namespace earmark
