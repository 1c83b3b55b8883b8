#include "core/devices/cuda/architecture.hpp"

#include "core/devices/cuda/compile_device.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;

TEST_CASE("an architecture is sm_, its number, and perhaps a letter") {
  CHECK(compute_capability("sm_90a") == 90);
  CHECK(compute_capability("sm_80") == 80);
  CHECK(compute_capability("sm_100f") == 100);
  for (const char* wrong :
       {"", "sm_", "sm_9", "sm_90b", "sm_9a0", "sm_1000", "compute_90", "sm_-90", "sm_90 "})
    CHECK_FALSE(compute_capability(wrong));
}

TEST_CASE("compile-only devices are told from others by name") {
  CHECK(compile_architecture("cuda:sm_90a") == "sm_90a");
  for (const char* other : {"cuda:0", "cpu", "cuda", "cuda:", "sm_90a", "cuda:sm_"})
    CHECK_FALSE(compile_architecture(other));
}

TEST_CASE("plans see the SMs and the shared memory of the architecture") {
  CHECK(limits_of(90).num_sms == 132);
  CHECK(limits_of(90).max_shared_bytes == 227 * 1024);
  CHECK(limits_of(80).max_shared_bytes == 163 * 1024);
}

}  // namespace kevolve
