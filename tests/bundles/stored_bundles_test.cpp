// Bundles of earlier versions, and of every architecture, by each engine that this build has. In a sanitised
// build, which has no libtorch, this is where the fast engine is watched.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "audio/scratch.h"
#include "core/file.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "fuzz.h"
#include "golden_path.h"
#include "tagger/scorer.h"
#if EARMARK_WITH_DNNL
#include "engine/fast_network.h"
#endif
#if EARMARK_WITH_TORCH
#include "models/torch_network.h"
#endif

namespace earmark {
namespace {

namespace fs = std::filesystem;
using testing::Scratch;

std::vector<MakeNetworkFn*> engines() {
  std::vector<MakeNetworkFn*> all;
#if EARMARK_WITH_TORCH
  all.push_back(make_torch_network);
#endif
#if EARMARK_WITH_DNNL
  all.push_back(make_fast_network);
#endif
  return all;
}

std::vector<fs::path> stored_bundles() {
  std::vector<fs::path> paths{testing::repository() / "models/esc10.earmark"};
  for (const auto& entry : fs::directory_iterator(testing::repository() / "tests/bundles")) {
    if (entry.path().extension() == ".earmark") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The fast engine leaves the baseline to libtorch.
bool runs(MakeNetworkFn* engine, const Bundle& bundle) {
#if EARMARK_WITH_TORCH
  if (engine == &make_torch_network) return true;
#endif
  return std::none_of(bundle.networks.begin(), bundle.networks.end(),
                      [](const BundledNetwork& network) { return network.kind == "mean_std_linear"; });
}

Waveform noise(const Scorer& scorer, double duration_s) {
  Waveform waveform;
  waveform.sample_rate_hz = scorer.sample_rate_hz();
  waveform.n_channels = 1;
  Rng rng(3, "noise for stored bundles");
  waveform.samples.resize(static_cast<std::size_t>(duration_s * waveform.sample_rate_hz));
  for (float& x : waveform.samples) x = static_cast<float>(rng.uniform(-0.3, 0.3));
  return waveform;
}

class StoredBundle : public ::testing::TestWithParam<fs::path> {};

TEST_P(StoredBundle, GivesItsOwnAnswerAndOneForEveryLength) {
  std::size_t n_run = 0;
  for (MakeNetworkFn* engine : engines()) {
    if (!runs(engine, read_bundle(GetParam()))) continue;
    ++n_run;
    const Scorer scorer(read_bundle(GetParam()), *engine);  // the self-test runs here
    ASSERT_FALSE(scorer.bundle().self_test.scores.empty());
    Scorer::Workspace workspace;
    for (const double duration_s : {5.0, 1.7, 7.3, 0.25, 0.001}) {
      const Waveform waveform = noise(scorer, duration_s);
      try {
        const std::vector<float> scores = scorer.scores(waveform, workspace);
        EXPECT_EQ(scores.size(), scorer.bundle().tags.size());
        for (const float score : scores) EXPECT_TRUE(std::isfinite(score)) << duration_s << " s";
        Scorer::Workspace other;
        EXPECT_EQ(scorer.scores(waveform, other), scores)
            << "a workspace holds nothing back, " << duration_s << " s";
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::kBadAudio) << e.what();
        EXPECT_LT(duration_s, 1.0) << e.what();
      }
    }
  }
  EXPECT_GE(n_run, EARMARK_WITH_TORCH ? 1U : 0U) << "libtorch runs every kind";
}

// The container is fuzzed where it is read; here what it holds goes on into networks.
TEST_P(StoredBundle, DamagedLoadsOrIsRefused) {
  const std::string whole = read_text(GetParam());
  const Scratch folder;
  long n_refused = 0;
  testing::fuzz("stored bundle", 40, [&](Rng& rng) {
    std::string damaged = whole;
    // Digits of shapes, sizes and options above all: what still reads as a bundle and is another one.
    for (std::uint64_t i = 1 + rng.below(3); i > 0; --i) {
      const std::size_t at = damaged.find_first_of(
          "0123456789", 8 + rng.below(std::min<std::size_t>(damaged.size() - 8, 20000)));
      if (at != std::string::npos) damaged[at] = static_cast<char>('0' + rng.below(10));
    }
    const fs::path path = folder.write("damaged.earmark", damaged);
    try {
      const Bundle bundle = read_bundle(path);
      MakeNetworkFn* engine = engines().back();
      if (!runs(engine, bundle)) return;
      const Scorer scorer(read_bundle(path), *engine);
      Scorer::Workspace workspace;
      scorer.scores(noise(scorer, 0.5), workspace);
    } catch (const Error&) {
      ++n_refused;
    }
  });
  EXPECT_GT(n_refused, 0) << "the damage is felt";
}

INSTANTIATE_TEST_SUITE_P(Files, StoredBundle, ::testing::ValuesIn(stored_bundles()), [](const auto& one) {
  std::string name = one.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace earmark
