// The kernels that tests/gpu profiles, as far as they can be checked without a GPU.
#include "tests/gpu/probe_kernels.hpp"
#include "tests/integration/cuda/compiler.hpp"

namespace kevolve {
namespace {

TEST_CASE("the profiler's probes compile for a Hopper GPU, and the matmul keeps its tile in registers") {
  Compiler compile("sm_90");
  for (const auto& [kernel, source] : {std::pair{"copy", kCopySource}, std::pair{"sum", kSumSource}}) {
    const auto compiled = compile(source, {kernel});
    INFO((compiled ? "" : compiled.error().evidence));
    CHECK(compiled);
  }
  const auto compiled = compile(kMatmulSource, {"matmul"});
  INFO((compiled ? "" : compiled.error().evidence));
  REQUIRE(compiled);
  const auto& resources = compiled->report.resources;
  CHECK(resources.at("matmul.spill_bytes") == 0);
  // 64 sums live at once; at 128 registers two blocks of 256 threads still fit on an SM.
  CHECK(resources.at("matmul.registers") > 64);
  CHECK(resources.at("matmul.registers") <= 128);
}

}  // namespace
}  // namespace kevolve
