#include "train_bench.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/shared_module.h"
#include "earmark/error.h"
#include "python_peer.h"
#include "python_two_path_resnet.h"
#include "python_upb_crnn.h"
#include "timing.h"
#include "train/step_timer.h"

namespace earmark {
namespace {

// The same layers, loss and optimizer, written as one would in PyTorch: each network's script defines net, x
// and step().
constexpr const char* kEagerImports = R"(
import sys, time
import torch, torch.nn as nn, torch.nn.functional as F
batch, threads = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(0)
)";
constexpr const char* kEagerUpbCrnn = R"(
net, x = UpbCrnn().train(), torch.randn(batch, 1, 128, 501)
y = (torch.rand(batch, 80) < 0.1).float()
optimizer = torch.optim.Adam(net.parameters(), 3e-4)
def step():
    optimizer.zero_grad(set_to_none=True)
    (F.binary_cross_entropy_with_logits(net(x), y, reduction="sum") / batch).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 15.0)
    optimizer.step()
)";
constexpr const char* kEagerTwoPathResnet = R"(
net, x = Resnet().train(), torch.randn(batch, 6, 128, 400)
y = torch.randint(10, (batch,))
optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=2e-3)
def step():
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(net.logits(x), y).backward()
    optimizer.step()
)";
constexpr const char* kEagerTurns = R"(
step()
print("ready", flush=True)
while sys.stdin.buffer.readline():
    begin = time.perf_counter()
    step()
    print((time.perf_counter() - begin) * 1e3, flush=True)
)";

struct Config {
  const char* name;
  const char* heard;   // by each clip of a batch
  const char* recipe;  // what of a recipe a step depends on
  int n_channels, n_frames, n_tags;
  const char *network, *step;  // in Python
};
constexpr Config kConfigs[] = {
    {"upb_crnn", "10 s", "recipe: 1", 1, 501, 80, kPythonUpbCrnn, kEagerUpbCrnn},
    {"two_path_resnet", "400 frames",
     "{recipe: 1, features: {kind: log_mel, n_mels: 128, channels: keep, deltas: htk}, normalize: none, "
     "model: {kind: two_path_resnet}, loss: {kind: cross_entropy}, "
     "optimizer: {kind: sgd, lr: 0.1, momentum: 0.9, weight_decay: 2.0e-3}}",
     6, 400, 10, kPythonTwoPathResnet, kEagerTwoPathResnet},
};

struct Peer {
  std::string name;
  std::unique_ptr<PythonPeer> process;
  std::vector<double> ms;
};

std::vector<Peer> start_peers(const Config& config, const TrainBenchOptions& options,
                              const std::string& kernel) {
  const std::vector<std::string> arguments{std::to_string(options.batch_size),
                                           std::to_string(options.threads)};
  const std::vector<std::string> blas{"OPENBLAS_CORETYPE=" + kernel};
  std::vector<std::string> tuned = blas;
  for (const char* setting : {"MALLOC_MMAP_THRESHOLD_=17179869184", "MALLOC_TRIM_THRESHOLD_=17179869184",
                              "MALLOC_TOP_PAD_=67108864"})
    tuned.emplace_back(setting);
  const std::string script = std::string(kEagerImports) + config.network + config.step + kEagerTurns;
  std::vector<Peer> peers;
  peers.push_back({"pytorch_eager", PythonPeer::start(options.python, script, arguments, {}, blas), {}});
  peers.push_back(
      {"pytorch_eager_malloc_tuned", PythonPeer::start(options.python, script, arguments, {}, tuned), {}});
  return peers;
}

void run_config(const Config& config, const TrainBenchOptions& options, std::vector<std::string>& lines) {
  StepTimerOptions step;
  step.recipe = parse_recipe(config.recipe, config.name);
  step.n_channels = config.n_channels;
  step.n_frames = config.n_frames;
  step.n_tags = config.n_tags;
  step.batch_size = options.batch_size;
  step.threads = options.threads;
  const std::unique_ptr<StepTimer> ours = torch_make_step_timer()(step);
  ours->step_ms();  // buffers are allocated, and BatchNorm's statistics are no longer those of the start
  const double error = ours->largest_error();
  if (!(error < 1e-4))
    throw Error(ErrorCode::kInternal,
                fmt::format("train: the fused layers of {} differ from libtorch's by {:g} in a score",
                            config.name, error));

  const std::string kernel = openblas_kernel();  // the peers get the same BLAS kernel
  std::vector<Peer> peers = options.with_peers ? start_peers(config, options, kernel) : std::vector<Peer>();
  std::vector<double> our_ms;
  for (int round = 0; round < options.rounds; ++round) {
    our_ms.push_back(ours->step_ms());
    for (Peer& peer : peers) {
      if (!peer.process) continue;
      if (const auto ms = peer.process->time_ms()) peer.ms.push_back(*ms);
    }
  }
  const auto add = [&](const std::string& figure, double value, const char* unit) {
    lines.push_back(fmt::format(
        R"({{"bench":"train","config":"{} batch {} x {}, {} thread(s), {}","figure":"{}","value":{:.4g},"unit":"{}"}})",
        config.name, options.batch_size, config.heard, options.threads, kernel, figure, value, unit));
  };
  add("largest_error", error, "score");
  const double ours_median = median(our_ms);
  add("earmark_step", ours_median, "ms");
  add("earmark_rate", options.batch_size * 1e3 / ours_median, "clips/s");
  for (const Peer& peer : peers) {
    if (peer.ms.size() != our_ms.size()) continue;  // not installed, or died
    add(peer.name + "_step", median(peer.ms), "ms");
    add("vs_" + peer.name, median(peer.ms) / ours_median, "x");
  }
}

}  // namespace

std::vector<std::string> train_bench_configs() {
  std::vector<std::string> names;
  for (const Config& config : kConfigs) names.emplace_back(config.name);
  return names;
}

std::vector<std::string> run_train_bench(const TrainBenchOptions& options) {
  std::vector<std::string> lines;
  for (const Config& config : kConfigs) {
    const auto& wanted = options.configs;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), config.name) != wanted.end())
      run_config(config, options, lines);
  }
  return lines;
}

}  // namespace earmark
