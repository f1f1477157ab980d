// model_options.h: the architectures that a recipe or a bundle may name, each with its options; no libtorch
// here. An architecture is one alternative below and one overload of build() in models/registry.cpp.
#pragma once
#include <string>
#include <variant>

#include "architectures/cnn_vggish_options.h"
#include "architectures/mean_std_linear_options.h"
#include "architectures/talnet_options.h"
#include "architectures/two_path_resnet_options.h"
#include "architectures/upb_crnn_options.h"
#include "architectures/urbannet_options.h"
#include "architectures/vggish_options.h"
#include "earmark/log_mel.h"

namespace earmark {

using ModelOptions = std::variant<UpbCrnnOptions, TalnetOptions, UrbannetSystem1Options,
                                  UrbannetSystem2Options, UrbannetSystem3Options, VggishOptions,
                                  CnnVggishOptions, TwoPathResnetOptions, MeanStdLinearOptions>;

/// @throws Error(kInvalidOption) naming the kinds there are.
ModelOptions default_model_options(const std::string& kind);

/// The front end that an architecture was published with.
LogMelOptions default_front_end(const ModelOptions& model);

/// Of which sizes every architecture has some: outputs and input.
struct ModelSizes {
  int n_tags = 0;
  int n_mels = 0;
  int n_channels = 0;
};
ModelSizes sizes_of(const ModelOptions& model);
/// Columns of metadata that it takes; 0: none.
int n_metadata_of(const ModelOptions& model);
/// Whether its scores are of one tag a clip and sum to 1.
bool gives_one_tag(const ModelOptions& model);
/// Width of the embeddings that it takes; 0: none.
int n_embedding_of(const ModelOptions& model);
std::string kind_of(const ModelOptions& model);
int revision_of(const ModelOptions& model);

}  // namespace earmark
