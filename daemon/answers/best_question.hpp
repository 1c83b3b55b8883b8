#pragma once
// BestQuestion: which of an operator's kernels are asked for. A plain value, known without an archive.

#include <optional>
#include <string>

#include "core/model/precision.hpp"

namespace kevolve::answers {

struct BestQuestion {
  std::string operator_name;
  std::string workload;   ///< by name, or "AXIS=SIZE,…"; "" matches all
  std::string device;     ///< by name, model or key; "" matches all
  std::string yardstick;  ///< "naive", "eager", "compile"; "" matches all
  std::optional<PrecisionClass> precision;
  int top = 1;  ///< of each workload, device, precision class and yardstick
};

}  // namespace kevolve::answers
