#include "models/layers/lean_dropout.h"

#include <torch/torch.h>

namespace earmark {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class LeanDropout : public torch::autograd::Function<LeanDropout> {
 public:
  static torch::Tensor forward(AutogradContext* context, torch::Tensor x, double p) {
    const torch::Tensor dropped =
        torch::empty_like(x, x.options().dtype(torch::kBool)).bernoulli_(1.0 - p).logical_not_();
    const double scale = p == 1.0 ? 0.0 : 1.0 / (1.0 - p);
    context->mark_dirty({x});
    context->save_for_backward({dropped});
    context->saved_data["scale"] = scale;
    return x.masked_fill_(dropped, 0.0).mul_(scale);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const torch::Tensor dropped = context->get_saved_variables()[0];
    torch::Tensor of_x = gradients[0];
    of_x.masked_fill_(dropped, 0.0).mul_(context->saved_data["scale"].toDouble());
    return {of_x, torch::Tensor()};
  }
};

}  // namespace

torch::Tensor lean_dropout(const torch::Tensor& x, double p) { return LeanDropout::apply(x, p); }

}  // namespace earmark
