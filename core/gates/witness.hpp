#pragma once
// Do two witnesses of a time agree? Pure.

#include <optional>
#include <string>

#include "core/model/evaluation.hpp"

namespace kevolve::gates {

/// What is wrong, in words, or nothing when the median of the samples is one that the witness can have seen:
/// every planned kernel ran; the time is not shorter than the device was busy by more than max(2 us, 5 %),
/// and not longer than from the plan's begin to its end by more than 4 us and 5 %, since events also see a
/// launch begin. A witness that is unavailable contradicts nothing.
std::optional<std::string> disagreement(const Witness& witness, double median_us,
                                        std::size_t planned_launches);

}  // namespace kevolve::gates
