// Sources that compile: what is reported of them, and what the cache does.

#include "core/devices/cuda/manifest.hpp"
#include "tests/integration/cuda/compiler.hpp"

namespace kevolve {
using namespace cuda;
using namespace devices;
namespace {

constexpr const char* kRows = R"(
template <int N> __global__ void rows(float* y) {
  __shared__ float staged[N * 32];
  staged[threadIdx.x] = y[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = staged[threadIdx.x ^ 1] * SCALE;
}
namespace ns { __global__ void add(float* y) { y[blockIdx.x] += SCALE; } }
extern "C" __global__ void unused(float* y) { y[0] = 0; }
)";

LaunchPlan plan_of(const std::vector<std::string>& kernels, const std::string& scale) {
  LaunchPlan plan;
  for (const auto& kernel : kernels) {
    plan.launches.emplace_back();
    plan.launches.back().kernel = kernel;
  }
  plan.macros = {{"SCALE", scale}};
  return plan;
}

}  // namespace

TEST_CASE("template instances and members of namespaces compile, with their resources") {
  Compiler compile;
  const auto binary = compile(kRows, plan_of({"rows<4>", "ns::add", "rows<8>"}, "2.0f"));
  INFO((binary ? std::string() : binary.error().evidence));
  REQUIRE(binary);
  auto resources = binary->report.resources;
  CHECK(resources.at("rows<4>.shared_bytes") == 4 * 32 * 4);
  CHECK(resources.at("rows<8>.shared_bytes") == 8 * 32 * 4);
  CHECK(resources.at("ns::add.registers") > 0);
  CHECK(resources.at("ns::add.spill_bytes") == 0);
  CHECK(contains(binary->report.log, "Kernel 'unused' is compiled, but no launch names it."));
  CHECK_FALSE(binary->report.cached);
  const auto json = read_json_file(binary->path);
  REQUIRE(json);
  const auto manifest = manifest_from_json(*json);
  REQUIRE(manifest);
  CHECK(manifest->kernels.at(0).symbol == "_Z4rowsILi4EEvPf");
}

TEST_CASE("the same compilation is answered from the cache, another is not") {
  Compiler compile;
  const auto first = compile(kRows, plan_of({"ns::add"}, "2.0f"));
  const auto again = compile(kRows, plan_of({"ns::add"}, "2.0f"));
  const auto other = compile(kRows, plan_of({"ns::add"}, "3.0f"));
  REQUIRE((first && again && other));
  CHECK(again->report.cached);
  CHECK(again->path == first->path);
  CHECK(again->report.resources == first->report.resources);
  CHECK_FALSE(other->report.cached);
  CHECK(other->report.binary_hash != first->report.binary_hash);
}

TEST_CASE("macros that change nothing leave the binary's hash alone") {
  Compiler compile;
  auto plan = plan_of({"ns::add"}, "2.0f");
  const auto first = compile(kRows, plan);
  plan.macros.emplace_back("TILE", "32");
  const auto same = compile(kRows, plan);
  REQUIRE((first && same));
  CHECK_FALSE(same->report.cached);
  CHECK(same->report.binary_hash == first->report.binary_hash);
}

TEST_CASE("register limits hold for their own launches") {
  Compiler compile;
  constexpr const char* kSource =
      "template <int N> __global__ void k(float* y, int n) {\n"
      "  float sums[64] = {};\n"
      "  for (int row = 0; row < n; ++row)\n"
      "    for (int i = 0; i < 64; ++i) sums[i] += y[row * 64 + i] * y[row + N];\n"
      "  for (int i = 0; i < 64; ++i) y[i] = sums[i];\n"
      "}\n";
  auto plan = plan_of({"k<1>", "k<2>"}, "1");
  plan.launches[1].max_registers = 32;
  const auto binary = compile(kSource, plan);
  REQUIRE(binary);
  CHECK(binary->report.resources.at("k<1>.registers") > 32);
  CHECK(binary->report.resources.at("k<2>.registers") <= 32);
}

TEST_CASE("what nvcc offers without an include, and the usual headers, are there") {
  Compiler compile;
  const auto binary = compile(R"(
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cstdint>
#include <cmath>
#include <cfloat>
#include <limits>
#include <algorithm>
#include <utility>
#include <assert.h>
__global__ void k(float* y, const std::uint32_t* x) {
  assert(y != nullptr);
  constexpr float lowest = -INFINITY;
  float best = std::max(lowest, -FLT_MAX);
  best = std::fmax(best, std::numeric_limits<float>::lowest()) + static_cast<float>(M_PI) + INT_MAX;
  uint64_t wide = x[0];
  float a = 1, b = __half2float(__float2half(std::sqrt(best)));
  std::swap(a, b);
  y[0] = sinf(a) + sin(1e9 * a) + b + wide;
})");
  INFO((binary ? std::string() : binary.error().evidence));
  CHECK(binary);
}

TEST_CASE("tensor cores compile where the architecture has them") {
  constexpr const char* kSource = R"(
#include <mma.h>
__global__ void k(const __half* a, float* c) {
  using namespace nvcuda::wmma;
  fragment<matrix_a, 16, 16, 16, __half, row_major> x;
  fragment<matrix_b, 16, 16, 16, __half, col_major> y;
  fragment<accumulator, 16, 16, 16, float> sum;
  fill_fragment(sum, 0.0f);
  load_matrix_sync(x, a, 16);
  load_matrix_sync(y, a, 16);
  mma_sync(sum, x, y, sum);
  store_matrix_sync(c, sum, 16, mem_row_major);
})";
  Compiler hopper("sm_90a"), ampere("sm_80");
  CHECK(hopper(kSource));
  CHECK(ampere(kSource));
}

TEST_CASE("a device that compiles only says so") {
  Compiler compile;
  CHECK_FALSE(compile->can_run());
  CHECK(compile->info().name == "cuda:sm_90a");
  CHECK(contains(compile->info().toolchain, "NVRTC 1"));
  CHECK(compile->limits().num_sms == 132);
  CHECK(contains(compile->allocate(16, Placement::flush_left, 16).error().message, "no GPU"));
}

TEST_CASE("an architecture that NVRTC does not know is refused with those that it knows") {
  Compiler compile;
  const auto device = open_cuda_compile_device("sm_13", {KEVOLVE_BIN_DIR, "/tmp"});
  REQUIRE_FALSE(device);
  CHECK(contains(device.error().message, "does not know sm_13; it knows sm_"));
  CHECK_FALSE(open_cuda_compile_device("compute_90", {KEVOLVE_BIN_DIR, "/tmp"}));
}

}  // namespace kevolve
