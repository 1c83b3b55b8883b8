#pragma once
// GpuBuffer: room on the GPU for what kernels are given and give back; it grows, and is used again and again.
// Owns its memory. One thread.

#include <memory>
#include <vector>

#include "core/devices/cuda/kernel_queue.hpp"

namespace kevolve::cuda {

/// Memory of the queue, released with the last reference, which keeps the queue too.
Result<std::shared_ptr<std::byte>> allocate_on(const std::shared_ptr<KernelQueue>& queue,
                                               std::size_t size_bytes);

class GpuBuffer {
 public:
  explicit GpuBuffer(std::shared_ptr<KernelQueue> queue) : queue_(std::move(queue)) {}

  /// Room for `count`; what was there is lost. Ends the process when there is no memory.
  template <class T>
  T* room(std::size_t count) {
    return reinterpret_cast<T*>(at_least(count * sizeof(T)));
  }
  /// A copy of what the host has.
  template <class T>
  T* upload(std::span<const T> values) {
    T* to = room<T>(values.size());
    queue_->from_host(to, values.data(), values.size_bytes());
    return to;
  }
  /// The first `count` of what kernels have written into room().
  template <class T>
  std::vector<T> download(std::size_t count) {
    std::vector<T> values(count);
    queue_->to_host(values.data(), memory_.get(), count * sizeof(T));
    return values;
  }

 private:
  std::byte* at_least(std::size_t size_bytes);

  std::shared_ptr<KernelQueue> queue_;
  std::shared_ptr<std::byte> memory_;
  std::size_t size_bytes_ = 0;
};

}  // namespace kevolve::cuda
