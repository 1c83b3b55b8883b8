#include "core/devices/cuda/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kevolve::cuda::runner {
namespace {

/// As kernels/runner.cu writes it.
struct ClockReading {
  std::uint64_t cycles = 0, nanoseconds = 0, sm = 0;
};

constexpr std::uint64_t kLeastFlushBytes = std::uint64_t{96} << 20;

CUresult launch(const Driver& driver, CUfunction kernel, CUstream stream, unsigned grid, unsigned block,
                unsigned shared, void** arguments) {
  CUlaunchConfig config{};
  config.gridDimX = grid, config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = block, config.blockDimY = config.blockDimZ = 1;
  config.sharedMemBytes = shared;
  config.hStream = stream;
  return driver.cuLaunchKernelEx_(&config, kernel, arguments, nullptr);
}

}  // namespace

Result<Context> Context::open(const std::string& gpu, const std::filesystem::path& own_kernels,
                              Stream stream) {
  const auto& driver = Driver::load();
  if (!driver) return failure(driver.error());
  Context context(*driver);
  const auto step = [&](CUresult result, std::string_view what) { return driver->check(result, what); };
  const auto device = driver->find(gpu);
  if (!device) return failure(device.error());
  context.device_ = *device;
  auto done = step(driver->cuDevicePrimaryCtxRetain_(&context.primary_, context.device_), "making a context");
  if (done) done = step(driver->cuCtxSetCurrent_(context.primary_), "entering the context");
  if (done && stream == Stream::own)
    done = step(driver->cuStreamCreate_(&context.stream_, CU_STREAM_NON_BLOCKING), "making a stream");
  if (done) done = step(driver->cuEventCreate_(&context.begin_, CU_EVENT_DEFAULT), "making an event");
  if (done) done = step(driver->cuEventCreate_(&context.end_, CU_EVENT_DEFAULT), "making an event");
  if (!done) return failure(done.error());
  auto own = Program::load(*driver, own_kernels);
  if (!own) return failure(own.error());
  context.own_.emplace(std::move(*own));
  // The flush also undoes the scrub's split of L1 and shared memory, which the next kernel would else
  // inherit.
  driver->cuFuncSetAttribute_(context.own_->kernel("flush_l2"),
                              CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 0);
  if (auto made = context.make_flush(); !made) return failure(made.error());
  return context;
}

int Context::attribute(CUdevice_attribute which) const {
  int value = 0;
  driver_->cuDeviceGetAttribute_(&value, which, device_);
  return value;
}

Result<void> Context::make_flush() {
  const auto l2 = static_cast<std::uint64_t>(attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE));
  flush_bytes_ = std::max(kLeastFlushBytes, 2 * l2);
  const std::string what = fmt::format("allocating {} bytes to flush caches with", flush_bytes_);
  if (auto done = driver_->check(driver_->cuMemAlloc_(&flush_, flush_bytes_), what); !done) return done;
  if (auto done = driver_->check(driver_->cuMemAlloc_(&sink_, 16), what); !done) return done;
  if (auto done = driver_->check(driver_->cuMemAlloc_(&clocks_, 2 * sizeof(ClockReading)), what); !done)
    return done;
  return driver_->check(driver_->cuMemsetD8_(flush_, 0, flush_bytes_), "clearing them");
}

CUresult Context::flush_l2() const {
  CUdeviceptr from = flush_, sink = sink_;
  unsigned long long vectors = flush_bytes_ / 16;
  std::array<void*, 3> arguments{&from, &vectors, &sink};
  const auto blocks = static_cast<unsigned>(8 * attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  return launch(*driver_, own_->kernel("flush_l2"), stream_, blocks, 256, 0, arguments.data());
}

CUresult Context::scrub_shared(std::uint32_t pattern) const {
  const int most = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  const CUfunction kernel = own_->kernel("scrub_shared");
  const CUresult allowed =
      driver_->cuFuncSetAttribute_(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most);
  if (allowed != CUDA_SUCCESS) return allowed;
  unsigned words = static_cast<unsigned>(most) / 4;
  std::array<void*, 2> arguments{&pattern, &words};
  const auto blocks = static_cast<unsigned>(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  return launch(*driver_, kernel, stream_, blocks, 1024, static_cast<unsigned>(most), arguments.data());
}

CUresult Context::delay(std::chrono::microseconds time) const {
  auto nanoseconds = static_cast<unsigned long long>(std::chrono::nanoseconds(time).count());
  std::array<void*, 1> arguments{&nanoseconds};
  return launch(*driver_, own_->kernel("delay"), stream_, 1, 1, 0, arguments.data());
}

CUresult Context::read_clock(int mark) const {
  CUdeviceptr to = clocks_ + static_cast<CUdeviceptr>(mark) * sizeof(ClockReading);
  std::array<void*, 1> arguments{&to};
  return launch(*driver_, own_->kernel("read_clock"), stream_, 1, 1, 0, arguments.data());
}

CUresult Context::mark_begin(bool clock) const {
  const CUresult read = clock ? read_clock(0) : CUDA_SUCCESS;
  return read != CUDA_SUCCESS ? read : driver_->cuEventRecord_(begin_, stream_);
}

CUresult Context::mark_end(bool clock) const {
  const CUresult marked = driver_->cuEventRecord_(end_, stream_);
  return marked != CUDA_SUCCESS || !clock ? marked : read_clock(1);
}

double Context::sm_mhz() const {
  std::array<ClockReading, 2> read{};
  if (driver_->cuMemcpyDtoH_(read.data(), clocks_, sizeof read) != CUDA_SUCCESS) return 0;
  if (read[0].sm != read[1].sm || read[1].nanoseconds <= read[0].nanoseconds) return 0;
  return 1e3 * static_cast<double>(read[1].cycles - read[0].cycles) /
         static_cast<double>(read[1].nanoseconds - read[0].nanoseconds);
}

double Context::elapsed_us() const {
  float milliseconds = 0;
  driver_->cuEventElapsedTime_(&milliseconds, begin_, end_);
  return 1e3 * static_cast<double>(milliseconds);
}

}  // namespace kevolve::cuda::runner
