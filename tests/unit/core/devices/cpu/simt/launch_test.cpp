// Launches: arguments and shapes that are refused, traps and asserts, repeated use of an executor.

#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

using namespace kevolve::simt;

namespace {

const KernelLibrary& launch_kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_MEMORY_KERNELS);
  return library;
}

bool refused(const LaunchStatus& status, const std::string& why) {
  CAPTURE(status.text);
  CHECK(status.text.find(why) != std::string::npos);
  return status.kind == LaunchStatus::Kind::launch_error;
}

struct Three {
  float a, b, c;
};

}  // namespace

TEST_CASE("parameters of every size and kind arrive") {
  Executor executor(1);
  float y = 0;
  float* out = &y;
  REQUIRE(launch_kernels()
              .launch(executor, "parameters", linear(1, 1), static_cast<char>(-3), Three{1, 2, 3}, 1LL << 4,
                      0.5, true, static_cast<unsigned short>(7), out)
              .text == "");
  CHECK(y == -3 + 14 + 16 + 0.5f + 1000 + 7 + 20);
}

TEST_CASE("arguments that do not fit the parameters are refused in words") {
  Executor executor(1);
  float* out = nullptr;
  const int i = 1;
  const float f = 1;
  CHECK(refused(launch_kernels().launch(executor, "past_buffer", linear(1, 1), out),
                "takes 2 parameters, but the launch passes 1"));
  CHECK(refused(launch_kernels().launch(executor, "past_buffer", linear(1, 1), out, 1LL),
                "parameter 2 is an integer of 4 bytes, but the launch passes an integer of 8 bytes"));
  CHECK(refused(launch_kernels().launch(executor, "past_buffer", linear(1, 1), out, f),
                "passes a floating-point number of 4 bytes"));
  CHECK(refused(launch_kernels().launch(executor, "past_buffer", linear(1, 1), i, i),
                "parameter 1 is a pointer of 8 bytes"));
}

TEST_CASE("shapes beyond the limits are refused") {
  Executor executor(1);
  const int thread = -1;
  const auto launch = [&](std::array<std::int64_t, 3> grid, std::array<std::int64_t, 3> block,
                          std::int64_t shared) {
    LaunchConfig config;
    config.grid = grid;
    config.block = block;
    config.dynamic_shared_bytes = shared;
    return launch_kernels().launch(executor, "assert_at", config, thread);
  };
  CHECK(refused(launch({0, 1, 1}, {1, 1, 1}, 0), "grid.x is 0"));
  CHECK(refused(launch({1, 65536, 1}, {1, 1, 1}, 0), "grid.y is 65536; expected 1 to 65535"));
  CHECK(refused(launch({1, 1, 1}, {1, 1, 65}, 0), "block.z is 65"));
  CHECK(refused(launch({1, 1, 1}, {64, 32, 1}, 0), "a block of 2048 threads"));
  CHECK(refused(launch({1, 1, 1}, {1, 1, 1}, 227 * 1024 + 1), "dynamic shared memory"));
  CHECK(launch({2, 65535, 1}, {1, 1, 1}, 0).ok());
  CHECK(launch({1, 1, 1}, {1, 1, 1}, 227 * 1024).ok());
  CHECK(refused(executor.launch(nullptr, {}), "null"));
}

TEST_CASE("__trap names block and thread, and stops the launch") {
  Executor executor(2);
  for (const int block : {0, 5}) {
    const int thread = 33;
    const LaunchStatus status = launch_kernels().launch(executor, "trap_at", linear(40, 64), block, thread);
    CHECK(status.kind == LaunchStatus::Kind::trap);
    CHECK(status.place.block == std::array<std::uint32_t, 3>{static_cast<std::uint32_t>(block), 0, 0});
    CHECK(status.place.thread == std::array<std::uint32_t, 3>{33, 0, 0});
    CHECK(status.text.find("__trap()") != std::string::npos);
  }
  const int never = -1;
  CHECK(launch_kernels().launch(executor, "trap_at", linear(40, 64), never, never).ok());
}

TEST_CASE("a failed assert names the expression and its line") {
  Executor executor(1);
  const int thread = 3;
  const LaunchStatus status = launch_kernels().launch(executor, "assert_at", linear(1, 8), thread);
  CHECK(status.kind == LaunchStatus::Kind::assertion);
  CHECK(status.text.find("threadIdx.x != thread") != std::string::npos);
  CHECK(status.text.find("thread (3, 0, 0)") != std::string::npos);
}

TEST_CASE("many launches from one executor") {
  Executor executor(4);
  CHECK(executor.threads() == 4);
  std::vector<float> y(64);
  float* out = y.data();
  const int n = 64;
  for (int i = 0; i < 300; ++i)
    REQUIRE(launch_kernels().launch(executor, "dynamic_forms", linear(1 + i % 7, 64, 512), out, n).ok());
}
