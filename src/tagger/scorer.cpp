#include "tagger/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "audio/resample.h"
#include "core/parallel.h"
#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {

namespace {

// The segment at another rate; made once a segment.
const Waveform& at_rate(const Waveform& waveform, int rate, std::map<int, Waveform>& made) {
  if (rate == waveform.sample_rate_hz) return waveform;
  const auto [place, is_new] = made.try_emplace(rate);
  if (is_new) place->second = resampled(waveform, rate);
  return place->second;
}

std::vector<std::size_t> columns_of(const BundledNetwork& network, const std::vector<std::string>& tags) {
  std::vector<std::size_t> columns;
  for (std::size_t k = 0; k < tags.size(); ++k) {
    if (network.tags.empty()) columns.push_back(k);
  }
  for (const std::string& tag : network.tags) {  // one that is not told lands behind the last
    columns.push_back(static_cast<std::size_t>(std::find(tags.begin(), tags.end(), tag) - tags.begin()));
  }
  return columns;
}

}  // namespace

Scorer::Scorer(Bundle bundle, MakeNetworkFn& make_network) : bundle_(std::move(bundle)), tree_(bundle_) {
  // Side by side: laying weights out is most of what a short run takes.
  std::vector<std::optional<Part>> made(bundle_.networks.size());
  parallel_for(made.size(), 0, [&](std::size_t i, int) { made[i].emplace(make_part(i, make_network)); });
  for (std::optional<Part>& part : made) parts_.push_back(std::move(*part));
  bundle_.tensors.clear();
  check_self_test();
}

Scorer::Part Scorer::make_part(std::size_t index, MakeNetworkFn& make_network) {
  const BundledNetwork& spec = bundle_.networks[index];
  TensorMap tensors = std::move(bundle_.tensors[index]);
  const TensorMap of_embedder = take_tensors(tensors, "embedder.");
  Part part{FeatureExtractor(spec.front_end.features()), make_network(spec, tensors), nullptr,
            columns_of(spec, bundle_.tags)};
  if (spec.embedder) part.embedder = std::make_unique<Embedder>(*spec.embedder, of_embedder, make_network);
  std::vector<std::string> problems;
  if (part.network->n_tags() != static_cast<int>(part.columns.size())) {
    problems.push_back(fmt::format("networks[{}]: gives {} scores for {} tags", index, part.network->n_tags(),
                                   part.columns.size()));
  }
  if (part.network->n_metadata() != static_cast<int>(spec.front_end.metadata.size())) {
    problems.push_back(fmt::format("networks[{}]: takes {} columns of metadata, its front end has {}", index,
                                   part.network->n_metadata(), spec.front_end.metadata.size()));
  }
  if (part.embedder && part.embedder->width() != part.network->n_embedding()) {
    problems.push_back(fmt::format("networks[{}]: takes embeddings of {}, its embedder makes {}", index,
                                   part.network->n_embedding(), part.embedder->width()));
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, "the bundle's parts do not fit:", problems);
  return part;
}

int Scorer::sample_rate_hz() const noexcept {
  int rate = 0;
  for (const BundledNetwork& network : bundle_.networks)
    rate = std::max(rate, sample_rate_of(network.front_end.features()));
  return rate;
}
int Scorer::n_embedding() const noexcept {
  int width = 0;
  for (const Part& part : parts_) width += part.network->n_hidden();
  return width;
}
bool Scorer::mono() const noexcept {
  return std::all_of(bundle_.networks.begin(), bundle_.networks.end(),
                     [](const BundledNetwork& network) { return is_mono(network.front_end.features()); });
}

std::vector<float> Scorer::scores(const Waveform& waveform, Workspace& workspace,
                                  const Metadata& metadata) const {
  workspace.resampled.clear();
  workspace.embedding.clear();
  const Beside columns = [&](std::size_t i) {
    return scaled_metadata(bundle_.networks[i].front_end.metadata, metadata);
  };
  const Beside embeddings = [&](std::size_t i) -> std::vector<float> {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("networks[{}]: {} takes embeddings beside features, and the bundle holds no network "
                    "that makes them; `earmark model import --embedder` puts one in, `earmark model "
                    "forward --embeddings` runs it without",
                    i, bundle_.networks[i].kind));
  };
  std::vector<float> scores =
      combined([&](std::size_t i) { return part_scores(i, waveform, workspace, columns, embeddings); }, true);
  if (bundle_.calibration) bundle_.calibration->apply(scores);
  return scores;
}

