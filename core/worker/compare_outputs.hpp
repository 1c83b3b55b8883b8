#pragma once
// Comparing all outputs of one run with the oracle. Pure but for the device's memory.

#include <optional>

#include "core/judge/judge.hpp"
#include "core/model/verdict.hpp"

namespace kevolve::worker {

/// How near a candidate's answers came, worst over all draws so far.
struct Nearness {
  std::optional<PrecisionClass> precision;  ///< the coarsest class; absent when nothing was compared
  Accuracy accuracy;
};

/// Passes when every output is right within `required`; otherwise a verdict of gate correctness with the
/// evidence in words. `poison`: what the outputs held before.
Verdict compare_outputs(devices::Memory& memory, const judge::Draw& draw,
                        const std::vector<gates::Elements>& outputs, PrecisionClass required,
                        std::optional<std::uint8_t> poison, Nearness& nearness);

}  // namespace kevolve::worker
