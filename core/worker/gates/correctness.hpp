#pragma once
// Gate correctness: runs the candidate on every distribution of its operator, on fresh secret inputs, and
// compares every element of every output.
//
// The first draw (of the distribution that is timed) is run under several thread orders, placements and
// poisons, which must agree; each further draw is run once, under another combination, in the same buffers,
// so that new content meets old addresses and the other way round. The hold-outs, other sizes, come last.
// docs/trust.md says which trick each of these stops.

#include "core/worker/gates/gate_check.hpp"

namespace kevolve::worker {

/// Leaves the runner of a candidate that passes in Trial::session.
GateCheck correctness_gate();

}  // namespace kevolve::worker
