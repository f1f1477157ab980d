// swa.h: stochastic weight averaging (Izmailov et al. 2018): the equal-weight mean of snapshots.
#pragma once
#include <torch/types.h>

#include <vector>

#include "train/optimizer.h"

namespace earmark {

class WeightAverage {
 public:
  explicit WeightAverage(NamedParameters parameters);
  void add_snapshot();
  int n_snapshots() const { return n_snapshots_; }
  /// Puts the average in the parameters' place.
  void swap_in();
  /// Lends the averages: they stand until the next snapshot.
  void save(TensorMap& state) const;
  void load(const FindTensor& find);

 private:
  NamedParameters parameters_;
  std::vector<torch::Tensor> mean_;
  int n_snapshots_ = 0;
};

}  // namespace earmark
