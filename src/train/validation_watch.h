// validation_watch.h: what validations decide while a run goes on: which weights are kept as the best so far,
// when the learning rate falls and restarts, when to stop. No libtorch; its state is a Value that a
// checkpoint holds.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/value.h"
#include "train/options.h"

namespace earmark {

/// Not thread-safe.
class ValidationWatch {
 public:
  ValidationWatch(const TrainOptions& train, const ScheduleOptions& schedule, double lr);

  struct Verdict {
    std::vector<std::string> new_bests;  ///< metrics of train.best that are higher than ever
    bool fresh_optimizer = false;        ///< moments are to be forgotten
    bool stop = false;                   ///< train.stop's patience is at its end
  };
  /// @param metrics of one validation, as evaluate_task() tells them.
  /// @throws Error(kInvalidOption) for a metric that is not there.
  Verdict see(const Value& metrics);

  /// Learning rate that plateau_restarts has arrived at; the optimizer's own under any other schedule.
  double lr() const noexcept { return lr_; }

  /// Whether train.stop ended the run.
  bool over() const noexcept { return train_.stop.patience > 0 && n_waited_ >= train_.stop.patience; }

  Value state() const;
  /// @throws Error(kBadFile) when it is no state().
  void restore(const Value& state);

 private:
  bool plateau(const Value& metrics);

  const TrainOptions& train_;
  const ScheduleOptions& schedule_;
  double first_lr_, lr_, factor_ = 0.0;
  long n_flat_ = 0;                        ///< validations without improvement, for the plateau
  long n_waited_ = 0;                      ///< ... for stopping
  std::map<std::string, double> bests_;    ///< of train.best
  std::map<std::string, double> heights_;  ///< of the plateau's metrics
  double stop_best_ = 0.0;
  bool stop_seen_ = false;
};

}  // namespace earmark
