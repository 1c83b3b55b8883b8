#include "core/worker/gates/inspect.hpp"

#include "core/gates/tensor_cores.hpp"

namespace kevolve::worker {
namespace {

Result<Verdict> run_inspect(Trial& trial) {
  if (auto narrow = gates::too_narrow(trial.candidate->binary.report, trial.op->precision)) return *narrow;
  return Verdict{Outcome::passed, Gate::inspect, ""};
}

}  // namespace

GateCheck inspect_gate() {
  return {.gate = Gate::inspect, .phase = Phase::ahead, .run = run_inspect, .has_time = false};
}

}  // namespace kevolve::worker
