#pragma once
// CompiledSubject: a kernel that came through the gates policy, compile and inspect for one workload on one
// device. Values.

#include "core/devices/device.hpp"
#include "core/model/candidate.hpp"
#include "core/model/worker_protocol.hpp"

namespace kevolve::worker {

struct CompiledSubject {
  Subject subject;
  CandidateHeader header;
  LaunchPlan plan;
  devices::Binary binary;  ///< empty until gate compile
};

}  // namespace kevolve::worker
