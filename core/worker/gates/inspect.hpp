#pragma once
// Gate inspect: the binary holds nothing that a candidate may not hold. The device has looked for foreign
// symbols and writable globals when it compiled; here, for tensor cores that are narrower than the operator's
// precision allows.

#include "core/worker/gates/gate_check.hpp"

namespace kevolve::worker {

GateCheck inspect_gate();

}  // namespace kevolve::worker
