#pragma once
// Timing gate: the candidate, the kernels to compare with and PyTorch's baselines run side by side, in random
// order, on fresh draws in rotating buffers, poisoned and (on a device that is timed cold) flushed before
// every run; and every timed output of a kernel is verified, a baseline's answer once for each draw.

#include <map>
#include <optional>
#include <vector>

#include "core/gates/statistics.hpp"
#include "core/judge/judge.hpp"
#include "core/worker/draw_pool.hpp"
#include "core/worker/subject.hpp"

namespace kevolve {

struct Timing {
  Verdict verdict{Outcome::passed, Gate::timing, ""};
  std::vector<Measurement> measurements;  ///< "candidate" first
  std::optional<double> prepare_us;
  Ratio speedup{0, {0, 0}};                     ///< against the yardstick; 0 without one
  std::string stopped;                          ///< why sampling stopped, for the log
  std::map<std::string, std::string> left_out;  ///< baselines that could not be timed, and why
};

struct TimingPlan {
  const Workload& workload;
  const CompiledSubject& candidate;
  const std::vector<CompiledSubject>& compare_with;
  std::vector<std::string> baselines;  ///< as in EvaluateRequest, like the yardstick
  std::string yardstick;
  TimingSettings settings;
};

/// An Error is operational; a comparison kernel that fails is one, since the candidate is not to blame, and
/// so is a yardstick that cannot be timed. Another baseline that is missing or wrong is left out: a search
/// does not end for it.
Result<Timing> time_candidate(Device& device, Judge& judge, const TimingPlan& plan, DrawPool& draws,
                              const Seed& seed);

}  // namespace kevolve
