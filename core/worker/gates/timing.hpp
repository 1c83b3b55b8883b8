#pragma once
// Gate timing: the candidate, the kernels to compare with and PyTorch's baselines run side by side, in random
// order, on rotating draws, poisoned and (on a device that is timed cold) flushed before every run. Every
// timed output of a kernel is verified, a baseline's answer once for each draw. A time below the physical
// limit is not believed.

#include "core/worker/gates/gate_check.hpp"

namespace kevolve::worker {

GateCheck timing_gate();

}  // namespace kevolve::worker