std::vector<float> Scorer::part_scores(std::size_t index, const Waveform& waveform, Workspace& workspace,
                                       const Beside& metadata, const Beside& embeddings) const {
  const Part& part = parts_[index];
  const FrontEnd& front_end = bundle_.networks[index].front_end;
  const auto heard_by = [&](int rate) -> const Waveform& {
    return at_rate(waveform, rate, workspace.resampled);
  };
  part.extractor.compute(heard_by(sample_rate_of(part.extractor.options())), workspace.log_mel,
                         workspace.features);
  const bool own = workspace.unverified && front_end.unverified_normalizer;
  (own ? *front_end.unverified_normalizer : front_end.normalizer).apply(workspace.features);
  const FeatureMap& f = workspace.features;
  NetworkInput input{1, f.n_channels, f.n_mels, f.n_frames, f.values, {}, {}, {}};
  std::vector<float> columns, embedded;
  if (part.network->n_metadata() > 0) input.metadata = columns = metadata(index);
  if (part.embedder) {
    embedded = part.embedder->embed(heard_by(part.embedder->sample_rate_hz()), workspace.log_mel);
  } else if (part.network->n_embedding() > 0) {
    embedded = embeddings(index);
  }
  input.embeddings = embedded;
  if (!workspace.embed) return part.network->scores(input);
  std::vector<float> hidden;
  std::vector<float> scores = part.network->scores_and_hidden(input, hidden);
  workspace.embedding.insert(workspace.embedding.end(), hidden.begin(), hidden.end());
  return scores;
}

std::vector<float> Scorer::combined(const std::function<std::vector<float>(std::size_t)>& scores_of,
                                    bool calibrated) const {
  const std::size_t n_tags = bundle_.tags.size();
  return tree_.scores(
      [&](std::size_t i) {
        const std::vector<float> own = scores_of(i);
        // What is not told lands behind the last.
        std::vector<float> scores(n_tags + 1, std::numeric_limits<float>::quiet_NaN());
        for (std::size_t k = 0; k < own.size(); ++k) scores[parts_[i].columns[k]] = own[k];
        scores.resize(n_tags);
        return scores;
      },
      calibrated);
}

std::vector<float> Scorer::self_test_scores() const {
  Waveform signal{sample_rate_hz(), 1, self_test_signal(bundle_.self_test, sample_rate_hz())};
  if (!mono()) {  // the same on both channels
    signal.n_channels = 2;
    const std::size_t n = signal.samples.size();
    signal.samples.resize(2 * n);
    std::copy_n(signal.samples.begin(), n, signal.samples.begin() + static_cast<std::ptrdiff_t>(n));
  }
  // Drawn like the signal, so that these inputs are tested too.
  const auto drawn = [&](const char* purpose, int n) {
    Rng rng(bundle_.self_test.seed, purpose);
    std::vector<float> values;
    for (int i = 0; i < n; ++i) values.push_back(static_cast<float>(rng.uniform(-1.0, 1.0)));
    return values;
  };
  const Beside columns = [&](std::size_t i) {
    return drawn("self_test_metadata", parts_[i].network->n_metadata());
  };
  const Beside embeddings = [&](std::size_t i) {
    return drawn("self_test_embeddings", parts_[i].network->n_embedding());
  };
  std::vector<std::vector<float>> own(parts_.size());
  parallel_for(own.size(), 0, [&](std::size_t i, int) {
    Workspace workspace;
    own[i] = part_scores(i, signal, workspace, columns, embeddings);
  });
  return combined([&](std::size_t i) { return own[i]; }, false);
}

void Scorer::check_self_test() const {
  const std::vector<float>& expected = bundle_.self_test.scores;
  if (expected.empty()) return;
  const std::vector<float> got = self_test_scores();
  double tolerance = bundle_.self_test.tolerance;
  for (const Part& part : parts_) tolerance = std::max(tolerance, part.network->tolerance());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    if (!(std::fabs(got[k] - expected[k]) <= tolerance)) {  // NaN fails too
      throw Error(ErrorCode::kBadBundle, fmt::format("the bundle no longer gives its own answer: '{}' scores "
                                                     "{:.6f} in its self-test, {:.6f} is expected; "
                                                     "the file is damaged, or this build computes wrongly",
                                                     bundle_.tags[k], got[k], expected[k]));
    }
  }
}

void complete_self_test(Bundle& bundle, MakeNetworkFn& make_network, Precision precision) {
  bundle.self_test.scores.clear();
  bundle.self_test.scores =
      Scorer(parse_bundle(format_bundle(bundle, precision), "the new bundle"), make_network)
          .self_test_scores();
  // Of an embedding the largest value is the measure; one that was made a byte may be the next one elsewhere.
  for (const BundledNetwork& network : bundle.networks) {
    if (!answers_with_embedding(network)) continue;
    for (const float x : bundle.self_test.scores)
      bundle.self_test.tolerance =
          std::max(bundle.self_test.tolerance, SelfTest().tolerance * std::fabs(static_cast<double>(x)));
    const Value* quantise = network.options.find("quantise");
    if (quantise != nullptr && quantise->is_string() && quantise->as_string() != "none")
      bundle.self_test.tolerance = std::max(bundle.self_test.tolerance, 1.0);
  }
}

}  // namespace earmark
