// Figures of the device, printed and not judged: `cpu_device_test "[figures]"`.

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "tests/integration/cpu_device/fixture.hpp"

namespace kevolve::test {
using namespace cpu;
using namespace devices;
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

TEST_CASE("compile times, runner start and round trip", "[.figures]") {
  const CpuDeviceSettings fresh = settings("cpu-cache-figures");
  std::filesystem::remove_all(fresh.cache_folder);
  auto own = open_cpu_device(fresh);
  REQUIRE(own);
  const Candidate candidate = doubling();
  for (const char* state : {"header and candidate", "candidate", "cached"}) {
    Candidate next = candidate;
    if (state == std::string("header and candidate")) next.source += "// another text\n";
    const auto begin = Clock::now();
    REQUIRE((*own)->compile(next.source, next.plan, std::chrono::seconds(120)).value().has_value());
    std::printf("compile, %s: %.1f ms\n", state, milliseconds_since(begin));
  }
  const Binary binary = compiled(candidate);
  auto begin = Clock::now();
  Running running(candidate, binary);
  std::printf("runner start and bind: %.1f ms\n", milliseconds_since(begin));
  std::vector<double> wall_us;
  for (int i = 0; i < 2000; ++i) wall_us.push_back(running.runner->run(running.set, {}).value().wall_us);
  std::sort(wall_us.begin(), wall_us.end());
  std::printf("round trip of a run over 256 elements: median %.1f us, 5 %% %.1f us, 95 %% %.1f us\n",
              wall_us[1000], wall_us[100], wall_us[1900]);
  begin = Clock::now();
  device().flush_caches();
  std::printf("flush_caches: %.1f ms\n", milliseconds_since(begin));
  std::filesystem::remove_all(fresh.cache_folder);
}

}  // namespace
}  // namespace kevolve::test
