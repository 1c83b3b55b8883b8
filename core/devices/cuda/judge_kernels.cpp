#include "core/devices/cuda/judge_kernels.hpp"

namespace kevolve::cuda {

extern const char* const kJudgeKernels;

const std::string& judge_source() {
  static const std::string source = kJudgeKernels;
  return source;
}

LaunchPlan judge_plan() {
  LaunchPlan plan;
  for (const char* kernel :
       {"judge_fill", "judge_place", "judge_look", "judge_first_difference", "judge_squares", "judge_observe",
        "judge_measure", "judge_find", "judge_sample"}) {
    plan.launches.emplace_back();
    plan.launches.back().kernel = kernel;
  }
  return plan;
}

}  // namespace kevolve::cuda
