// embedding.h: the embedder of a recipe (recipe.embedder), made ready for a run.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "recipe/recipe.h"
#include "tagger/embedder.h"
#include "train/clip_store.h"

namespace earmark {

/// What a run's network hears beside its features. Thread-safety: const members.
struct RunEmbedder {
  EmbedderParts
      parts;  ///< as the run's bundle holds them; the trainer lets its tensors go once they are in a file
  std::unique_ptr<Embedder> embedder;
  std::string id;  ///< of weights and components: what embeddings depend on beside the samples
};

/// @param clips that components are fitted on, where the recipe says so. @param on_clip called with the
/// number of clips heard for that.
/// @return null when the recipe's network hears no embeddings.
/// @throws Error(kInvalidOption) when a bundle is wanted and not named, or is one for nothing, or widths do
/// not fit; Error(kBadBundle).
std::unique_ptr<RunEmbedder> make_run_embedder(const Recipe& recipe, const ClipStore& clips, int threads,
                                               const std::function<void(std::size_t)>& on_clip);

/// Whitening of embeddings: rows are the principal axes, each over the root of its variance.
struct Whitening {
  std::vector<float> components;  ///< [width, width], largest variance first
  std::vector<float> means;       ///< [width]
};
/// @param embeddings [n, width]. Directions without variance are scaled as if they had 1e-6 of the largest.
Whitening fit_whitening(const std::vector<float>& embeddings, int width);

}  // namespace earmark
