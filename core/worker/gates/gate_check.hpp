#pragma once
// GateCheck: the role of a gate in a worker: its name, and how it judges a Trial. Each gate has its file in
// this folder, gate_list.cpp puts them in order, and walk() takes a trial from one to the next.
//
//   policy -> compile -> inspect | -> correctness -> timing -> profile
//   ahead: in any thread         | alone: in the judge's thread, the device is ours

#include <functional>
#include <vector>

#include "core/worker/trial.hpp"

namespace kevolve::worker {

enum class Phase {
  ahead,  ///< needs no court; for several trials at once
  alone   ///< runs the candidate; one trial at a time
};

struct GateCheck {
  Gate gate = Gate::policy;
  Phase phase = Phase::ahead;
  /// The gate's verdict, with its evidence when the candidate fails. An Error is operational.
  std::function<Result<Verdict>(Trial&)> run;
  bool has_time = true;  ///< false: the gate before did the work, and its time includes this gate's
};

/// All gates, in the order of the enum.
const std::vector<GateCheck>& gate_checks();

/// Runs the gates of one phase, from the one that the trial meets next until the trial ended or the next
/// gate belongs to another phase. Records verdict and times.
Result<void> walk(const std::vector<GateCheck>& checks, Phase phase, Trial& trial);

}  // namespace kevolve::worker
