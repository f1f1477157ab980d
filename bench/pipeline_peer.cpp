#include "pipeline_peer.h"

#include <sstream>

#include "child_process.h"
#include "core/shared_module.h"
#include "python_upb_crnn.h"

namespace earmark {
namespace {

constexpr const char* kImports = R"(
import time
begin = time.perf_counter()
import glob, os, resource, sys, tempfile, warnings
warnings.filterwarnings("ignore")
import torch, torch.nn as nn, torchaudio
try:
    import soundfile
    load = lambda path: torch.from_numpy(soundfile.read(path, dtype="float32")[0])
except ImportError:
    load = lambda path: torchaudio.load(path)[0][0]
folder, mode, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
)";
constexpr const char* kLoop = R"(
mel = torchaudio.transforms.MelSpectrogram(44100, 2048, 1764, 882, 50.0, 16000.0, n_mels=128)
def features(samples):
    x = torch.log(mel(samples) + 1e-10)
    return ((x - x.mean()) / x.std())[None, None]
paths = sorted(glob.glob(os.path.join(folder, "*.wav")))
net, first, stages = nn.Sequential(UpbCrnn(), nn.Sigmoid()).eval(), None, [0.0, 0.0, 0.0]
with torch.no_grad():
    if mode == "frozen":
        example = features(load(paths[0]))
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, example, check_trace=False)))
        for _ in range(3):
            net(example)
    start = time.perf_counter()
    with tempfile.TemporaryFile("w") as out:
        for path in paths:
            t0 = time.perf_counter()
            samples = load(path)
            t1 = time.perf_counter()
            x = features(samples)
            t2 = time.perf_counter()
            out.write(path + "," + ",".join("%.5f" % v for v in net(x)[0].tolist()) + "\n")
            t3 = time.perf_counter()
            stages = [stages[0] + t1 - t0, stages[1] + t2 - t1, stages[2] + t3 - t2]
            first = first or t3 - begin
    end = time.perf_counter()
print(end - start, first, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
      *[1e3 * s / len(paths) for s in stages])
)";

}  // namespace

const char* name_of(PipelinePeer peer) { return peer == PipelinePeer::kEager ? "eager" : "frozen"; }

std::optional<PipelinePeerRun> run_pipeline_peer(const std::string& python, PipelinePeer peer,
                                                 const std::filesystem::path& folder, int threads) {
  const auto child = run_child({python, "-c", std::string(kImports) + kPythonUpbCrnn + kLoop, folder.string(),
                                name_of(peer), std::to_string(threads)},
                               {"OPENBLAS_CORETYPE=" + best_openblas_kernel()});
  if (!child || child->status != 0) return std::nullopt;
  PipelinePeerRun run;
  std::istringstream text(child->out);
  if (!(text >> run.loop_s >> run.first_s >> run.peak_mb >> run.decode_ms >> run.features_ms >>
        run.network_ms))
    return std::nullopt;
  return run;
}

}  // namespace earmark
