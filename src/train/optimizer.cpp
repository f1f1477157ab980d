#include "train/optimizer.h"

#include "train/adam.h"
#include "train/lookahead.h"
#include "train/ralamb.h"
#include "train/sgd.h"

namespace earmark {
namespace {

std::unique_ptr<Optimizer> make(NamedParameters parameters, const AdamOptions& options) {
  return std::make_unique<Adam>(std::move(parameters), options);
}

std::unique_ptr<Optimizer> make(NamedParameters parameters, const RalambOptions& options) {
  return std::make_unique<Ralamb>(std::move(parameters), options);
}

std::unique_ptr<Optimizer> make(NamedParameters parameters, const SgdOptions& options) {
  return std::make_unique<Sgd>(std::move(parameters), options);
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(NamedParameters parameters, const OptimizerOptions& options) {
  return std::visit(
      [&](const auto& chosen) {
        std::unique_ptr<Optimizer> optimizer = make(parameters, chosen);
        if (chosen.lookahead.k == 0) return optimizer;
        return std::unique_ptr<Optimizer>(
            std::make_unique<Lookahead>(std::move(optimizer), std::move(parameters), chosen.lookahead));
      },
      options);
}

}  // namespace earmark
