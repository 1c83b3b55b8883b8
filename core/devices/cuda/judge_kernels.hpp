#pragma once
// The source of the judge's own kernels, compiled at run time as a candidate is:
// device->compile(judge_source(), judge_plan(), deadline), then Program::load(). Constant.

#include <string>

#include "core/model/launch_plan.hpp"

namespace kevolve::cuda {

const std::string& judge_source();
/// A plan that names each kernel once; it is never launched as a plan.
LaunchPlan judge_plan();

}  // namespace kevolve::cuda
