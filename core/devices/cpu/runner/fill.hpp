#pragma once
// Filling of buffers before a run, as a candidate's header asks for it. Thread-safe.

#include "core/model/launch_plan.hpp"

namespace kevolve::cpu::runner {

/// Writes planned.fill to planned.elements elements at `data`. Integers take their lowest or highest value
/// for an infinity.
void fill(void* data, const PlannedBuffer& planned);

}  // namespace kevolve::cpu::runner
