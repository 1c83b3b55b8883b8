#pragma once
// Timing gate: the candidate, the kernels to compare with and PyTorch's baselines run side by side, in random
// order, on rotating draws, poisoned and (on a device that is timed cold) flushed before every run; and every
// timed output of a kernel is verified, a baseline's answer once for each draw.
//
// A TimingBench keeps from one candidate to the next what costs time to make: the buffers of inputs, which
// all kernels read, and the runners of the kernels to compare with. One thread. The device and the judge must
// outlive it.

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/gates/statistics.hpp"
#include "core/worker/draw_pool.hpp"
#include "core/worker/timed_baselines.hpp"
#include "core/worker/timed_kernel.hpp"

namespace kevolve {

struct Timing {
  Verdict verdict{Outcome::passed, Gate::timing, ""};
  std::vector<Measurement> measurements;  ///< "candidate" first
  std::optional<double> prepare_us;
  std::optional<Witness> witness;
  Ratio speedup{0, {0, 0}};                     ///< against the yardstick; 0 without one
  std::string stopped;                          ///< why sampling stopped, for the log
  std::map<std::string, std::string> left_out;  ///< baselines that could not be timed, and why
};

struct TimingPlan {
  const CompiledSubject& candidate;
  const std::vector<CompiledSubject>& compare_with;
  const std::vector<std::string>& baselines;  ///< as in EvaluateRequest, like the yardstick
  std::string yardstick;
  TimingSettings settings;
  bool contender = false;  ///< takes its samples, however slow it is
};

class TimingBench {
 public:
  /// `axes`: of the workload.
  TimingBench(Device& device, Judge& judge, Bindings axes)
      : device_(&device), judge_(&judge), axes_(std::move(axes)) {}

  /// Times plan.candidate. `session`: a runner that has loaded it already, such as the correctness gate's;
  /// without one, a fresh one is started. An Error is operational; a comparison kernel that fails is one,
  /// since the candidate is not to blame, and so is a yardstick that cannot be timed.
  Result<Timing> time(const TimingPlan& plan, std::optional<Session> session, DrawPool& draws,
                      const Seed& seed);

  /// The least median that one of these kernels had when it was last timed here, if any was.
  [[nodiscard]] std::optional<double> fastest_rival_us(const std::vector<CompiledSubject>& subjects) const;

 private:
  struct Rival {
    std::unique_ptr<CompiledSubject> subject;
    TimedKernel kernel;
  };

  Result<void> draw(DrawPool& draws);
  [[nodiscard]] bool may_win(const TimingPlan& plan, const TimedKernel& candidate) const;
  Result<TimedKernel> prepare(const CompiledSubject& subject, std::optional<Session> session);
  Result<Verdict> warm_up(TimedKernel& kernel);
  Result<std::vector<TimedKernel*>> rivals(const std::vector<CompiledSubject>& subjects);
  Result<TimedKernel*> rival(const CompiledSubject& subject);

  Device* device_;
  Judge* judge_;
  const Bindings axes_;
  std::chrono::milliseconds deadline_{};
  std::vector<std::shared_ptr<const Draw>> draws_;
  std::vector<Buffers> inputs_;  ///< by set
  std::list<Rival> rivals_;
};

}  // namespace kevolve
