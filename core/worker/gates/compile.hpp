#pragma once
// Gate compile: the device's compiler accepts the source, and its inspection the binary. A device does both
// in one call, so what its inspection finds comes from here, under the name of gate inspect.

#include "core/worker/gates/gate_check.hpp"

namespace kevolve::worker {

GateCheck compile_gate();

/// Compiles a planned subject and keeps its binary; a Verdict when that stopped it. Thread-safe; blocks.
Result<std::optional<Verdict>> compile(devices::Device& device, CompiledSubject& subject);
/// The same subject at other axes: a hold-out's. Compiles again only when the source sees another value.
Result<tl::expected<CompiledSubject, Verdict>> compiled_at(devices::Device& device, const Operator& op,
                                                           const Bindings& axes,
                                                           const CompiledSubject& subject);
/// That a kernel to compare with fails is operational: the candidate is not to blame.
tl::unexpected<Error> rival_failed(const std::string& name, const std::string& evidence);
/// A kernel to compare with, through the gates policy and compile.
Result<CompiledSubject> compiled_rival(devices::Device& device, const Operator& op, const Bindings& axes,
                                       const Subject& subject);

}  // namespace kevolve::worker
