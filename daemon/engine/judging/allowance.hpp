#pragma once
// Allowance: the evaluations that a run may still make, and how many it has made. Shared by the searches of a
// run; belongs to the engine's thread.

#include <functional>
#include <utility>

namespace kevolve::engine {

class Allowance {
 public:
  /// `open`: false once a budget is spent or the run was stopped.
  explicit Allowance(std::function<bool()> open) : open_(std::move(open)) {}

  [[nodiscard]] bool may_evaluate() const { return open_(); }
  /// Evaluations made or in flight, by this run.
  [[nodiscard]] int taken() const { return taken_; }
  void take() { ++taken_; }
  void give_back() { --taken_; }  ///< the evaluation failed for no fault of its candidate

 private:
  std::function<bool()> open_;
  int taken_ = 0;
};

}  // namespace kevolve::engine
