#include "core/devices/cpu/facts.hpp"

#include "core/devices/cpu/compiler.hpp"
#include "core/devices/cpu/peaks.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace cpu;
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("facts name vectors, caches, flags and what was measured") {
  const std::vector<Cache> caches = {{1, 32 << 10}, {2, 1 << 20}, {3, 32 << 20}};
  const auto facts = cpu_facts(512, caches, "-O3", 2, {60'400, 236'000});
  REQUIRE(facts.size() == 5);
  CHECK(facts[0] == "AVX-512: 32 vector registers of 16 floats.");
  CHECK(facts[1] == "Data caches: 32 KiB of L1, 1 MiB of L2, 32 MiB of L3.");
  CHECK(facts[2] == "g++ is called with -O3.");
  CHECK_THAT(facts[3], ContainsSubstring("2 threads together, measured: 60 GB/s"));
  CHECK_THAT(facts[4], ContainsSubstring("236 GFLOP/s in fp32 fused multiply-adds"));
}

TEST_CASE("what is not known is left out") {
  CHECK(cpu_facts(256, {}, "-O3", 1, {}) ==
        std::vector<std::string>{"AVX2: 16 vector registers of 8 floats.", "g++ is called with -O3."});
}

TEST_CASE("the flags that decide about arithmetic are told") {
  const std::string flags = arithmetic_flags();
  for (const char* flag :
       {"-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"})
    CHECK_THAT(flags, ContainsSubstring(flag));
  CHECK(flags.find("-fPIC") == std::string::npos);
}

TEST_CASE("this machine's peaks and caches are plausible") {
  const double copy = cold_copy_bytes_per_us(1), flops = fma_flops_per_us(1);
  INFO(copy << " bytes/us, " << flops << " operations/us");
  CHECK(copy > 100);
  CHECK(copy < 1e6);
  CHECK((flops == 0 || flops > 1000));
  CHECK(flops < 1e6);
  for (const Cache& cache : data_caches()) {
    CHECK(cache.level >= 1);
    CHECK(cache.size_bytes >= 4096);
  }
}

}  // namespace
}  // namespace kevolve
