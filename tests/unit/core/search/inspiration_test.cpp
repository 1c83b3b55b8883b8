#include "core/search/inspiration.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::search;

namespace {

Inspiration of(const char* name, Regime regime, double operations_per_byte) {
  Inspiration other{name, "", "", {}, 2.0};
  other.regime = regime;
  other.operations_per_byte = operations_per_byte;
  return other;
}

std::vector<std::string> shown(Regime regime, double operations_per_byte, std::size_t count = 2) {
  const auto chosen = kindred_first({of("sum", Regime::memory_bound, 0.25), of("gelu", Regime::unknown, 4),
                                     of("conv", Regime::compute_bound, 60),
                                     of("matmul", Regime::unknown, 680), of("foreign", Regime::unknown, 0)},
                                    regime, operations_per_byte, count);
  std::vector<std::string> names;
  for (const Inspiration& other : chosen) names.push_back(other.operator_name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("kernels that the same thing holds back inspire first") {
  CHECK(shown(Regime::compute_bound, 0) == Names{"conv", "sum"});
  CHECK(shown(Regime::memory_bound, 0) == Names{"sum", "gelu"});
  CHECK(shown(Regime::not_memory_bound, 0) == Names{"conv", "sum"});  // as inferred from a time
}

TEST_CASE("so do kernels of operators that compute as much for each byte") {
  CHECK(shown(Regime::unknown, 1365) == Names{"matmul", "sum"});
  CHECK(shown(Regime::unknown, 200) == Names{"conv", "matmul"});
  CHECK(shown(Regime::memory_bound, 1) == Names{"sum", "gelu"});
}

TEST_CASE("where nothing is kindred or known, the order given stays, and no more than asked are shown") {
  CHECK(shown(Regime::unknown, 0, 3) == Names{"sum", "gelu", "conv"});
  CHECK(shown(Regime::latency_bound, 0, 9) == Names{"sum", "gelu", "conv", "matmul", "foreign"});
}

TEST_CASE("operations for each byte follow from an operator's costs") {
  const auto op = load_operator(KEVOLVE_SOURCE_DIR "/kernels/seed/matmul_fp16");
  REQUIRE(op);
  CHECK(operations_per_byte(*op, {{"M", 256}, {"N", 256}, {"K", 256}}) == Approx(85.333).epsilon(1e-4));
  CHECK(operations_per_byte(*op, {}) == 0);
  CHECK(operations_per_byte(Operator{}, {}) == 0);
}
