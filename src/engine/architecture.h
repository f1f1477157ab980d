// architecture.h: what the engine must know of a kind of network. A kind is one file that derives from
// Architecture, one make() below and one line in fast_network.cpp.
#pragma once
#include <memory>

#include "architectures/model_options.h"
#include "engine/plan.h"

namespace earmark::engine {

/// Of one item: `n_frames` of its batch, of which `n_valid` are its own.
struct Length {
  std::int64_t n_frames = 0, n_valid = 0;
  std::int64_t batch = 1;  ///< items that are run together
  bool operator==(const Length&) const = default;
};

/// A network's weights, folded, and how it is laid out for a length. Thread-safety: plan() may be called by
/// many threads at once.
class Architecture {
 public:
  virtual ~Architecture() = default;
  /// Lays out the network behind plan.features(). @return its scores, plain, of as many values as batch and
  /// tags.
  /// @throws Error(kBadAudio) for a clip that is too short for it.
  virtual Slot lay_out(PlanBuilder& plan, const Length& length) const = 0;
  /// Whether the network is laid out over the item's frames and the padding behind them; else over the item's
  /// alone, as if there were none.
  virtual bool hears_padding() const { return false; }
  /// Whether the items of a batch, when all are of one length, are laid out together; else one by one.
  virtual bool together() const { return false; }
};

std::unique_ptr<Architecture> make(const UpbCrnnOptions& options, StateReader& state);
std::unique_ptr<Architecture> make(const TalnetOptions& options, StateReader& state);
std::unique_ptr<Architecture> make(const UrbannetOptions& options, StateReader& state);
std::unique_ptr<Architecture> make(const VggishOptions& options, StateReader& state);
std::unique_ptr<Architecture> make(const CnnVggishOptions& options, StateReader& state);
std::unique_ptr<Architecture> make(const SingleBlockDensenetOptions& options, StateReader& state);
std::unique_ptr<Architecture> make(const TwoPathResnetOptions& options, StateReader& state);
std::unique_ptr<Architecture> make(const MeanStdLinearOptions& options, StateReader& state);

}  // namespace earmark::engine
