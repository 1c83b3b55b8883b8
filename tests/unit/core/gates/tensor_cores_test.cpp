#include "core/gates/tensor_cores.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

CompileReport multiplies(std::string_view type) {
  CompileReport report;
  report.resources = {{"k.registers", 128}, {tensor_core_resource(type), 12}};
  return report;
}

}  // namespace

TEST_CASE("strict fp32 admits no narrow product on tensor cores, however good the answer") {
  for (const char* type : {"f16", "bf16", "tf32", "s8", "unknown"}) {
    const auto verdict = too_narrow(multiplies(type), PrecisionClass::strict_fp32);
    REQUIRE(verdict);
    CHECK(verdict->outcome == Outcome::wrong_precision);
    CHECK(verdict->gate == Gate::inspect);
    CHECK_THAT(verdict->evidence, Catch::Matchers::ContainsSubstring(std::string(type) + " operands"));
    CHECK(allowed_class(multiplies(type), PrecisionClass::strict_fp32) == PrecisionClass::compensated);
    CHECK(allowed_class(multiplies(type), PrecisionClass::fp16) == PrecisionClass::fp16);
  }
}

TEST_CASE("coarser classes and fp64 products go on") {
  for (const PrecisionClass required :
       {PrecisionClass::compensated, PrecisionClass::tf32, PrecisionClass::fp16})
    CHECK_FALSE(too_narrow(multiplies("f16"), required));
  CHECK_FALSE(too_narrow(multiplies("f64"), PrecisionClass::strict_fp32));
  CHECK_FALSE(too_narrow({}, PrecisionClass::strict_fp32));
  CHECK(allowed_class(multiplies("f64"), PrecisionClass::strict_fp32) == PrecisionClass::strict_fp32);
}

}  // namespace kevolve
