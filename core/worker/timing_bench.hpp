#pragma once
// TimingBench: keeps from one candidate to the next what costs time to make: the buffers of inputs, which all
// kernels read, and the runners of the kernels to compare with. One thread. The device and the judge must
// outlive it.

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "core/worker/sampling.hpp"

namespace kevolve::worker {

class TimingBench {
 public:
  /// `axes`: of the workload.
  TimingBench(devices::Device& device, judge::Judge& judge, Bindings axes)
      : device_(&device), judge_(&judge), axes_(std::move(axes)) {}

  /// Times the trial's candidate in the session that the trial holds already, or in a fresh one. An Error is
  /// operational. It is one when a comparison kernel fails, since the candidate is not to blame, and when the
  /// yardstick cannot be timed.
  Result<Timing> time(Trial& trial);

  /// The least median that one of these kernels had when it was last timed here, if any was.
  [[nodiscard]] std::optional<double> fastest_rival_us(const std::vector<CompiledSubject>& subjects) const;

 private:
  struct Rival {
    std::unique_ptr<CompiledSubject> subject;
    TimedKernel kernel;
  };

  Result<void> draw(DrawPool& draws);
  Result<Timing> timed(Trial& trial, ChosenBaselines baselines);
  [[nodiscard]] bool may_win(const Trial& trial, const TimedKernel& candidate) const;
  Result<TimedKernel> prepare(const CompiledSubject& subject, std::optional<Session> session);
  Result<Verdict> warm_up(TimedKernel& kernel);
  Result<std::vector<TimedKernel*>> rivals(const std::vector<CompiledSubject>& subjects);
  Result<TimedKernel*> rival(const CompiledSubject& subject);

  devices::Device* device_;
  judge::Judge* judge_;
  const Bindings axes_;
  std::chrono::milliseconds deadline_{};
  std::vector<std::shared_ptr<const judge::Draw>> draws_;
  std::vector<Buffers> inputs_;  ///< by set
  std::list<Rival> rivals_;
};

}  // namespace kevolve::worker
