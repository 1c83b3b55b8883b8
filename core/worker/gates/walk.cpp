#include "core/process/stopwatch.hpp"
#include "core/worker/gates/gate_check.hpp"

namespace kevolve::worker {

Result<void> walk(const std::vector<GateCheck>& checks, Phase phase, Trial& trial) {
  while (!trial.ended() && trial.gates_met < checks.size()) {
    const GateCheck& check = checks[trial.gates_met];
    if (check.phase != phase) return {};
    const process::Stopwatch watch;
    auto verdict = check.run(trial);
    if (!verdict) return failure(verdict.error());
    if (check.has_time) trial.record.gate_ms[std::string(name(check.gate))] = watch.milliseconds();
    trial.record.verdict = std::move(*verdict);
    ++trial.gates_met;
  }
  return {};
}

}  // namespace kevolve::worker
