#pragma once
// Reassessment: whether an archived result still holds, given the same kernel judged again. Pure.

#include <optional>
#include <string_view>

#include "core/gates/statistics.hpp"
#include "core/model/evaluation.hpp"

namespace kevolve::gates {

struct Reassessment {
  enum class Finding {
    holds,      ///< right, and not noticeably slower
    slower,     ///< right, but the whole interval of the slow-down is above kNoticeable
    not_right,  ///< it stopped at a gate: the verdict has the evidence
    undecided,  ///< the new verdict says nothing (inconclusive, unsupported, …)
  } finding = Finding::undecided;
  /// How many times as long it takes as archived, each time relative to the yardstick timed beside it; absent
  /// when the archived figure is of another device, or one of them has no yardstick beside it.
  std::optional<Ratio> slowdown;
};

/// A process has an offset of its own of a few percent; less than this says nothing.
inline constexpr double kNoticeable = 1.05;

std::string_view name(Reassessment::Finding finding);  ///< "holds", "slower", "no longer right", "undecided"

Reassessment reassess(const Evaluation& archived, const Evaluation& now, std::string_view yardstick);

}  // namespace kevolve::gates
