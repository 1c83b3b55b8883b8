#pragma once
// The harness's own kernels: their sources, and the plans under which they are compiled like candidates.
// Judge and runner load the result as a Program.

#include <string>
#include <vector>

#include "core/model/launch_plan.hpp"

namespace kevolve {

extern const char* const runner_kernels;  ///< kernels/runner.cu
extern const char* const judge_kernels;   ///< kernels/judge.cu

/// A plan that only names what to compile.
LaunchPlan naming(const std::vector<std::string>& kernels);

}  // namespace kevolve
