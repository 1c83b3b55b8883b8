#pragma once
// The operator in a prompt's words: axes, tensors, reference, how exact, on which inputs. Each function gives
// one Markdown block without a blank line around it. Pure.

#include <string>

#include "core/search/idea.hpp"

namespace kevolve::llm {

std::string axes_text(const Operator& op, const Workload& workload);
/// Inputs, outputs and the constants that the specification fixes.
std::string tensors_text(const Operator& op, const Workload& workload);
std::string precision_text(const Operator& op);
std::string distributions_text(const Operator& op);

}  // namespace kevolve::llm
