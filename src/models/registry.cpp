#include "models/registry.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "architectures/model_options.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "models/cnn_vggish.h"
#include "models/mean_std_linear.h"
#include "models/single_block_densenet.h"
#include "models/talnet.h"
#include "models/two_path_resnet.h"
#include "models/upb_crnn.h"
#include "models/urbannet.h"
#include "models/vggish.h"

namespace earmark {
namespace {

std::shared_ptr<TaggingNetwork> build(const UpbCrnnOptions& options) {
  return std::make_shared<UpbCrnn>(options);
}
std::shared_ptr<TaggingNetwork> build(const TalnetOptions& options) {
  return std::make_shared<Talnet>(options);
}
std::shared_ptr<TaggingNetwork> build(const UrbannetOptions& options) {
  return std::make_shared<UrbanNet>(options);
}
std::shared_ptr<TaggingNetwork> build(const VggishOptions& options) {
  return std::make_shared<Vggish>(options);
}
std::shared_ptr<TaggingNetwork> build(const CnnVggishOptions& options) {
  return std::make_shared<CnnVggish>(options);
}
std::shared_ptr<TaggingNetwork> build(const SingleBlockDensenetOptions& options) {
  if (options.input == DensenetInput::kLogMel) return std::make_shared<LogMelDensenet>(options);
  return std::make_shared<WaveformDensenet>(options);
}
std::shared_ptr<TaggingNetwork> build(const TwoPathResnetOptions& options) {
  return std::make_shared<TwoPathResnet>(options);
}
std::shared_ptr<TaggingNetwork> build(const MeanStdLinearOptions& options) {
  return std::make_shared<MeanStdLinear>(options);
}

}  // namespace

std::shared_ptr<TaggingNetwork> make_network(const std::string& kind, int revision, const Value& options) {
  ModelOptions model = default_model_options(kind);
  return std::visit(
      [&](auto& chosen) -> std::shared_ptr<TaggingNetwork> {
        constexpr int kKnown = std::decay_t<decltype(chosen)>::kRevision;
        if (revision != kKnown) {
          throw Error(ErrorCode::kBadBundle,
                      fmt::format("{}: revision {} is not known, this earmark has revision {}; use a newer "
                                  "earmark",
                                  kind, revision, kKnown));
        }
        std::vector<std::string> problems;
        read_options(options, chosen, "model", problems);
        if (problems.empty()) {
          for (const std::string& problem : chosen.problems()) problems.push_back("model." + problem);
        }
        if (!problems.empty())
          throw Error(ErrorCode::kInvalidOption, "the network cannot be built:", problems);
        return build(chosen);
      },
      model);
}

}  // namespace earmark
