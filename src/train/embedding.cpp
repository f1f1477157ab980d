#include "train/embedding.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <mutex>

#include "audio/resample.h"
#include "core/file.h"
#include "core/options_io.h"
#include "core/parallel.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "models/torch_network.h"

namespace earmark {
namespace {

constexpr double kSmallestVariance = 1e-6;  // of the largest

// Every clip's embeddings, one after the other.
std::vector<float> all_embeddings(const Embedder& embedder, const ClipStore& clips, int threads,
                                  const std::function<void(std::size_t)>& on_clip) {
  const auto width = static_cast<std::size_t>(embedder.width());
  std::vector<float> all(clips.size() * width);
  std::mutex mutex;
  std::size_t n_done = 0;
  parallel_for(clips.size(), threads, [&](std::size_t clip, int) {
    LogMelWorkspace workspace;
    const std::vector<float> own =
        embedder.embed(resampled(*clips.get(clip), embedder.sample_rate_hz()), workspace);
    std::copy(own.begin(), own.end(), all.begin() + static_cast<std::ptrdiff_t>(clip * width));
    const std::lock_guard lock(mutex);
    on_clip(++n_done);
  });
  return all;
}

VggishOptions options_of(const EmbedderParts& parts) {
  VggishOptions options;
  std::vector<std::string> problems;
  read_options(parts.spec.options, options, "options", problems);
  return options;
}

}  // namespace

Whitening fit_whitening(const std::vector<float>& embeddings, int width) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = torch::from_blob(const_cast<float*>(embeddings.data()),
                                           {static_cast<std::int64_t>(embeddings.size()) / width, width})
                              .to(torch::kDouble);
  const torch::Tensor mean = x.mean(0);
  const torch::Tensor centred = x - mean;
  const auto [variances, axes] =
      torch::linalg_eigh(torch::matmul(centred.t(), centred) / static_cast<double>(x.size(0)));
  const double smallest = std::max(variances.max().item<double>() * kSmallestVariance, 1e-12);
  const torch::Tensor rows = (axes / variances.clamp_min(smallest).sqrt().unsqueeze(0)).t().flip(0);
  const auto floats = [](const torch::Tensor& tensor) {
    const torch::Tensor flat = tensor.to(torch::kFloat).contiguous();
    return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  };
  return {floats(rows), floats(mean)};
}

std::unique_ptr<RunEmbedder> make_run_embedder(const Recipe& recipe, const ClipStore& clips, int threads,
                                               const std::function<void(std::size_t)>& on_clip) {
  const int wanted = n_embedding_of(recipe.model);
  const EmbedderOptions& chosen = recipe.embedder;
  const std::string kind = kind_of(recipe.model);
  if (wanted == 0 && !chosen.bundle.empty())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("embedder.bundle: {} hears no embeddings, got {}", kind, chosen.bundle));
  if (wanted == 0) return nullptr;
  if (chosen.bundle.empty())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("embedder.bundle: {} hears embeddings; name a VGGish bundle (--set "
                            "embedder.bundle=FILE) or set model.combine=none",
                            kind));
  auto made = std::make_unique<RunEmbedder>();
  made->parts = embedder_of(read_bundle(chosen.bundle));
  VggishOptions options = options_of(made->parts);
  if (wanted % options.n_tags != 0)
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("model.n_embedding: must be a multiple of {}, the width of {}'s embeddings, got {}",
                    options.n_tags, chosen.bundle, wanted));
  made->parts.spec.n_examples = wanted / options.n_tags;
  const auto build = [&] {
    options.quantise = options.pca ? chosen.quantise : Quantise::kNone;
    made->parts.spec.options = write_options(options);
    made->embedder = std::make_unique<Embedder>(made->parts.spec, made->parts.tensors, make_torch_network);
  };
  if (chosen.fit_pca) {
    take_tensors(made->parts.tensors, "pca.");
    options.pca = false;
    build();
    const Whitening fitted =
        fit_whitening(all_embeddings(*made->embedder, clips, threads, on_clip), options.n_tags);
    options.pca = true;
    made->parts.tensors.emplace("pca.components",
                                Tensor::from_floats(fitted.components, {options.n_tags, options.n_tags}));
    made->parts.tensors.emplace("pca.means", Tensor::from_floats(fitted.means, {options.n_tags, 1}));
  }
  build();
  std::string text = to_json(write_options(made->parts.spec));
  for (const auto& [name, tensor] : made->parts.tensors) {
    const std::vector<float> values = tensor.floats();
    const auto bytes = as_cache_bytes(values);
    text +=
        fmt::format("\n{} {:016x}", name, fnv1a({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  made->id = fmt::format("{:016x}", fnv1a(text));
  return made;
}

}  // namespace earmark
