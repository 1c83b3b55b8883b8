#pragma once
// Profile gate: hardware counters of a candidate that has passed all others, and what they say. It refuses
// nobody: where counters cannot be read, the profile says why.

#include "core/gates/profile.hpp"
#include "core/judge/judge.hpp"
#include "core/worker/subject.hpp"

namespace kevolve {

/// `facts`: what is known without counters; plan and compile report are added. `draw`: on which it runs.
Profile profile_candidate(Device& device, const Operator& op, const CompiledSubject& subject,
                          const Draw& draw, KernelFacts facts);

}  // namespace kevolve
