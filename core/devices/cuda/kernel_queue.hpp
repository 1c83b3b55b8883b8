#pragma once
// KernelQueue: memory of one GPU and kernels of one program, as little of CUDA as the judge needs.
// DriverQueue (driver_queue.hpp) uses the CUDA driver. In tests SimtQueue runs the same kernels with the SIMT
// executor on plain memory, so that what is tested is what runs.
//
// One thread. Operations run in the order of the calls; a copy to the host waits for all earlier ones. An
// operation that cannot fail on a sound GPU ends the process when it fails.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/devices/cuda/kernels/judge_types.hpp"
#include "core/text/result.hpp"

namespace kevolve::cuda {

struct KernelArgument {
  const void* value = nullptr;
  std::size_t size_bytes = 0;
};

class KernelQueue {
 public:
  virtual ~KernelQueue() = default;

  /// Fails for want of memory. Aligned to 256 bytes.
  virtual Result<void*> allocate(std::size_t size_bytes) = 0;
  virtual void release(void* memory) = 0;
  virtual void copy(void* to, const void* from, std::size_t size_bytes) = 0;
  virtual void from_host(void* to, const void* from, std::size_t size_bytes) = 0;
  virtual void to_host(void* to, const void* from, std::size_t size_bytes) = 0;
  virtual void fill(void* to, std::uint8_t byte, std::size_t size_bytes) = 0;
  /// Blocks of kJudgeThreads threads along x.
  virtual void start(const char* kernel, std::uint32_t blocks, std::span<const KernelArgument> arguments) = 0;
  /// Waits for everything.
  virtual void finish() = 0;
  /// Runs `work`, waits, and gives how long it took: by the GPU's own clock where there is one.
  virtual double time_us(const std::function<void()>& work);

  /// The arguments' types are those of the kernel's parameters.
  template <class... T>
  void launch(const char* kernel, std::uint32_t blocks, const T&... values) {
    const std::array<KernelArgument, sizeof...(T)> arguments{KernelArgument{&values, sizeof values}...};
    start(kernel, blocks, arguments);
  }
};

/// Logs to stderr and ends the process: a judge whose own GPU context is broken must not continue.
[[noreturn]] void end_for_broken_gpu(const std::string& what);

}  // namespace kevolve::cuda
