// Runs that pass, runs that end otherwise than by a fault, and what happens to runners.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "tests/integration/cpu_device/fixture.hpp"

namespace kevolve::test {
using namespace cpu;
using namespace devices;
namespace {

TEST_CASE("a correct kernel computes, repeatedly, over several sets and under every order") {
  Running running(doubling());
  for (const ThreadOrder order : {ThreadOrder::forward, ThreadOrder::reverse, ThreadOrder::shuffled}) {
    std::memset(running.values(1), 0xff, 256 * sizeof(float));
    REQUIRE(running.run({.order = order, .order_seed = 7}).passed());
    for (int i = 0; i < 256; ++i) REQUIRE(running.values(1)[i] == 2.0F * static_cast<float>(i + 1));
    CHECK(running.buffers[1]->canaries_intact());
  }
  auto x = device().allocate(1024, Placement::flush_left, 16),
       y = device().allocate(1024, Placement::flush_left, 16);
  REQUIRE((x && y));
  std::fill_n(reinterpret_cast<float*>((*x)->data()), 256, 21.0F);
  const auto second = running.runner->bind({*x, *y});
  REQUIRE(second);
  const auto report = running.runner->run(*second, {});
  REQUIRE(report);
  REQUIRE(report->verdict.passed());
  CHECK(report->wall_us > 0);
  CHECK(reinterpret_cast<float*>((*y)->data())[255] == 42.0F);
}

TEST_CASE("launches run in order, prepare apart, with scratch, fills, scalars and shared memory") {
  Candidate candidate(
      "__global__ void pack(const float* x, float* packed) { for (int i = 0; i < N; ++i) packed[i] = -x[i]; "
      "}\n"
      "namespace ns { template <int BLOCK> __global__ void sum(const float* packed, float* total, double "
      "scale, int shift) {\n"
      "  extern __shared__ float part[];\n"
      "  part[threadIdx.x] = packed[threadIdx.x];\n"
      "  for (int s = BLOCK / 2; s > 0; s /= 2) { __syncthreads(); if (threadIdx.x < s) part[threadIdx.x] += "
      "part[threadIdx.x + s]; }\n"
      "  if (threadIdx.x == 0) atomicAdd(total, part[0] * (float)scale + shift);\n} }\n"
      "__global__ void spread(const float* total, float* y, long long n) { for (int i = 0; i < n; ++i) y[i] "
      "+= total[0]; }\n");
  candidate.plan.buffers[1].fill = Fill::zero;
  candidate.plan.buffers.push_back({.name = "packed",
                                    .role = BufferRole::scratch,
                                    .dtype = DType::f32,
                                    .elements = 256,
                                    .fill = Fill::zero,
                                    .alignment_bytes = 256});
  candidate.plan.buffers.push_back(
      {.name = "total", .role = BufferRole::scratch, .dtype = DType::f32, .elements = 1, .fill = Fill::zero});
  PlannedLaunch pack, sum, spread;
  pack.kernel = "pack";
  pack.arguments = {PlannedPointer{0}, PlannedPointer{2}};
  sum.kernel = "ns::sum<256>";
  sum.block = {256, 1, 1};
  sum.shared_bytes = 1024;
  sum.arguments = {PlannedPointer{2}, PlannedPointer{3}, PlannedReal{DType::f64, 2.0},
                   PlannedInteger{DType::i32, 5}};
  spread.kernel = "spread";
  spread.arguments = {PlannedPointer{3}, PlannedPointer{1}, PlannedInteger{DType::i64, 256}};
  candidate.plan.prepare = {pack};
  candidate.plan.launches = {sum, spread};
  Running running(candidate);
  REQUIRE(running.run({.prepare = true}).passed());
  for (int repeat = 0; repeat < 2; ++repeat) {
    REQUIRE(running.run().passed());
    CHECK(running.values(1)[255] == -2.0F * (256 * 257 / 2) + 5);
  }
}

TEST_CASE("an endless loop meets the deadline, and the next runner works") {
  {
    Running running(Candidate(
        "__global__ void f(const float* x, float* y) { volatile int go = 1; while (go) {} y[0] = x[0]; }"));
    const Verdict verdict = running.run({.deadline = std::chrono::milliseconds(300)});
    CHECK(verdict.outcome == Outcome::timeout);
    CHECK(contains(verdict.evidence, "had not finished after 300 ms"));
    const auto again = running.runner->run(running.set, {});
    REQUIRE_FALSE(again);
    CHECK(contains(again.error().message, "start a fresh one"));
  }
  Running next(doubling());
  CHECK(next.run().passed());
}

TEST_CASE("threads that wait for each other at different barriers are a deadlock") {
  Running running(
      Candidate("__global__ void f(const float* x, float* y) {\n"
                "  if (threadIdx.x == 0) __syncthreads(); else if (threadIdx.x < 32) __syncwarp();\n"
                "  y[threadIdx.x] = x[0]; }"));
  const Verdict verdict = running.run({.deadline = std::chrono::seconds(20)});
  INFO(verdict.evidence);
  CHECK(verdict.outcome == Outcome::deadlock);
  CHECK(contains(verdict.evidence, "launches[0] (kernel 'f')"));
}

TEST_CASE("a wrong number of arguments is a launch error that names the kernel") {
  Candidate candidate = doubling();
  candidate.plan.launches[0].arguments.emplace_back(PlannedInteger{DType::i32, 1});
  Running running(candidate);
  const Verdict verdict = running.run();
  CHECK(verdict.outcome == Outcome::launch_error);
  CHECK(contains(verdict.evidence, "launches[0] (kernel 'f')"));
}

TEST_CASE("canaries tell of a write into the slack beside the data") {
  Candidate candidate("__global__ void f(const float* x, float* y) { if (threadIdx.x == 0) y[N] = x[0]; }",
                      255, 1, 32);
  Running running(candidate, Placement::flush_left);
  CHECK(running.run().passed());
  CHECK_FALSE(running.buffers[1]->canaries_intact());
  CHECK(running.buffers[0]->canaries_intact());
}

/// Child processes of this one, and theirs.
std::vector<int> descendants(int pid) {
  std::vector<int> result;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream children(task.path() / "children");
    for (int child; children >> child;) {
      result.push_back(child);
      for (const int below : descendants(child)) result.push_back(below);
    }
  }
  return result;
}

TEST_CASE("a runner killed from outside between runs is an operational error, and the next one works") {
  {
    Running running(doubling());
    REQUIRE(running.run().passed());
    const auto processes = descendants(::getpid());
    REQUIRE_FALSE(processes.empty());
    ::kill(processes.back(), SIGKILL);
    const auto report = running.runner->run(running.set, {});
    REQUIRE_FALSE(report);
    INFO(report.error().message);
    CHECK(contains(report.error().message, "signal 9"));
    CHECK(contains(report.error().message, "start a fresh one"));
  }
  CHECK(descendants(::getpid()).empty());
  Running next(doubling());
  CHECK(next.run().passed());
}

TEST_CASE("wrong use of a runner is told, not obeyed") {
  Running running(doubling());
  CHECK_FALSE(running.runner->run(3, {}));
  CHECK_FALSE(running.runner->bind({}));
  auto small = device().allocate(16, Placement::flush_left, 16);
  REQUIRE(small);
  const auto wrong = running.runner->bind({*small, *small});
  REQUIRE_FALSE(wrong);
  CHECK(contains(wrong.error().message, "buffer 'x' has 16 bytes, the plan says 1024"));
  CHECK(running.run().passed());
}

TEST_CASE("the device says what it is") {
  const DeviceInfo& info = device().info();
  CHECK(info.name == "cpu");
  CHECK(contains(info.model, ", 2 threads"));
  CHECK(contains(info.toolchain, "g++ "));
  CHECK(info.num_sms == 2);
  CHECK(device().can_run());
  CHECK(device().timing_mode() == "cold");
  CHECK(info.facts.size() >= 4);
  CHECK(info.memory_bytes_per_us > 0);
  // The limit must be what nothing gets below: exact answers may be of bytes, and clocks may rise.
  CHECK(device().flops_per_us(PrecisionClass::strict_fp32) > 0);
  CHECK(device().flops_per_us(PrecisionClass::exact) == 0);
  device().flush_caches();
}

TEST_CASE("a device that is not to measure says so by leaving rates and limits out") {
  CpuDeviceSettings quick = settings();
  quick.measure = false;
  const auto own = open_cpu_device(quick);
  REQUIRE(own);
  CHECK((*own)->info().memory_bytes_per_us == 0);
  CHECK((*own)->flops_per_us(PrecisionClass::strict_fp32) == 0);
  CHECK((*own)->info().key() == device().info().key());
}

TEST_CASE("there are no counters, in so many words") {
  const Candidate candidate = doubling();
  const auto profiler = device().start_profiler(compiled(candidate), candidate.plan);
  REQUIRE_FALSE(profiler);
  CHECK(profiler.error().message == "this device has no hardware counters");
}

}  // namespace
}  // namespace kevolve::test
