#pragma once
// An operator small enough for unit tests, y = x * w over N elements with N variable, and requests about it.

#include <string>

#include "core/model/worker_protocol.hpp"

namespace kevolve {

inline Json product_operator() {
  return *parse_json(R"({
    "name": "product", "description": "Elementwise product.",
    "axes": { "N": { "kind": "variable", "description": "elements" } },
    "inputs": { "x": { "dtype": "f32", "shape": ["N"] }, "w": { "dtype": "f32", "shape": ["N"], "constant": true } },
    "outputs": { "y": { "dtype": "f32", "shape": ["N"] } },
    "reference": "def forward(x: Tensor, w: Tensor) -> Tensor:\n    return x * w\n",
    "workloads": { "small": { "axes": { "N": 1000 }, "holdouts": [ { "N": 997 }, { "N": 3 } ] } },
    "distributions": {
      "mixture": { "timed": true, "draws": { "*": { "kind": "mixture" } } },
      "normal": { "draws": { "*": { "kind": "normal" } } },
      "special": { "draws": { "*": { "kind": "special_values", "count": 3 } } } },
    "precision": "strict_fp32", "cost": { "bytes": "12 * N", "flops": "N" } })",
                     "product");
}

/// A candidate whose only launch is `kernel`; `header` goes before "launches".
inline std::string candidate(const std::string& kernel, const std::string& header = "",
                             const std::string& arguments = R"("x", "w", "y")",
                             const std::string& code = "") {
  return R"k(/*kevolve { "idea": "A test.", )k" + header + R"k( "launches": [ { "kernel": ")k" + kernel +
         R"k(", "grid": ["ceil_div(N, 128)"], "block": [128], "args": [)k" + arguments +
         R"k(, { "i32": "N" }] } ] } */)k" + "\n" + code;
}

inline EvaluateRequest request_for(const std::string& source, Gate last_gate = Gate::timing) {
  EvaluateRequest request;
  request.id = "1";
  request.operator_document = product_operator();
  request.workload = "small";
  request.source = source;
  request.last_gate = last_gate;
  request.timing = {.min_samples = 4, .max_samples = 6, .max_seconds = 5};
  return request;
}

}  // namespace kevolve
