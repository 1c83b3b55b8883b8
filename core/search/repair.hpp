#pragma once
// Which verdicts their author can do something about. Pure.

#include "core/model/verdict.hpp"

namespace kevolve::search {

/// True when the evidence tells an author what to correct. Not when the device cannot run the candidate at
/// all, when the timing's witnesses disagree, or when the time is not believed.
bool is_repairable(Outcome outcome);

}  // namespace kevolve::search
