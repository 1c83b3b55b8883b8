#pragma once
// One cpu device for all cases of this program (its header is compiled once) and candidates written in a few
// lines.

#include <cstring>
#include <string>
#include <string_view>

#include "core/devices/cpu/cpu_device.hpp"
#include "tests/catch.hpp"

namespace kevolve::test {

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The cache is kept from run to run, as it is in use.
inline cpu::CpuDeviceSettings settings(const std::string& cache = "cpu-cache") {
  cpu::CpuDeviceSettings result;
  result.cache_folder = std::string(KEVOLVE_BIN_DIR) + "/../tests/" + cache;
  result.runner = std::string(KEVOLVE_BIN_DIR) + "/kevolve-runner";
  result.torch = "2.0.0";
  result.threads = 2;
  return result;
}

inline devices::Device& device() {
  static const Result<std::unique_ptr<devices::Device>> opened = cpu::open_cpu_device(settings());
  INFO((opened ? std::string() : opened.error().message));
  REQUIRE(opened);
  return **opened;
}

/// Input x[elements], output y[elements], both f32, and one launch of kernel f over x and y.
struct Candidate {
  std::string source;
  LaunchPlan plan;

  explicit Candidate(std::string text, std::int64_t elements = 256, std::int64_t blocks = 2,
                     std::int64_t threads = 128)
      : source(std::move(text)) {
    plan.buffers = {{.name = "x", .role = BufferRole::input, .dtype = DType::f32, .elements = elements},
                    {.name = "y", .role = BufferRole::output, .dtype = DType::f32, .elements = elements}};
    plan.macros = {{"N", std::to_string(elements)}};
    PlannedLaunch launch;
    launch.kernel = "f";
    launch.grid = {blocks, 1, 1};
    launch.block = {threads, 1, 1};
    launch.arguments = {PlannedPointer{0}, PlannedPointer{1}};
    plan.launches = {launch};
  }
};

using Compiled = tl::expected<devices::Binary, Verdict>;

inline Compiled compile(const Candidate& candidate,
                        std::chrono::milliseconds deadline = std::chrono::seconds(120)) {
  auto result = device().compile(candidate.source, candidate.plan, deadline);
  INFO((result ? std::string() : result.error().message));
  REQUIRE(result);
  return *result;
}

inline devices::Binary compiled(const Candidate& candidate) {
  const auto result = compile(candidate);
  INFO((result ? std::string() : result.error().evidence));
  REQUIRE(result);
  return *result;
}

/// A started runner with one bound set; inputs hold 1, 2, 3, …, outputs NaN bits.
struct Running {
  std::vector<std::shared_ptr<devices::SharedBuffer>> buffers;
  std::unique_ptr<devices::Runner> runner;
  int set = -1;

  Running(const Candidate& candidate, const devices::Binary& binary,
          devices::Placement placement = devices::Placement::flush_right) {
    for (const PlannedBuffer& planned : candidate.plan.buffers) {
      auto buffer = device().allocate(static_cast<std::size_t>(planned.size_bytes()), placement,
                                      static_cast<std::size_t>(planned.alignment_bytes));
      REQUIRE(buffer);
      std::memset((*buffer)->data(), 0xff, (*buffer)->size_bytes());
      if (planned.role == BufferRole::input)
        for (std::int64_t i = 0; i < planned.elements; ++i)
          reinterpret_cast<float*>((*buffer)->data())[i] = static_cast<float>(i + 1);
      buffers.push_back(*buffer);
    }
    auto started = device().start_runner(binary, candidate.plan);
    INFO((started ? std::string() : started.error().message));
    REQUIRE(started);
    runner = std::move(*started);
    const auto bound = runner->bind(buffers);
    INFO((bound ? std::string() : bound.error().message));
    REQUIRE(bound);
    set = *bound;
  }
  explicit Running(const Candidate& candidate, devices::Placement placement = devices::Placement::flush_right)
      : Running(candidate, compiled(candidate), placement) {}

  Verdict run(const devices::RunOptions& options = {}) {
    const auto report = runner->run(set, options);
    INFO((report ? std::string() : report.error().message));
    REQUIRE(report);
    INFO(report->verdict.evidence);
    CHECK(report->verdict.gate == Gate::correctness);
    return report->verdict;
  }
  float* values(std::size_t buffer) { return reinterpret_cast<float*>(buffers[buffer]->data()); }
};

/// y = 2 x.
inline Candidate doubling() {
  return Candidate(
      "__global__ void f(const float* x, float* y) {\n  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
      "  y[i] = 2 * x[i];\n}\n");
}

}  // namespace kevolve::test
