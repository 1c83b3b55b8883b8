#pragma once
// A compile-only device over a cache of its own, for tests. A test that finds no NVRTC ends with code 4,
// which CTest reports as skipped.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/devices/cuda/compile_device.hpp"
#include "core/devices/cuda/toolkit.hpp"
#include "tests/catch.hpp"

namespace kevolve {

class Compiler {
 public:
  explicit Compiler(const std::string& architecture = "sm_90a") {
    if (const auto toolkit = cuda::find_toolkit(KEVOLVE_BIN_DIR); !toolkit) {
      std::fprintf(stderr, "SKIPPED: %s\n", toolkit.error().message.c_str());
      std::_Exit(4);
    }
    char name[] = "/tmp/kevolve_cuda_test_XXXXXX";
    folder_ = ::mkdtemp(name);
    auto device = cuda::open_cuda_compile_device(architecture, {KEVOLVE_BIN_DIR, folder_});
    INFO((device ? std::string() : device.error().message));
    REQUIRE(device);
    device_ = std::move(*device);
  }
  ~Compiler() { std::filesystem::remove_all(folder_); }
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  devices::Device& operator*() { return *device_; }
  devices::Device* operator->() { return device_.get(); }

  /// Compiles a source whose launches name `kernels`; an operational error fails the test.
  tl::expected<devices::Binary, Verdict> operator()(
      const std::string& source, const std::vector<std::string>& kernels = {"k"},
      std::chrono::milliseconds deadline = std::chrono::minutes(2)) {
    LaunchPlan plan;
    for (const auto& kernel : kernels) {
      plan.launches.emplace_back();
      plan.launches.back().kernel = kernel;
    }
    return (*this)(source, plan, deadline);
  }
  tl::expected<devices::Binary, Verdict> operator()(
      const std::string& source, const LaunchPlan& plan,
      std::chrono::milliseconds deadline = std::chrono::minutes(2)) {
    auto compiled = device_->compile(source, plan, deadline);
    INFO((compiled ? std::string() : compiled.error().message));
    REQUIRE(compiled);
    return std::move(*compiled);
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<devices::Device> device_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace kevolve
