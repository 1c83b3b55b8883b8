#pragma once
// A small operator and playbook entries over it, for tests of the search's pure logic.

#include <fmt/format.h>

#include "core/search/playbook.hpp"
#include "tests/catch.hpp"

namespace kevolve::testing {

inline Operator doubling_operator() {
  const auto json = parse_json(R"({
    "name": "doubling", "description": "y = 2 x",
    "axes": { "N": { "kind": "constant", "description": "elements" } },
    "inputs": { "x": { "dtype": "f32", "shape": ["N"] } },
    "outputs": { "y": { "dtype": "f32", "shape": ["N"] } },
    "reference": "def forward(x: Tensor) -> Tensor:\n    return x * 2",
    "workloads": { "small": { "axes": { "N": 1024 } } },
    "distributions": { "normal": { "timed": true, "draws": { "*": { "kind": "normal" } } } },
    "precision": "strict_fp32",
    "cost": { "bytes": "8 * N", "flops": "N" } })",
                               "doubling");
  REQUIRE(json);
  const auto op = parse_operator(*json, "doubling");
  if (!op) FAIL(op.error().message);
  return *op;
}

/// An entry with tunables BLOCK and ITEMS; only BLOCK * ITEMS <= 1024 is valid.
inline search::PlaybookEntry entry(const Operator& op, const std::string& key,
                                   std::vector<std::string> combines = {},
                                   std::vector<std::string> requirements = {}) {
  const std::string source = fmt::format(
      "/*kevolve {{ \"idea\": \"idea of {0}\", \"tunables\": {{ \"BLOCK\": [64, 128, 256], \"ITEMS\": [1, 2, "
      "4, 8] }},\n"
      "\"constraints\": [\"BLOCK * ITEMS <= 1024\"], \"launches\": [ {{ \"kernel\": \"{0}\",\n"
      "\"grid\": [\"ceil_div(N, BLOCK * ITEMS)\"], \"block\": [\"BLOCK\"], \"args\": [\"x\", \"y\"] }} ] }} "
      "*/\n"
      "__global__ void {0}(const float* x, float* y) {{}}\n",
      key);
  const auto header = parse_candidate(source, op, key);
  if (!header) FAIL(header.error().message);
  return {key, source, *header, {}, std::move(combines), std::move(requirements)};
}

inline search::RoundContext context(const Operator& op) {
  search::RoundContext context;
  context.op = &op;
  context.workload = "small";
  context.device.name = "cpu";
  context.seed = 7;
  return context;
}

inline search::LedgerEntry tried(const std::string& key, int passed) {
  search::LedgerEntry entry;
  entry.idea_key = key;
  entry.attempts = 1;
  entry.passed = passed;
  return entry;
}

}  // namespace kevolve::testing
