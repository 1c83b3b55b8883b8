#pragma once
// What the simulated worker says of a candidate: verdict and times are pure functions of the candidate's
// hash, so a search judged by it finds the same kernels whenever and in whatever order it asks, however often
// it is killed. Pure.

#include <string>

#include "core/model/worker_protocol.hpp"

namespace kevolve::testing {

/// The time of a kernel on the simulated device. A kernel without tunables, as every naive.cu is, takes
/// 1000 us; others between a fifth and one and a half times that.
double simulated_us(std::string_view candidate_hash, const Bindings& tunables);

/// About two candidates of three are verified; the others stop at every gate and for every reason that a
/// device may have. Kernels without tunables always pass.
Verdict simulated_verdict(std::string_view candidate_hash, const Bindings& tunables, Gate last_gate);

DeviceInfo simulated_device(const std::string& name, const std::string& model);

Evaluation simulate(const EvaluateRequest& request, const DeviceInfo& device);

}  // namespace kevolve::testing
