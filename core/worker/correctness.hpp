#pragma once
// Correctness gate: runs one compiled candidate on every distribution of its operator, on fresh secret
// inputs, and compares every element of every output.
//
// The first draw (of the distribution that is timed) is run under several thread orders, placements and
// poisons, which must agree; each further draw is run once, under another combination, in the same buffers,
// so that new content meets old addresses and the other way round. docs/trust.md says which trick each of
// these stops.

#include <optional>

#include "core/judge/judge.hpp"
#include "core/worker/draw_pool.hpp"
#include "core/worker/session.hpp"
#include "core/worker/subject.hpp"

namespace kevolve {

struct Correctness {
  Verdict verdict{Outcome::passed, Gate::correctness, ""};
  std::optional<PrecisionClass>
      precision;  ///< the coarsest class over all draws; absent when nothing was compared
  Accuracy accuracy;
  std::optional<Session> session;  ///< the runner that has run it all, for the gates to come
};

/// How long one run may take, from what PyTorch needs for the same work.
std::chrono::milliseconds run_deadline(double eager_us);

/// Passes when every output is right within `required`; otherwise a verdict with the evidence in words.
/// `poison`: what the outputs held before.
Verdict compare_outputs(Memory& memory, const Draw& draw, const std::vector<Elements>& outputs,
                        PrecisionClass required, std::optional<std::uint8_t> poison, Correctness& record);

/// What is known of a candidate's chances before it runs.
struct Standing {
  bool contender = false;          ///< no repetition is left out, however slow it is
  std::optional<double> rival_us;  ///< the fastest of the kernels that it will be timed beside
};

/// An Error is operational (the reference failed, no runner could be started).
Result<Correctness> check_correctness(Device& device, Judge& judge, const Workload& workload,
                                      const CompiledSubject& subject, DrawPool& draws, const Seed& seed,
                                      const Standing& standing);

}  // namespace kevolve
