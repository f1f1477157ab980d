#include "model_peers.h"

#include "core/shared_module.h"
#include "python_two_path_resnet.h"
#include "python_upb_crnn.h"

namespace earmark {
namespace {

// Weights are whatever PyTorch draws: the time does not depend on them.
constexpr const char* kImports = R"(
import os, sys, tempfile, time, warnings
import torch, torch.nn as nn, torch.nn.functional as F
warnings.filterwarnings("ignore")
name, mode = sys.argv[1:3]
torch.set_num_threads(1)
torch.manual_seed(0)
)";
constexpr const char* kNetworks = R"(
class Talnet(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c = [], 1
        for i, o in enumerate((32, 64, 128, 256, 512)):
            layers += block(c, o) + block(o, o, (2, 2) if i < 2 else (2, 1), ceil=False)
            c = o
        self.cnn = nn.Sequential(*layers)
        self.gru = nn.GRU(1024, 512, 1, batch_first=True, bidirectional=True)
        self.prob, self.attention = nn.Linear(1024, 527), nn.Linear(1024, 527)
    def forward(self, x):
        h = self.gru(self.cnn(x).permute(0, 3, 1, 2).flatten(2))[0]
        return (torch.sigmoid(self.prob(h)) * torch.softmax(self.attention(h), 1)).sum(1)
class CnnVggish(nn.Module):
    def __init__(self):
        super().__init__()
        rows = [(1, 8, (1, 1), (1, 1), (0, 0)), (8, 16, (3, 3), (1, 1), (1, 1)), (16, 32, (16, 128), (4, 16), (8, 16)),
                (32, 64, (5, 5), (2, 2), (1, 1)), (64, 128, (5, 5), (2, 2), (1, 1)), (128, 256, (3, 3), (2, 2), (1, 1))]
        layers = []
        for n, (i, o, k, s, p) in enumerate(rows):
            layers += [nn.Conv2d(i, o, k, s, p), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
            if n == 2:
                layers.append(nn.MaxPool2d((4, 4)))
        self.cnn = nn.Sequential(*layers)
        hidden = lambda i, o: [nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU(inplace=True)]
        self.fc = nn.Sequential(*hidden(256 + 1280, 512), *hidden(512, 256), nn.Linear(256, 37))
    def forward(self, x, embeddings):
        return torch.sigmoid(self.fc(torch.cat([self.cnn(x).flatten(1), embeddings], 1)))
class DenseModule(nn.Module):
    def __init__(self, c, k):
        super().__init__()
        self.make = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, k, 1), nn.BatchNorm2d(k), nn.ReLU(),
                                  nn.Conv2d(k, k, 3, padding=1))
        self.share = nn.Sequential(nn.Linear(k, k // 2), nn.ReLU(), nn.Linear(k // 2, k), nn.Sigmoid())
    def forward(self, x):
        made = self.make(x)
        made = made * self.share(made.mean((2, 3)))[:, :, None, None]
        return F.max_pool2d(torch.cat([made, x], 1), 2, ceil_mode=True)
class Densenet(nn.Module):  # behind its log-mel, which it is given
    def __init__(self):
        super().__init__()
        self.norm, self.low = nn.BatchNorm2d(1), nn.Conv2d(1, 15, 3, padding=1)
        modules, c = [], 16
        for k in (16, 32, 64, 128, 256, 512, 512, 512):
            modules.append(DenseModule(c, k))
            c += k
        self.dense = nn.Sequential(*modules, nn.BatchNorm2d(c), nn.ReLU())
        self.heads = nn.Linear(c, 8 * 41)
    def forward(self, x):
        x = self.norm(x)
        h = self.dense(torch.cat([x, self.low(x)], 1)).mean((2, 3))
        return torch.softmax(self.heads(h).view(-1, 8, 41), 2).mean(1)
net, shapes = {"upb_crnn": (lambda: nn.Sequential(UpbCrnn(), nn.Sigmoid()), [(1, 1, 128, 501)]), "two_path_resnet": (lambda: Resnet(affine=True), [(1, 6, 128, 461)]),
               "talnet": (Talnet, [(1, 1, 64, 400)]), "single_block_densenet": (Densenet, [(1, 1, 64, 3446)]),
               "cnn_vggish": (CnnVggish, [(1, 1, 128, 862), (1, 1280)])}[name]
net, inputs = net().eval(), tuple(torch.randn(*shape) for shape in shapes)
if mode == "frozen_channels_last":
    net = net.to(memory_format=torch.channels_last)
    inputs = tuple(x.to(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs)
if mode == "onnxruntime":  # another program goes on from here
    path = os.path.join(tempfile.mkdtemp(), "network.onnx")
    torch.onnx.export(net, inputs, path, opset_version=13)
    del net
    os.execvp("node", ["node", "-e", sys.argv[3], path, repr([list(shape) for shape in shapes])])
with torch.no_grad():
    if mode != "eager":
        traced = torch.jit.trace(net, inputs, check_trace=False)
        net = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
    for _ in range(3):
        net(*inputs)
    print("ready", flush=True)
    while sys.stdin.buffer.readline():
        begin = time.thread_time()
        net(*inputs)
        print((time.thread_time() - begin) * 1e3, flush=True)
)";

// Times are processor time of the whole process: ONNX Runtime works in a thread of its own.
constexpr const char* kOnnxRuntime = R"(
const fs = require("fs"), path = require("path"), readline = require("readline");
const ort = require("onnxruntime-node");
const [file, shapes] = process.argv.slice(1);
(async () => {
  const session = await ort.InferenceSession.create(file, {intraOpNumThreads: 1, interOpNumThreads: 1,
                                                           graphOptimizationLevel: "all", executionMode: "sequential"});
  fs.rmSync(path.dirname(file), {recursive: true});
  const inputs = {};
  JSON.parse(shapes).forEach((shape, i) => {
    const values = Float32Array.from({length: shape.reduce((a, b) => a * b, 1)}, () => 3.4 * Math.random() - 1.7);
    inputs[session.inputNames[i]] = new ort.Tensor("float32", values, shape);
  });
  for (let i = 0; i < 3; ++i) await session.run(inputs);
  console.log("ready");
  for await (const _ of readline.createInterface({input: process.stdin})) {
    const begin = process.cpuUsage();
    await session.run(inputs);
    const spent = process.cpuUsage(begin);
    console.log((spent.user + spent.system) / 1e3);
  }
})().catch(() => process.exit(1));
)";

}  // namespace

const char* name_of(TorchMode mode) {
  switch (mode) {
    case TorchMode::kFrozen:
      return "frozen";
    case TorchMode::kFrozenChannelsLast:
      return "frozen_channels_last";
    case TorchMode::kOnnxRuntime:
      return "onnxruntime";
    case TorchMode::kEager:
      break;
  }
  return "eager";
}

std::unique_ptr<PythonPeer> start_torch_network(const std::string& python, const std::string& network,
                                                TorchMode mode, const std::string& node_modules) {
  return PythonPeer::start(
      python, std::string(kImports) + kPythonUpbCrnn + kPythonTwoPathResnet + kNetworks,
      {network, name_of(mode), kOnnxRuntime}, {},
      {"OPENBLAS_CORETYPE=" + best_openblas_kernel(), "OPENBLAS_NUM_THREADS=1", "NODE_PATH=" + node_modules});
}

}  // namespace earmark
