#include "core/worker/gates/compile.hpp"
#include "core/worker/gates/correctness.hpp"
#include "core/worker/gates/inspect.hpp"
#include "core/worker/gates/policy.hpp"
#include "core/worker/gates/profile.hpp"
#include "core/worker/gates/timing.hpp"

namespace kevolve::worker {

const std::vector<GateCheck>& gate_checks() {
  static const std::vector<GateCheck> kChecks = {policy_gate(),      compile_gate(), inspect_gate(),
                                                 correctness_gate(), timing_gate(),  profile_gate()};
  return kChecks;
}

}  // namespace kevolve::worker
