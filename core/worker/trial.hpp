#pragma once
// Trial: one candidate on its way through the gates, with everything that the gates share and the record that
// they fill. Owned by one thread at a time. It must not move while a session is open, which refers to it.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/judge/judge.hpp"
#include "core/model/worker_protocol.hpp"
#include "core/worker/draw_pool.hpp"
#include "core/worker/session.hpp"
#include "core/worker/subject.hpp"

namespace kevolve::worker {

class TimingBench;

/// What the gates that run a candidate need; kept by the Evaluator from one trial to the next.
struct Court {
  judge::Judge& judge;
  DrawPool& draws;
  TimingBench& bench;
  gates::Seed seed;  ///< of orders, passes and intervals; the draws have their own
};

struct Trial {
  EvaluateRequest request;
  std::shared_ptr<const Operator> op;
  const Workload* workload = nullptr;  ///< of `op`
  devices::Device* device = nullptr;
  std::optional<CompiledSubject> candidate;   ///< planned by gate policy, with its binary from gate compile
  std::vector<CompiledSubject> compare_with;  ///< filled when timing was asked for
  std::optional<Court> court;                 ///< before the first gate that runs the candidate
  std::optional<Session> session;  ///< the runner that passed correctness; after `candidate`, which it uses
  std::map<std::string, std::string> left_out;  ///< baselines that could not be timed, and why
  Evaluation record;
  std::size_t gates_met = 0;

  /// No gate is left to meet: one stopped the candidate, or it passed the last one that was asked for.
  [[nodiscard]] bool ended() const {
    return !record.verdict.passed() || (gates_met > 0 && record.verdict.gate >= request.last_gate);
  }
};

}  // namespace kevolve::worker
