// train_bench.h: one training step of a network beside the same network in Python PyTorch: plain eager
// mode, and eager mode with glibc told to keep freed memory. The sides take turns, medians are compared.
#pragma once
#include <string>
#include <vector>

namespace earmark {

struct TrainBenchOptions {
  std::vector<std::string> configs;  ///< of train_bench_configs(); empty: all
  int batch_size = 16;
  int threads = 1;
  int rounds = 7;
  bool with_peers = true;
  std::string python = "/usr/bin/python3";
};

/// Names of the networks: "upb_crnn" with Adam and clipping, "two_path_resnet" with SGD.
std::vector<std::string> train_bench_configs();

/// One JSON object a line. Peers that are not installed are left out.
/// @throws Error(kInternal) when the network's answer is wrong, Error(kUnsupported) without libtorch.
std::vector<std::string> run_train_bench(const TrainBenchOptions& options);

}  // namespace earmark
