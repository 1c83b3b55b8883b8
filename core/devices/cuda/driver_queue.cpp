#include "core/devices/cuda/driver_queue.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

namespace kevolve::cuda {
namespace {

CUdeviceptr address(const void* memory) {
  return reinterpret_cast<CUdeviceptr>(memory);
}

}  // namespace

void DriverQueue::must(CUresult result, const char* what) const {
  if (result == CUDA_SUCCESS) return;
  end_for_broken_gpu(fmt::format("doing=\"{}\" error=\"{}\"", what, driver_->words(result)));
}

Result<void*> DriverQueue::allocate(std::size_t size_bytes) {
  CUdeviceptr memory = 0;
  const auto done = driver_->check(driver_->cuMemAlloc_(&memory, size_bytes),
                                   fmt::format("allocating {} bytes", size_bytes));
  if (!done) return failure(done.error());
  return reinterpret_cast<void*>(memory);
}

void DriverQueue::release(void* memory) {
  const CUresult result = driver_->cuMemFree_(address(memory));
  if (result != CUDA_SUCCESS)
    std::fprintf(stderr, "event=gpu_memory_not_freed error=\"%s\"\n", driver_->words(result).c_str());
}

void DriverQueue::copy(void* to, const void* from, std::size_t size_bytes) {
  must(driver_->cuMemcpyDtoD_(address(to), address(from), size_bytes), "copying on the GPU");
}

void DriverQueue::from_host(void* to, const void* from, std::size_t size_bytes) {
  must(driver_->cuMemcpyHtoD_(address(to), from, size_bytes), "copying to the GPU");
}

void DriverQueue::to_host(void* to, const void* from, std::size_t size_bytes) {
  must(driver_->cuMemcpyDtoH_(to, address(from), size_bytes), "copying from the GPU");
}

void DriverQueue::fill(void* to, std::uint8_t byte, std::size_t size_bytes) {
  must(driver_->cuMemsetD8_(address(to), byte, size_bytes), "filling memory of the GPU");
}

void DriverQueue::start(const char* kernel, std::uint32_t blocks, std::span<const KernelArgument> arguments) {
  const CUfunction function = program_.kernel(kernel);
  if (function == nullptr)
    end_for_broken_gpu(fmt::format("doing=\"launching {}\" error=\"no such kernel\"", kernel));
  std::vector<void*> values;
  for (const KernelArgument& argument : arguments) values.push_back(const_cast<void*>(argument.value));
  CUlaunchConfig config{};
  config.gridDimX = blocks, config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = kJudgeThreads, config.blockDimY = config.blockDimZ = 1;
  must(driver_->cuLaunchKernelEx_(&config, function, values.data(), nullptr), kernel);
}

void DriverQueue::finish() {
  must(driver_->cuStreamSynchronize_(nullptr), "waiting for the GPU");
}

double DriverQueue::time_us(const std::function<void()>& work) {
  if (begin_ == nullptr) {
    must(driver_->cuEventCreate_(&begin_, CU_EVENT_DEFAULT), "making an event");
    must(driver_->cuEventCreate_(&end_, CU_EVENT_DEFAULT), "making an event");
  }
  must(driver_->cuEventRecord_(begin_, nullptr), "recording an event");
  work();
  must(driver_->cuEventRecord_(end_, nullptr), "recording an event");
  must(driver_->cuEventSynchronize_(end_), "waiting for an event");
  float milliseconds = 0;
  must(driver_->cuEventElapsedTime_(&milliseconds, begin_, end_), "reading events");
  return 1e3 * static_cast<double>(milliseconds);
}

}  // namespace kevolve::cuda
