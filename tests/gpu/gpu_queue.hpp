#pragma once
// GpuQueue: the judge's kernels, compiled by NVRTC and run on the machine's first GPU. A test that finds
// no GPU ends with code 4, which CTest reports as skipped.

#include <map>
#include <string>

#include "core/devices/cpu/simt/executor.hpp"
#include "core/devices/cuda/driver_queue.hpp"
#include "core/devices/cuda/judge_kernels.hpp"
#include "tests/integration/cuda/compiler.hpp"

namespace kevolve {

class GpuQueue : public cuda::DriverQueue {
 public:
  using cuda::DriverQueue::DriverQueue;
  simt::Order order = simt::Order::forward;  ///< the GPU has its own
  std::map<std::string, int> launches;       ///< by kernel

  void start(const char* kernel, std::uint32_t blocks,
             std::span<const cuda::KernelArgument> arguments) override {
    ++launches[kernel];
    cuda::DriverQueue::start(kernel, blocks, arguments);
  }
};

using TestQueue = GpuQueue;

/// The driver with the first GPU's primary context current.
inline const cuda::Driver& driver_of_first_gpu() {
  const auto& driver = cuda::Driver::load();
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

inline std::shared_ptr<TestQueue> make_queue() {
  const cuda::Driver& driver = driver_of_first_gpu();
  static Compiler compile("sm_90a");
  const auto binary = compile(cuda::judge_source(), cuda::judge_plan());
  REQUIRE(binary);
  auto program = cuda::Program::load(driver, binary->path);
  INFO((program ? std::string() : program.error().message));
  REQUIRE(program);
  return std::make_shared<GpuQueue>(driver, std::move(*program));
}

}  // namespace kevolve
