#pragma once
// CompiledSubject: a kernel that came through the gates policy, compile and inspect for one workload on one
// device. Values; the functions are thread-safe as far as the device's compile() is.

#include <map>
#include <string>

#include "core/devices/device.hpp"
#include "core/model/candidate.hpp"
#include "core/model/worker_protocol.hpp"

namespace kevolve {

struct CompiledSubject {
  Subject subject;
  CandidateHeader header;
  LaunchPlan plan;
  Binary binary;
};

/// How far a subject came: it is compiled, or its Verdict says what stopped it. With `passed`, the gate is
/// the last one that was asked for.
struct Preparation {
  Verdict verdict;
  std::optional<CompiledSubject> compiled;
  std::map<std::string, double> gate_ms;
};

/// Passes the gates policy, compile and inspect, up to `last_gate`. An Error is operational.
Result<Preparation> prepare_subject(Device& device, const Operator& op, const Bindings& axes,
                                    const Subject& subject, Gate last_gate);

/// The same subject at other axes (a hold-out's). Compiles again only when the source sees another value.
Result<Preparation> prepare_at(Device& device, const Operator& op, const Bindings& axes,
                               const CompiledSubject& subject);

}  // namespace kevolve
