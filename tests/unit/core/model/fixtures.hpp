#pragma once
// Small documents that the tests of core/model change one field at a time.

#include <string>
#include <string_view>

#include "core/model/candidate.hpp"

namespace kevolve::fixture {

/// An operator with a constant and a variable axis, all kinds of scalars, and a weight.
inline Json operator_document() {
  return *parse_json(R"json({
    "name": "scale", "description": "y = x * weight + EPS.",
    "axes": { "N": { "kind": "constant" }, "B": { "kind": "variable" } },
    "scalars": { "EPS": { "dtype": "f32", "value": 1e-5 }, "COUNT": { "dtype": "i32", "value": 7 } },
    "inputs": { "x": { "dtype": "f32", "shape": ["B", "N"] },
                "weight": { "dtype": "f32", "shape": ["N"], "constant": true } },
    "outputs": { "y": { "dtype": "f32", "shape": ["B", "N"] } },
    "reference": ["def forward(x: Tensor, weight: Tensor, EPS: float) -> Tensor:", "    return x * weight + EPS"],
    "workloads": { "small": { "axes": { "N": 64, "B": 3 }, "holdouts": [ { "B": 5 } ] } },
    "distributions": { "normal": { "timed": true, "draws": { "*": { "kind": "normal" } } } },
    "precision": "strict_fp32",
    "cost": { "bytes": "4 * (2 * B * N + N)", "flops": "2 * B * N" }
  })json",
                     "fixture");
}

inline Operator scale() {
  return *parse_operator(operator_document(), "operator.json");
}

/// A header that uses everything but tensor maps.
inline Json header() {
  return *parse_json(R"json({
    "idea": "Repack the weight, then one block for each row.",
    "tunables": { "BLOCK": [32, 64], "VEC": [1, 4] },
    "constraints": ["N % VEC == 0"],
    "scratch": { "packed": { "dtype": "f16", "elements": "N * VEC", "init": "zero", "alignment": 128 } },
    "output_fill": { "y": "zero" },
    "prepare": [ { "kernel": "pack", "grid": [1], "block": ["BLOCK"], "args": ["weight", "packed"] } ],
    "launches": [ { "kernel": "ns::rows<float, BLOCK>", "grid": ["B", 2], "block": ["BLOCK", "VEC"],
                    "shared_bytes": "4 * BLOCK", "cluster": [1, 2], "cooperative": true, "max_registers": 64,
                    "args": ["x", "packed", "y", { "i32": "B" }, { "i64": "N * num_sms" }, { "f32": 0.5 },
                             { "f64": 0.1 } ] } ]
  })json",
                     "fixture");
}

/// The .cu file with this header.
inline std::string source(const Json& header, std::string_view code = "__global__ void rows() {}\n") {
  return "/*kevolve\n" + header.dump(2) + "\n*/\n" + std::string(code);
}

}  // namespace kevolve::fixture
