// The judge's own kernels, compiled as candidates are.

#include "core/devices/cuda/judge_kernels.hpp"

#include "core/devices/cuda/kernels/judge_types.hpp"
#include "tests/integration/cuda/compiler.hpp"

namespace kevolve {
using namespace cuda;

TEST_CASE("the judge's kernels compile, keep their registers and spill nothing") {
  for (const char* architecture : {"sm_90a", "sm_80"}) {
    Compiler compile(architecture);
    const LaunchPlan plan = judge_plan();
    const auto binary = compile(judge_source(), plan);
    INFO((binary ? std::string() : binary.error().evidence));
    REQUIRE(binary);
    auto resources = binary->report.resources;
    for (const auto& launch : plan.launches) {
      CAPTURE(architecture, launch.kernel, resources.at(launch.kernel + ".registers"),
              resources.at(launch.kernel + ".shared_bytes"));
      CHECK(resources.at(launch.kernel + ".spill_bytes") == 0);
      CHECK(resources.at(launch.kernel + ".registers") <= 128);
      CHECK(resources.at(launch.kernel + ".shared_bytes") <= 48 * 1024);
    }
    // Three blocks on a multiprocessor have 36 KiB of loads under way, more than its share of HBM3 needs.
    CHECK(resources.at("judge_measure.registers") <= 65536 / kJudgeThreads / 3);
    CHECK_FALSE(contains(binary->report.log, "no launch names it"));
  }
}

}  // namespace kevolve
