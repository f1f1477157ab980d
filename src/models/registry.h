// registry.h: architectures by their kind.
#pragma once
#include <memory>
#include <string>

#include "core/value.h"
#include "models/tagging_network.h"

namespace earmark {

/// Builds an architecture. @param revision that the weights were made for.
/// @throws Error(kInvalidOption) naming each bad option, Error(kBadBundle) for a revision that is not known.
std::shared_ptr<TaggingNetwork> make_network(const std::string& kind, int revision, const Value& options);

}  // namespace earmark
