#include "tagger/bundle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <set>

#include "architectures/vggish_options.h"
#include "core/checksum.h"
#include "core/file.h"
#include "core/options_io.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "tagger/score_tree.h"

namespace earmark {

bool answers_with_embedding(const BundledNetwork& network) {
  const Value* width = network.options.find("embedding");
  return network.kind == VggishOptions::kKind && width != nullptr && width->is_integer() &&
         width->as_integer() == 0;
}

namespace {

constexpr const char* kVersionKey = "earmark_bundle";
constexpr const char* kMetadataKey = "bundle";
constexpr const char* kChecksumKey = "earmark_checksum";

// Principal components: no weights, and too wide a range for half precision.
bool is_of_pca(std::string_view name) { return name.find("pca.") != std::string_view::npos; }

std::string prefix(std::size_t index) { return fmt::format("networks.{}.", index); }

// Of all that decides a score: the description as it stands in the file, then the tensors by name, each
// behind a line of what it is.
std::string checksum_text(const SafeTensors& file) {
  std::vector<std::string> lines;
  for (const auto& [name, tensor] : file.tensors)
    lines.push_back(fmt::format("\n{} {} {}\n", name, name_of(tensor.dtype), tensor.shape));
  const auto as_piece = [](const std::string& text) { return std::as_bytes(std::span<const char>(text)); };
  std::vector<std::span<const std::byte>> pieces{as_piece(file.metadata.at(kMetadataKey))};
  auto line = lines.begin();
  for (const auto& [name, tensor] : file.tensors) {
    pieces.push_back(as_piece(*line++));
    pieces.push_back(tensor.bytes.span());
  }
  return fmt::format("{:016x}", checksum_of(pieces));
}

// A file without a checksum passes: one made elsewhere, or before there was one.
void check_checksum(const SafeTensors& file, const std::string& name) {
  const auto stored = file.metadata.find(kChecksumKey);
  if (stored == file.metadata.end()) return;
  const std::string found = checksum_text(file);
  if (stored->second == found) return;
  std::string told = stored->second.substr(0, 40);
  std::replace_if(
      told.begin(), told.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  if (told.size() != found.size() || told.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(ErrorCode::kBadBundle,
                fmt::format("{}: the bundle is damaged: {} must be 16 hexadecimal digits, got '{}'", name,
                            kChecksumKey, told));
  throw Error(
      ErrorCode::kBadBundle,
      fmt::format("{}: the bundle is damaged: its checksum is {}, and {} was written into it; copy or "
                  "make it again (who changed it on purpose takes out the metadata key '{}')",
                  name, found, stored->second, kChecksumKey));
}

// What a network's answers mean in the bundle, and how they become the bundle's.
void find_tag_problems(const Bundle& bundle, std::vector<std::string>& found) {
  const std::size_t n_tags = bundle.tags.size(), n_before = found.size();
  if (!bundle.parents.empty() && bundle.parents.size() != n_tags)
    found.push_back(fmt::format("parents: one a tag ({}), got {}", n_tags, bundle.parents.size()));
  for (std::size_t k = 0; k < bundle.parents.size(); ++k) {
    const int parent = bundle.parents[k];
    if (parent >= 0 && (static_cast<std::size_t>(parent) >= bundle.parents.size() ||
                        bundle.parents[static_cast<std::size_t>(parent)] >= 0))
      found.push_back(fmt::format("parents[{}]: must be -1 or a tag at the top, got {}", k, parent));
  }
  const bool parents_fit = found.size() == n_before;
  for (std::size_t i = 0; i < bundle.networks.size(); ++i) {
    std::set<std::string> own;
    for (const std::string& tag : bundle.networks[i].tags) {
      if (tag.empty()) continue;
      if (std::find(bundle.tags.begin(), bundle.tags.end(), tag) == bundle.tags.end())
        found.push_back(fmt::format("networks[{}].tags: '{}' is none of the bundle's", i, tag));
      if (!own.insert(tag).second)
        found.push_back(fmt::format("networks[{}].tags: '{}' is answered for twice", i, tag));
    }
  }
  if (!parents_fit) return;
  for (const std::string& p : score_tree_problems(bundle)) found.push_back(p);
}

void find_front_end_problems(const FrontEnd& front_end, const std::string& path,
                             std::vector<std::string>& found) {
  if (front_end.log_mel.has_value() == front_end.waveform.has_value()) {
    found.push_back(fmt::format("{}: must have one of log_mel and waveform, got {}", path,
                                front_end.log_mel ? "both" : "neither"));
    return;
  }
  const FeatureOptions features = front_end.features();
  for (const std::string& p : earmark::problems_of(features))
    found.push_back(fmt::format("{}.{}.{}", path, kind_of(features), p));
  const auto check = [&](const Normalizer& normalizer, const std::string& name) {
    for (const std::string& p : normalizer.problems()) found.push_back(name + "." + p);
    const std::size_t n_means = normalizer.mean.size();
    if (n_means != 0 && n_means != static_cast<std::size_t>(n_mels_of(features)))
      found.push_back(fmt::format("{}.mean: one a band ({}), got {}", name, n_mels_of(features), n_means));
  };
  check(front_end.normalizer, path + ".normalizer");
  if (front_end.unverified_normalizer)
    check(*front_end.unverified_normalizer, path + ".unverified_normalizer");
}

std::vector<std::string> problems_of(const Bundle& bundle) {
  std::vector<std::string> found;
  if (bundle.tags.empty()) found.push_back("tags: at least one is needed, got none");
  const std::set<std::string> distinct(bundle.tags.begin(), bundle.tags.end());
  if (distinct.size() != bundle.tags.size()) found.push_back("tags: each name only once");
  if (bundle.thresholds.size() != bundle.tags.size()) {
    found.push_back(
        fmt::format("thresholds: one a tag ({}), got {}", bundle.tags.size(), bundle.thresholds.size()));
  }
  if (bundle.networks.empty()) found.push_back("networks: at least one is needed, got none");
  if (!bundle.self_test.scores.empty() && bundle.self_test.scores.size() != bundle.tags.size()) {
    found.push_back(fmt::format("self_test.scores: one a tag ({}), got {}", bundle.tags.size(),
                                bundle.self_test.scores.size()));
  }
  if (std::ranges::none_of(bundle.networks, answers_with_embedding)) {
    for (std::size_t k = 0; k < bundle.self_test.scores.size(); ++k) {
      if (const float score = bundle.self_test.scores[k]; !(score >= 0.0f && score <= 1.0f))
        found.push_back(fmt::format("self_test.scores[{}]: must be a number in [0, 1], got {}", k, score));
    }
  }
  if (bundle.calibration) {
    for (const std::string& p : bundle.calibration->problems(bundle.tags.size()))
      found.push_back("calibration." + p);
  }
  if (bundle.events) {
    for (const std::string& p : bundle.events->problems()) found.push_back("events." + p);
  }
  if (!bundle.networks.empty()) find_tag_problems(bundle, found);
  for (std::size_t i = 0; i < bundle.networks.size(); ++i) {
    const BundledNetwork& network = bundle.networks[i];
    find_front_end_problems(network.front_end, fmt::format("networks[{}].front_end", i), found);
    if (!network.embedder) continue;
    const std::string path = fmt::format("networks[{}].embedder.front_end", i);
    find_front_end_problems(network.embedder->front_end, path, found);
    if (network.embedder->front_end.waveform)
      found.push_back(path + ": an embedder hears log_mel, got waveform");
  }
  return found;
}

// The fields that a map of T in a bundle lacks.
template <class T, class Need>
void need_all_fields(const Value* map, const std::string& path, const Need& need) {
  if (map == nullptr || !map->is_map()) return;
  const T known;
  T::fields(known, [&](std::string_view field, const auto&, const Range&, std::string_view) {
    need(*map, path, {std::string(field).c_str()});
  });
}

// Defaults are for people who write recipes; a bundle says everything that decides an answer.
std::vector<std::string> missing_keys(const Value& tree) {
  std::vector<std::string> found;
  auto need = [&](const Value& map, const std::string& path, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (map.is_map() && map.find(key) == nullptr) found.push_back(path + key + ": is missing");
    }
  };
  need(tree, "", {"tags", "thresholds", "segment_s", "padding", "networks", "self_test"});
  need_all_fields<Calibration>(tree.find("calibration"), "calibration.", need);
  need_all_fields<EventOptions>(tree.find("events"), "events.", need);
  if (const Value* groups = tree.find("groups"); groups != nullptr && groups->is_list()) {
    for (std::size_t g = 0; g < groups->as_list().size(); ++g) {
      const Value& group = groups->as_list()[g];
      const std::string path = fmt::format("groups[{}].", g);
      need(group, path, {"members", "combine", "weights", "sum_to_one", "top"});
      need_all_fields<Calibration>(group.find("calibration"), path + "calibration.", need);
    }
  }
  const Value* networks = tree.find("networks");
  if (networks == nullptr || !networks->is_list()) return found;
  for (std::size_t i = 0; i < networks->as_list().size(); ++i) {
    const Value& network = networks->as_list()[i];
    const std::string path = fmt::format("networks[{}].", i);
    need(network, path, {"kind", "revision", "options", "front_end"});
    const Value* front_end = network.find("front_end");
    if (front_end == nullptr) continue;
    need(*front_end, path + "front_end.", {"normalizer"});
    if (!front_end->is_map()) continue;
    need_all_fields<LogMelOptions>(front_end->find("log_mel"), path + "front_end.log_mel.", need);
    need_all_fields<WaveformOptions>(front_end->find("waveform"), path + "front_end.waveform.", need);
  }
  return found;
}

}  // namespace

FrontEnd FrontEnd::of(const FeatureOptions& features, Normalizer normalizer,
                      std::vector<MetadataColumn> metadata) {
  FrontEnd made;
  if (const auto* log_mel = std::get_if<LogMelFeatures>(&features)) made.log_mel = *log_mel;
  if (const auto* waveform = std::get_if<WaveformOptions>(&features)) made.waveform = *waveform;
  made.normalizer = std::move(normalizer);
  made.metadata = std::move(metadata);
  return made;
}

FeatureOptions FrontEnd::features() const {
  if (log_mel) return LogMelFeatures{*log_mel};
  if (waveform) return *waveform;
  throw Error(ErrorCode::kBadBundle, "front_end: must have one of log_mel and waveform, got neither");
}

std::size_t n_parameters(const TensorMap& tensors, std::string_view prefix) {
  std::size_t n = 0;
  for (const auto& [name, tensor] : tensors) {
    const bool statistic = name.find("running_") != std::string::npos || is_of_pca(name);
    if (name.starts_with(prefix) && !statistic) n += tensor.n_elements();
  }
  return n;
}

std::size_t Bundle::n_parameters() const {
  std::size_t n = 0;
  for (const TensorMap& map : tensors) n += earmark::n_parameters(map);
  return n;
}

Bundle parse_bundle(const SharedBytes& bytes, const std::string& name) {
  SafeTensors file;
  try {
    file = parse_safetensors(bytes, name);
  } catch (const Error& e) {
    throw Error(ErrorCode::kBadBundle, e.what());
  }
  const auto version = file.metadata.find(kVersionKey);
  const auto metadata = file.metadata.find(kMetadataKey);
  if (version == file.metadata.end() || metadata == file.metadata.end()) {
    throw Error(
        ErrorCode::kBadBundle,
        name + ": is a safetensors file, but no earmark bundle; `earmark model import` makes one of weights");
  }
  if (version->second != std::to_string(kBundleVersion)) {
    throw Error(ErrorCode::kBadBundle, fmt::format("{}: is a bundle of version '{}', this earmark reads "
                                                   "versions 1 to {}; use a newer earmark",
                                                   name, version->second, kBundleVersion));
  }
  check_checksum(file, name);
  Bundle bundle;
  std::vector<std::string> problems;
  try {
    const Value tree = parse_json(metadata->second, name);
    problems = missing_keys(tree);
    read_options(tree, bundle, "", problems);
  } catch (const Error& e) {
    throw Error(ErrorCode::kBadBundle, e.what());
  }
  if (problems.empty()) problems = problems_of(bundle);
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, name + ": the bundle does not read:", problems);
  bundle.tensors.resize(bundle.networks.size());
  for (auto& [key, tensor] : file.tensors) {
    std::size_t index = 0;
    while (index < bundle.networks.size() && !key.starts_with(prefix(index))) ++index;
    if (index == bundle.networks.size()) {
      throw Error(ErrorCode::kBadBundle,
                  fmt::format("{}: tensor '{}' belongs to none of its {} networks", name, key, index));
    }
    bundle.tensors[index].emplace(key.substr(prefix(index).size()), std::move(tensor));
  }
  return bundle;
}

Bundle read_bundle(const std::filesystem::path& path) {
  try {
    return parse_bundle(read_bytes(path), path.string());
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kIo) throw;
    throw Error(ErrorCode::kBadBundle, e.what());
  }
}

