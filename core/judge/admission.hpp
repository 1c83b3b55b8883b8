#pragma once
// Admission: is an operator fit to be judged? An operator is refused, with the reason, when an answer without
// work can pass, or when its output hardly depends on an input: such an operator would crown nonsense.
// docs/trust.md, "Admission".

#include <string>

#include "core/judge/judge.hpp"

namespace kevolve::judge {

/// `judge` works in host memory. "" when the operator is fit at this workload, otherwise why not, in words.
Result<std::string> refusal(Judge& judge, const Workload& workload, const gates::Seed& seed);

}  // namespace kevolve::judge
