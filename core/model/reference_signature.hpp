#pragma once
// The parameter names of a TorchScript reference, read without TorchScript: the judge binds inputs, scalars
// and axes to them by name, and a wrong name is better told when the operator is loaded than when it is
// judged. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve {

/// In order, of the text's `def forward(…)`.
Result<std::vector<std::string>> forward_parameters(std::string_view torchscript);

}  // namespace kevolve
