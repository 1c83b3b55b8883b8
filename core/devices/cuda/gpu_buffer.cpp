#include "core/devices/cuda/gpu_buffer.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/process/stopwatch.hpp"

namespace kevolve::cuda {

void end_for_broken_gpu(const std::string& what) {
  std::fprintf(stderr, "event=gpu_broken %s\n", what.c_str());
  std::fflush(stderr);
  std::_Exit(70);  // EX_SOFTWARE; no destructor may touch the GPU any more
}

double KernelQueue::time_us(const std::function<void()>& work) {
  const process::Stopwatch watch;
  work();
  finish();
  return 1e6 * watch.seconds();
}

Result<std::shared_ptr<std::byte>> allocate_on(const std::shared_ptr<KernelQueue>& queue,
                                               std::size_t size_bytes) {
  const auto memory = queue->allocate(std::max<std::size_t>(size_bytes, 1));
  if (!memory) return failure(memory.error());
  return std::shared_ptr<std::byte>(static_cast<std::byte*>(*memory),
                                    [queue](std::byte* at) { queue->release(at); });
}

std::byte* GpuBuffer::at_least(std::size_t size_bytes) {
  if (memory_ && size_bytes <= size_bytes_) return memory_.get();
  memory_.reset();
  const std::size_t wanted = std::max<std::size_t>(size_bytes, 4096);
  auto memory = allocate_on(queue_, wanted);
  if (!memory) end_for_broken_gpu(memory.error().message);
  memory_ = std::move(*memory);
  size_bytes_ = wanted;
  return memory_.get();
}

}  // namespace kevolve::cuda