Bundle read_tagging_bundle(const std::filesystem::path& path) {
  Bundle bundle = read_bundle(path);
  if (std::ranges::any_of(bundle.networks, answers_with_embedding)) {
    throw Error(ErrorCode::kBadBundle,
                path.string() +
                    ": is an embedder, which gives no tags; it makes what a CNN+VGGish hears "
                    "(embedder.bundle of a recipe, --embedder of `earmark model import`)");
  }
  return bundle;
}

namespace {

Tensor as_half(const std::string& name, const Tensor& tensor) {
  try {
    return Tensor::from_floats_as_half(tensor.floats(), tensor.shape);
  } catch (const Error& e) {
    throw Error(e.code(), name + ": " + e.what());
  }
}

// The container as it is to be written.
SafeTensors container_of(const Bundle& bundle, Precision precision) {
  const std::vector<std::string> problems = problems_of(bundle);
  if (bundle.tensors.size() != bundle.networks.size()) {
    throw Error(ErrorCode::kInternal, fmt::format("a bundle of {} networks was given {} sets of tensors",
                                                  bundle.networks.size(), bundle.tensors.size()));
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, "the bundle cannot be written:", problems);
  SafeTensors file;
  file.metadata[kVersionKey] = std::to_string(kBundleVersion);
  file.metadata[kMetadataKey] = to_json(bundle_description(bundle));
  for (std::size_t i = 0; i < bundle.tensors.size(); ++i) {
    for (const auto& [name, tensor] : bundle.tensors[i]) {
      const bool narrow = precision == Precision::kFloat16 && tensor.dtype == DType::kF32 &&
                          tensor.shape.size() >= 2 && !is_of_pca(name);
      file.tensors.emplace(prefix(i) + name, narrow ? as_half(name, tensor) : tensor);
    }
  }
  file.metadata[kChecksumKey] = checksum_text(file);
  return file;
}

// Keys that only those bundles have that need them, so that an older program reads all others.
bool is_left_out(std::string_view name, const Value& item) {
  if (name == "groups" || name == "members") return item.is_list() && item.as_list().empty();
  return item.is_null() && (name == "calibration" || name == "events" || name == "unverified_normalizer");
}

Value without_left_out(const Value& value) {
  if (value.is_list()) {
    Value::List list;
    for (const Value& item : value.as_list()) list.push_back(without_left_out(item));
    return Value(std::move(list));
  }
  if (!value.is_map()) return value;
  Value map{Value::Map()};
  for (const auto& [name, item] : value.as_map()) {
    if (!is_left_out(name, item)) map.set(name, without_left_out(item));
  }
  return map;
}

}  // namespace

