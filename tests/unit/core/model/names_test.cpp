// Names that archives keep: written out, so that a renamed or reordered one is seen.
#include <functional>

#include "core/model/dtype.hpp"
#include "core/model/precision.hpp"
#include "core/model/profile.hpp"
#include "core/model/verdict.hpp"
#include "core/text/json.hpp"
#include "tests/catch.hpp"

namespace kevolve {
namespace {

TEST_CASE("element types have names, sizes and kinds") {
  CHECK(name(DType::f32) == "f32");
  CHECK(name(DType::boolean) == "bool");
  for (const auto dtype :
       {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean}) {
    CHECK(dtype_from_name(name(dtype)) == dtype);
  }
  CHECK_FALSE(dtype_from_name("float"));
  CHECK(size_bytes(DType::bf16) == 2);
  CHECK(size_bytes(DType::i64) == 8);
  CHECK(size_bytes(DType::u8) == 1);
  CHECK(is_floating(DType::f64));
  CHECK_FALSE(is_floating(DType::i32));
}

TEST_CASE("precision classes are ordered from exact to coarse") {
  CHECK(name(PrecisionClass::tf32) == "tf32");
  CHECK(precision_from_name("strict_fp32") == PrecisionClass::strict_fp32);
  CHECK_FALSE(precision_from_name("fp32"));
  CHECK(satisfies(PrecisionClass::exact, PrecisionClass::strict_fp32));
  CHECK(satisfies(PrecisionClass::strict_fp32, PrecisionClass::strict_fp32));
  CHECK_FALSE(satisfies(PrecisionClass::tf32, PrecisionClass::strict_fp32));
  CHECK(satisfies(PrecisionClass::tf32, PrecisionClass::bf16));
}

TEST_CASE("what people read of gates follows from the list") {
  CHECK(gate_list() == "policy, compile, inspect, correctness, timing or profile");
  const auto glossary = read_text_file(KEVOLVE_SOURCE_DIR "/docs/glossary.md");
  REQUIRE(glossary);
  CHECK(glossary->find("\n| gate | " + gate_list(", ") + ":") != std::string::npos);
}

TEST_CASE("a candidate is verified once it passed timing") {
  CHECK(is_verified({Outcome::passed, Gate::timing, ""}));
  CHECK(is_verified({Outcome::passed, Gate::profile, ""}));
  CHECK_FALSE(is_verified({Outcome::passed, Gate::correctness, ""}));
  CHECK_FALSE(is_verified({Outcome::quarantined, Gate::timing, "too fast"}));
}

TEST_CASE("regimes keep their names") {
  const std::vector<std::string_view> regimes = {"unknown", "memory_bound", "compute_bound", "latency_bound",
                                                 "not_memory_bound"};
  for (std::size_t i = 0; i < regimes.size(); ++i) {
    CHECK(name(static_cast<Regime>(i)) == regimes[i]);
    CHECK(regime_from_name(regimes[i]) == static_cast<Regime>(i));
  }
  CHECK_FALSE(regime_from_name("slow"));
}

TEST_CASE("gates and outcomes keep their names") {
  const std::vector<std::string_view> gates = {"policy",      "compile", "inspect",
                                               "correctness", "timing",  "profile"};
  for (std::size_t i = 0; i < gates.size(); ++i) {
    CHECK(name(static_cast<Gate>(i)) == gates[i]);
    CHECK(gate_from_name(gates[i]) == static_cast<Gate>(i));
  }
  CHECK_FALSE(gate_from_name("compiler"));
  CHECK(name(Outcome::passed) == "passed");
  CHECK(name(Outcome::not_applicable) == "not_applicable");
  CHECK(name(Outcome::unsupported) == "unsupported");
  CHECK(name(Outcome::policy_violation) == "policy_violation");
  CHECK(name(Outcome::compile_error) == "compile_error");
  CHECK(name(Outcome::compile_timeout) == "compile_timeout");
  CHECK(name(Outcome::inspect_violation) == "inspect_violation");
  CHECK(name(Outcome::launch_error) == "launch_error");
  CHECK(name(Outcome::illegal_access) == "illegal_access");
  CHECK(name(Outcome::crash) == "crash");
  CHECK(name(Outcome::deadlock) == "deadlock");
  CHECK(name(Outcome::timeout) == "timeout");
  CHECK(name(Outcome::out_of_memory) == "out_of_memory");
  CHECK(name(Outcome::race) == "race");
  CHECK(name(Outcome::unwritten) == "unwritten");
  CHECK(name(Outcome::wrong_result) == "wrong_result");
  CHECK(name(Outcome::wrong_precision) == "wrong_precision");
  CHECK(name(Outcome::quarantined) == "quarantined");
  CHECK(name(Outcome::inconclusive) == "inconclusive");
  for (int i = 0; i <= static_cast<int>(Outcome::inconclusive); ++i) {
    CHECK(outcome_from_name(name(static_cast<Outcome>(i))) == static_cast<Outcome>(i));
  }
  CHECK_FALSE(outcome_from_name("failed"));
}

}  // namespace
}  // namespace kevolve
