#pragma once
// A launch plan's tensor map as the TMA unit takes it. Pure but for the driver's encoder.

#include "core/devices/cuda/driver.hpp"
#include "core/model/launch_plan.hpp"

namespace kevolve::cuda::runner {

/// `address`: of the buffer's data. The error quotes the map's own values.
Result<CUtensorMap> encode(const Driver& driver, const PlannedTensorMap& map, CUdeviceptr address);

}  // namespace kevolve::cuda::runner
