#pragma once
// What plans need to know of a GPU architecture when there is no GPU to ask.

#include <optional>
#include <string_view>

#include "core/model/launch_plan.hpp"

namespace kevolve::cuda {

/// 90 of "sm_90a"; nullopt unless it is "sm_", two or three digits, and perhaps "a" or "f".
std::optional<int> compute_capability(std::string_view architecture);

/// Limits of a block, and the SM count of the capability's best-known GPU (sm_90: H100 and H200, 132).
DeviceLimits limits_of(int capability);

}  // namespace kevolve::cuda
