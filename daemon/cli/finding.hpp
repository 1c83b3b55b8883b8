#pragma once
// Finding: one line of `kevolve doctor`. What concerns GPUs and PyTorch is looked at in doctor_gpu.cpp.

#include <filesystem>
#include <string>
#include <vector>

#include "core/model/worker_protocol.hpp"

namespace kevolve::cli {

enum class State { ok, missing, broken };  ///< missing: something is lost; broken: kevolve cannot work

struct Finding {
  std::string what;
  State state = State::ok;
  std::string detail;  ///< what was found, or what is lost and what to do
};

/// Every GPU that the worker offers; `log`: what the worker said meanwhile, for those that it could not open.
std::vector<Finding> check_gpus(const Hello& hello, const std::string& log);
/// Whether the worker's LibTorch has a CUDA half, CUPTI, and the baseline torch.compile.
std::vector<Finding> check_cuda_libraries();
Finding check_compiled_baselines();

}  // namespace kevolve::cli
