#pragma once
// Gate policy: the source asks only for what a candidate may do (core/gates/policy.hpp), its header fits the
// operator, and its plan fits the device.

#include "core/worker/gates/gate_check.hpp"

namespace kevolve::worker {

GateCheck policy_gate();

/// The subject's plan at these axes, or why it may not have one.
tl::expected<CompiledSubject, Verdict> planned(devices::Device& device, const Operator& op,
                                               const Bindings& axes, const Subject& subject);
/// The same subject, planned at other axes: a hold-out's.
tl::expected<CompiledSubject, Verdict> planned_at(devices::Device& device, const Operator& op,
                                                  const Bindings& axes, const CompiledSubject& subject);

}  // namespace kevolve::worker
