// model_io.h: bundles looked at, made from foreign weights, and run on features from elsewhere: what
// `earmark model` does, as calls.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor_io.h"
#include "core/torch_pickle.h"
#include "core/value.h"
#include "tagger/bundle.h"
#include "tagger/network.h"

namespace earmark {

/// Everything about a bundle but its weights, for `model info`: "file", "bytes", "id", "tags", "thresholds",
/// "segment_s", "padding", "combine", "weights", "calibration" and "events" (null where the bundle has none),
/// "parameters", "networks" (kind, revision, options,
/// parameters, front_end; where the fast engine runs it multiply_adds, of a segment; the last two also of an
/// embedder: embedder_parameters, embedder_multiply_adds), "self_test", "provenance".
/// @throws Error(kBadBundle).
Value describe_bundle(const std::filesystem::path& path);

/// Runs a bundle's self-test. @return empty when it passes, else why it does not or could not be run.
std::string self_test_result(const std::filesystem::path& path, MakeNetworkFn& make_network);

/// By its extension: .npz, .safetensors, else a file of torch.save. @throws Error(kBadFile), Error(kIo).
TorchState read_state(const std::filesystem::path& path);

/// Names, one a line; blank lines are passed over. @throws Error(kBadFile) for duplicates, Error(kIo).
std::vector<std::string> read_labels(const std::filesystem::path& path);

struct ImportRequest {
  std::string kind;  ///< architecture
  Value options;     ///< of the architecture, above what the weights' shapes tell; empty map: none
  std::vector<std::string> labels;  ///< [n_tags]; empty: tag_0, tag_1 ...
  std::optional<Bundle> embedder;   ///< makes the embeddings that the network hears, and becomes part of it
  /// What the network was trained with; nothing: what its architecture was published with, with as many bands
  /// as the weights want.
  std::optional<FrontEnd> front_end;
  Normalizer normalizer;  ///< used without a front end
  double segment_s = 10.0;
  double threshold = 0.5;
  Precision precision = Precision::kFloat32;
  Value provenance;
};

struct ImportResult {
  Bundle bundle;                       ///< whole, with its self-test's answer
  std::vector<std::string> taken;      ///< names as in the file
  std::vector<std::string> not_taken;  ///< "name: why"
  /// Parts that the kind was published with and the state has no tensor of: "input_norm: false, usually
  /// true".
  std::vector<std::string> absent;
};

/// Brings foreign weights under our names (architectures/state_names.h), infers the network's sizes from
/// their shapes, leaves out what is no part of it, and lets the network answer its self-test.
/// @throws Error(kBadBundle) naming each tensor that is missing, of another shape or not finite;
///   Error(kInvalidOption).
ImportResult import_state(const TensorMap& state, const ImportRequest& request, MakeNetworkFn& make_network,
                          StateLayoutFn& layout);

/// What a network is run on, as it sees it.
struct ForwardInput {
  Tensor features;                    ///< [batch, channels, n_mels, n_frames]; of samples also [batch, n]
  std::vector<std::int64_t> lengths;  ///< valid frames of each item; empty: all
  std::optional<Tensor> metadata;     ///< [batch, n_metadata], scaled
  std::optional<Tensor> embeddings;   ///< [batch, n_embedding]
  bool together = false;  ///< in one pass; differs where a network looks at its whole batch (db_reference)
};

/// One network of a bundle in evaluation mode, item by item unless `together`.
/// @return [batch, n_tags] float32: scores, or an embedding network's embeddings.
/// @throws Error(kInvalidOption) where shapes do not fit.
Tensor forward_features(const Bundle& bundle, std::size_t network, const ForwardInput& input,
                        MakeNetworkFn& make_network);

}  // namespace earmark
