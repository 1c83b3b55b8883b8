#pragma once
// Gate profile: hardware counters of a candidate that has passed all others, and what they say. It refuses
// nobody: where counters cannot be read, the profile says why.

#include "core/worker/gates/gate_check.hpp"

namespace kevolve::worker {

GateCheck profile_gate();

}  // namespace kevolve::worker
