// train_bench.h: one training step of the UPB CRNN beside the same network in Python PyTorch: plain eager
// mode, and eager mode with glibc told to keep freed memory. The sides take turns, medians are compared.
#pragma once
#include <string>
#include <vector>

namespace earmark {

struct TrainBenchOptions {
  int batch_size = 16;
  int threads = 1;
  int rounds = 7;
  bool with_peers = true;
  std::string python = "/usr/bin/python3";
};

/// One JSON object a line. Peers that are not installed are left out.
/// @throws Error(kInternal) when the network's answer is wrong, Error(kUnsupported) without libtorch.
std::vector<std::string> run_train_bench(const TrainBenchOptions& options);

}  // namespace earmark
