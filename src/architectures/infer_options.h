// infer_options.h: sizes of a network read from the shapes of its weights.
#pragma once
#include <string>

#include "architectures/model_options.h"
#include "core/tensor_io.h"
#include "core/value.h"

namespace earmark {

/// @param tensors under our names (state_names.h). @param given options that somebody named ("heads: 2");
/// they stand
///   above what the shapes say. @param foreign the weights are the published program's, so what only its
///   layout tells is set (urbannet: time2vec_layout: reference).
/// @throws Error(kInvalidOption) for an unknown kind or bad options; Error(kBadBundle) naming each tensor
/// that is needed
///   and missing or of another shape, and each size that shapes cannot tell.
ModelOptions infer_options(const std::string& kind, const TensorMap& tensors, const Value& given,
                           bool foreign);

}  // namespace earmark
