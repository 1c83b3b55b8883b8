#pragma once
// GpuLauncher: the judge's kernels, compiled by NVRTC and run on the machine's first GPU. A test that finds
// no GPU ends with code 4, which CTest reports as skipped.

#include <map>
#include <string>

#include "core/devices/cpu/simt/executor.hpp"
#include "core/devices/cuda/driver_launcher.hpp"
#include "core/devices/cuda/judge_kernels.hpp"
#include "tests/integration/cuda/compiler.hpp"

namespace kevolve {

class GpuLauncher : public DriverLauncher {
 public:
  using DriverLauncher::DriverLauncher;
  simt::Order order = simt::Order::forward;  ///< the GPU has its own
  std::map<std::string, int> launches;       ///< by kernel

  void start(const char* kernel, std::uint32_t blocks, std::span<const KernelArgument> arguments) override {
    ++launches[kernel];
    DriverLauncher::start(kernel, blocks, arguments);
  }
};

using TestLauncher = GpuLauncher;

/// The driver with the first GPU's primary context current.
inline const Driver& driver_of_first_gpu() {
  const auto& driver = Driver::load();
  if (!driver) {
    std::fprintf(stderr, "SKIPPED: %s\n", driver.error().message.c_str());
    std::_Exit(4);
  }
  static const CUcontext context = [&] {
    CUdevice device = 0;
    CUcontext retained = nullptr;
    REQUIRE(driver->check(driver->cuDeviceGet_(&device, 0), "finding the first GPU"));
    REQUIRE(driver->check(driver->cuDevicePrimaryCtxRetain_(&retained, device), "retaining its context"));
    return retained;
  }();
  REQUIRE(driver->check(driver->cuCtxSetCurrent_(context), "making its context current"));
  return *driver;
}

inline std::shared_ptr<TestLauncher> make_launcher() {
  const Driver& driver = driver_of_first_gpu();
  static Compiler compile("sm_90a");
  const auto binary = compile(judge_source(), judge_plan());
  REQUIRE(binary);
  auto program = Program::load(driver, binary->path);
  INFO((program ? std::string() : program.error().message));
  REQUIRE(program);
  return std::make_shared<GpuLauncher>(driver, std::move(*program));
}

}  // namespace kevolve
