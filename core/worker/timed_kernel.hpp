#pragma once
// TimedKernel: a kernel under the clock. It has a runner and, for each set of buffers, the output that was
// verified against the oracle. Every timed run must give that output again.
//
// One thread. Useless after a verdict that did not pass.

#include <vector>

#include "core/judge/judge.hpp"
#include "core/worker/session.hpp"

namespace kevolve::worker {

/// Kernels that take less are rehearsed before each sample. Judge and candidate take turns on the device, and
/// each finds its instruction caches empty: that cost 0.2 us, 4 % of a kernel that takes six.
inline constexpr double kShortUs = 100;

class TimedKernel {
 public:
  /// `first_set`: the sets from it on are those that timing rotates over.
  TimedKernel(devices::Memory& memory, PrecisionClass required, Session session, std::size_t first_set)
      : memory_(&memory), required_(required), session_(std::move(session)), first_set_(first_set) {}

  /// Untimed, compared with the oracle: what timed runs are verified against. In turn for each set.
  Result<Verdict> warm_up(std::size_t set, const judge::Draw& draw);
  /// One timed run, after a warm-up where the set had none; its time is kept only when its output is right. A
  /// short kernel is rehearsed on another set.
  Result<Verdict> sample(std::size_t set, const judge::Draw& draw, std::size_t number);

  /// Forgets times and verified outputs: new draws are coming.
  void forget_outputs() { verified_.clear(); }
  void forget_samples() { samples_us.clear(), sm_mhz.clear(), prepare_us.clear(); }
  /// What the device's second clock sees, once the samples are taken: later ones would be disturbed.
  Result<std::optional<Witness>> witness() { return session_.witness(first_set_); }
  [[nodiscard]] std::size_t launches() const { return session_.subject().plan.launches.size(); }
  /// How many sets have been warmed up: these from the first on.
  [[nodiscard]] std::size_t warm_sets() const { return verified_.size(); }
  [[nodiscard]] double last_us() const { return wall_us_; }
  [[nodiscard]] const std::string& name() const { return session_.subject().subject.name; }
  [[nodiscard]] Buffers inputs(std::size_t set) const { return session_.inputs(first_set_ + set); }

  std::vector<double> samples_us, sm_mhz, prepare_us;

 private:
  Result<Verdict> run(std::size_t set, const judge::Draw& draw, Pass pass);
  [[nodiscard]] std::optional<std::size_t> rehearsal_for(std::size_t set) const;
  [[nodiscard]] Verdict compared(const judge::Draw& draw, std::size_t set, std::uint8_t pattern) const;
  [[nodiscard]] Verdict verified(const judge::Draw& draw, std::size_t set, std::uint8_t pattern) const;

  devices::Memory* memory_;
  PrecisionClass required_;
  Session session_;
  std::size_t first_set_;
  std::vector<Copies> verified_;  // by set, by output
  double wall_us_ = 0, sm_mhz_ = 0;
};

}  // namespace kevolve::worker