Value bundle_description(const Bundle& bundle) {
  Value described = without_left_out(write_options(bundle));
  described.set("provenance", bundle.provenance);  // free: as it is
  return described;
}

std::vector<std::byte> format_bundle(const Bundle& bundle, Precision precision) {
  return format_safetensors(container_of(bundle, precision));
}

void write_bundle(const std::filesystem::path& path, const Bundle& bundle, Precision precision) {
  write_safetensors(path, container_of(bundle, precision));
}

std::vector<float> self_test_signal(const SelfTest& test, int sample_rate_hz) {
  const auto n = static_cast<std::size_t>(std::llround(test.duration_s * sample_rate_hz));
  std::vector<float> samples(n);
  Rng rng(test.seed, "self_test");
  double phase = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(n);
    phase += 2.0 * std::numbers::pi * 100.0 * std::pow(80.0, t) / sample_rate_hz;  // 100 Hz to 8 kHz
    double x = 0.3 * std::sin(phase) + 0.02 * rng.normal();
    if (i % static_cast<std::size_t>(sample_rate_hz / 4) == 0) x += 0.5;
    samples[i] = t > 0.9 ? 0.0f : static_cast<float>(x);  // digital silence at the end
  }
  return samples;
}

std::string bundle_id(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}", fnv1a({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

}  // namespace earmark
