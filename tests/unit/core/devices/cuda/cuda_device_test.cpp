#include "core/devices/cuda/cuda_device.hpp"
#include "core/devices/cuda/driver.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;

using Catch::Matchers::ContainsSubstring;

TEST_CASE("a GPU's name is cuda and its number") {
  CHECK(gpu_ordinal("cuda") == 0);
  CHECK(gpu_ordinal("cuda:0") == 0);
  CHECK(gpu_ordinal("cuda:11") == 11);
  for (const char* other : {"cpu", "cuda:", "cuda:sm_90a", "cuda:-1", "cuda:1x", "cudas"})
    CHECK_FALSE(gpu_ordinal(other));
}

TEST_CASE("without a driver the error says what to do, and there are no GPUs") {
  if (Driver::load()) {
    WARN("there is a GPU here");
    return;
  }
  const auto device = open_cuda_device(0, {});
  REQUIRE_FALSE(device);
  CHECK_THAT(device.error().message, ContainsSubstring("device cuda:0"));
  CHECK_THAT(device.error().message, ContainsSubstring("driver"));
  CHECK(gpu_count() == 0);
}

}  // namespace kevolve
