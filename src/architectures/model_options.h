// model_options.h: the architectures that a recipe or a bundle may name, each with its options; no libtorch
// here. An architecture is one alternative below and one overload of build() in models/registry.cpp.
#pragma once
#include <string>
#include <variant>

#include "architectures/cnn_vggish_options.h"
#include "architectures/mean_std_linear_options.h"
#include "architectures/single_block_densenet_options.h"
#include "architectures/talnet_options.h"
#include "architectures/two_path_resnet_options.h"
#include "architectures/upb_crnn_options.h"
#include "architectures/urbannet_options.h"
#include "architectures/vggish_options.h"
#include "features/feature_options.h"

namespace earmark {

using ModelOptions =
    std::variant<UpbCrnnOptions, TalnetOptions, UrbannetSystem1Options, UrbannetSystem2Options,
                 UrbannetSystem3Options, VggishOptions, CnnVggishOptions, SingleBlockDensenetOptions,
                 TwoPathResnetOptions, MeanStdLinearOptions>;

/// @throws Error(kInvalidOption) naming the kinds there are.
ModelOptions default_model_options(const std::string& kind);

/// The front end that an architecture was published with.
FeatureOptions default_front_end(const ModelOptions& model);
/// What the network asks of its features beside their bands, each broken rule as "field: rule, got value":
/// waveforms or log-mels, and where it makes a picture of waveforms inside, their rate.
std::vector<std::string> feature_problems(const ModelOptions& model, const FeatureOptions& features);

/// Of which sizes every architecture has some: outputs and input; of waveforms n_mels is 1.
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
bool gives_one_tag(const std::string& kind);  ///< false for a kind that is not known
/// Whether it hears the samples themselves.
bool hears_waveforms(const ModelOptions& model);
/// Sets what the features decide: bands and channels.
void fit_to_features(ModelOptions& model, int n_mels, int n_channels);
/// Width of the embeddings that it takes; 0: none.
int n_embedding_of(const ModelOptions& model);
/// Width of what the last layer sees of a clip, which stands for how the network understands it: UPB's CRNN:
/// its hidden fully connected layer; TALNet and UrbanNet: the mean over frames of what is pooled; VGGish: the
/// mean embedding; CNN+VGGish: the second hidden layer; single-block DenseNet: the pooled block; two-path
/// ResNet: the mean over positions of the last ReLU; mean_std_linear: the statistics.
int n_hidden_of(const ModelOptions& model);
std::string kind_of(const ModelOptions& model);
int revision_of(const ModelOptions& model);

}  // namespace earmark
