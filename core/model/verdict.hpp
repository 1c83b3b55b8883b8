#pragma once
// A verdict: at which gate a candidate stopped, in what way, and the evidence in words that a person
// or a language model can act on. A failing candidate is data, never an error of the program.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kevolve {

/// In the order in which a candidate meets them. Stored by name: never rename. kGates names them.
enum class Gate { policy, compile, inspect, correctness, timing, profile };

struct GateName {
  Gate gate;
  std::string_view name;
};

/// The list of gates; messages, help texts and checks of order follow from it.
inline constexpr std::array kGates = {
    GateName{Gate::policy, "policy"},   GateName{Gate::compile, "compile"},
    GateName{Gate::inspect, "inspect"}, GateName{Gate::correctness, "correctness"},
    GateName{Gate::timing, "timing"},   GateName{Gate::profile, "profile"},
};
/// The gate that makes a candidate a verified kernel; later ones add to what is known of it.
inline constexpr Gate kVerifyingGate = Gate::timing;

/// Stored by name: never rename.
enum class Outcome {
  passed,
  not_applicable,    ///< a constraint does not hold for this workload and these tunables
  unsupported,       ///< the device cannot run it (tensor cores, TMA, inline PTX on the cpu device)
  policy_violation,  ///< the source or header asks for what no candidate may do
  compile_error,
  compile_timeout,
  inspect_violation,  ///< the binary holds what no candidate may hold (writable globals, foreign symbols)
  launch_error,       ///< the launch itself was refused (block too large, shared memory, co-residency)
  illegal_access,     ///< out of bounds, or a write to a read-only input
  crash,              ///< trap, abort, stack overflow, forbidden system call
  deadlock,           ///< threads wait at barriers that can never complete
  timeout,
  out_of_memory,
  race,       ///< result depends on the order of threads or blocks
  unwritten,  ///< output elements left unwritten
  wrong_result,
  wrong_precision,  ///< right within a coarser precision class than the operator requires
  quarantined,      ///< faster than the physical limit: kept apart, not celebrated
  inconclusive,     ///< witnesses of the timing disagree
};

std::string_view name(Gate gate);
/// "policy, compile, …, timing or profile"; `last_joint`: what stands before the last one.
std::string gate_list(std::string_view last_joint = " or ");
std::optional<Gate> gate_from_name(std::string_view name);
std::string_view name(Outcome outcome);
std::optional<Outcome> outcome_from_name(std::string_view name);

struct Verdict {
  Outcome outcome = Outcome::passed;
  Gate gate = Gate::policy;  ///< the gate that stopped it; with `passed`, the last gate it passed
  std::string evidence;      ///< complete sentences; empty only with `passed`

  [[nodiscard]] bool passed() const { return outcome == Outcome::passed; }
};

/// It passed kVerifyingGate at least.
[[nodiscard]] inline bool is_verified(const Verdict& verdict) {
  return verdict.passed() && verdict.gate >= kVerifyingGate;
}

}  // namespace kevolve
