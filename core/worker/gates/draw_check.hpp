#pragma once
// DrawCheck: runs one compiled subject of a trial on draws and compares its answers, once or under several
// orders of threads, placements and poisons. Part of gate correctness; one check for each set of axes.
//
// One thread. After a verdict that did not pass it is of no more use. Trial and subject must outlive it.

#include "core/worker/compare_outputs.hpp"
#include "core/worker/trial.hpp"

namespace kevolve::worker {

class DrawCheck {
 public:
  /// `nearness`: filled by every comparison.
  DrawCheck(Trial& trial, const CompiledSubject& subject, Nearness& nearness);

  /// Starts the runner, with one set of buffers flush with each of its guards.
  Result<void> start(const judge::Draw& first);
  /// One run and one whole comparison.
  Result<Verdict> once(const judge::Draw& draw, const Pass& pass);
  /// The same inputs under several thread orders, placements and poisons.
  Result<Verdict> thoroughly(const judge::Draw& draw);
  /// The last run took so long that the candidate will never be a champion.
  [[nodiscard]] bool hopeless() const { return hopeless_us_ > 0 && last_us_ > hopeless_us_; }
  [[nodiscard]] std::optional<Session> release_session() { return std::move(session_); }

 private:
  /// Runs, and looks for damage.
  Result<Verdict> run(const judge::Draw& draw, const Pass& pass);
  Verdict compared(const judge::Draw& draw, const std::vector<gates::Elements>& outputs, const Pass& pass);
  [[nodiscard]] std::vector<gates::Elements> views(const Copies& copies) const;
  /// Elements that hold the poison in two runs with different poisons were written in neither.
  std::optional<Verdict> unwritten(const judge::Draw& draw, const std::vector<gates::Elements>& was,
                                   const Pass& first, const Pass& pass);
  /// Two runs of one deterministic kernel on the same inputs must agree bit for bit.
  Result<Verdict> disagreement(const judge::Draw& draw, const std::vector<gates::Elements>& was,
                               const Pass& first, const Pass& pass);

  Trial& trial_;
  devices::Memory& memory_;
  const CompiledSubject& subject_;
  Nearness& nearness_;
  std::optional<Session> session_;
  double hopeless_us_ = 0, last_us_ = 0;
};

}  // namespace kevolve::worker
