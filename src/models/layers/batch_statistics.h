// batch_statistics.h: what every layer with running statistics of its batches can be told.
#pragma once

namespace earmark {

class BatchStatistics {
 public:
  virtual ~BatchStatistics() = default;
  /// Weight of the newest batch in the running statistics.
  virtual void set_momentum(double momentum) = 0;
  /// To mean 0, variance 1.
  virtual void reset_statistics() = 0;
};

}  // namespace earmark
