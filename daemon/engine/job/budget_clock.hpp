#pragma once
// BudgetClock: how long a run has lasted, and how much of that counts against its job's budget. What earlier
// runs of the same budget used up counts too; the time in which nothing could be done, because models or
// workers were away, does not.

#include <chrono>

#include "core/search/budget.hpp"

namespace kevolve::engine {

class BudgetClock {
 public:
  using Clock = std::chrono::steady_clock;
  explicit BudgetClock(Clock::time_point now = Clock::now()) : started_(now) {}

  /// `before`: used by earlier runs of the present budget.
  void carry_over(const search::Usage& before) { before_ = before; }
  void pause(double seconds) { paused_seconds_ += seconds; }

  [[nodiscard]] const search::Usage& before() const { return before_; }
  [[nodiscard]] double elapsed_seconds(Clock::time_point now = Clock::now()) const {
    return std::chrono::duration<double>(now - started_).count();
  }
  /// `by_models`: of the budget, by exchanges of this run and of those before; `evaluations`: of this run.
  [[nodiscard]] search::Usage used(search::Usage by_models, int evaluations,
                                   Clock::time_point now = Clock::now()) const {
    by_models.evaluations = before_.evaluations + evaluations;
    by_models.wall_seconds = before_.wall_seconds + elapsed_seconds(now) - paused_seconds_;
    return by_models;
  }

 private:
  const Clock::time_point started_;
  search::Usage before_;
  double paused_seconds_ = 0;
};

}  // namespace kevolve::engine
