#pragma once
// DriverQueue: a KernelQueue by the CUDA driver, on the context that is current in its thread, in the default
// stream, which LibTorch's work is ordered with.
//
// Owns the loaded program. One thread, the one whose context was current at its creation.

#include "core/devices/cuda/driver.hpp"
#include "core/devices/cuda/kernel_queue.hpp"
#include "core/devices/cuda/program.hpp"

namespace kevolve::cuda {

class DriverQueue : public KernelQueue {
 public:
  /// `program`: of judge_source() and judge_plan() (judge_kernels.hpp).
  DriverQueue(const Driver& driver, Program program) : driver_(&driver), program_(std::move(program)) {}

  Result<void*> allocate(std::size_t size_bytes) override;
  void release(void* memory) override;
  void copy(void* to, const void* from, std::size_t size_bytes) override;
  void from_host(void* to, const void* from, std::size_t size_bytes) override;
  void to_host(void* to, const void* from, std::size_t size_bytes) override;
  void fill(void* to, std::uint8_t byte, std::size_t size_bytes) override;
  void start(const char* kernel, std::uint32_t blocks, std::span<const KernelArgument> arguments) override;
  void finish() override;
  double time_us(const std::function<void()>& work) override;

 private:
  void must(CUresult result, const char* what) const;

  const Driver* driver_;
  Program program_;
  CUevent begin_ = nullptr, end_ = nullptr;
};

}  // namespace kevolve::cuda
