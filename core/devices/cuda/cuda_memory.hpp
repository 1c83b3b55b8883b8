#pragma once
// CudaMemory: the judge's hands on tensors of one GPU, by kernels of its own. Lives as long as any memory it
// has allocated keeps its queue. One thread.

#include <memory>
#include <string>

#include "core/devices/cuda/gpu_examination.hpp"
#include "core/devices/memory.hpp"

namespace kevolve::cuda {

class CudaMemory : public devices::Memory {
 public:
  /// `ordinal`: of the GPU that the queue's context is on; `size_bytes`: of its memory.
  CudaMemory(std::shared_ptr<KernelQueue> queue, int ordinal, std::size_t size_bytes)
      : queue_(std::move(queue)),
        ordinal_(ordinal),
        size_bytes_(size_bytes),
        uploads_(queue_),
        examination_(queue_) {}

  [[nodiscard]] std::string torch_device() const override { return "cuda:" + std::to_string(ordinal_); }
  [[nodiscard]] std::size_t size_bytes() const override { return size_bytes_; }
  double time_us(const std::function<void()>& work) override { return queue_->time_us(work); }
  Result<std::shared_ptr<std::byte>> allocate(std::size_t size_bytes) override;
  void copy(void* to, const void* from, std::size_t size_bytes) override;
  void from_host(void* to, const void* from, std::size_t size_bytes) override;
  void to_host(void* to, const void* from, std::size_t size_bytes) override;
  void poison(std::byte* at, std::size_t size_bytes, std::uint8_t pattern) override;
  void draw(const gates::DrawPlan& plan, DType dtype, std::byte* to, std::size_t count) override;
  bool equal(const void* a, const void* b, std::size_t size_bytes) override;
  std::size_t first_difference(const gates::Elements& a, const gates::Elements& b) override;
  std::vector<std::size_t> unwritten_in_both(const gates::Elements& a, std::uint8_t poison_a,
                                             const gates::Elements& b, std::uint8_t poison_b) override;
  gates::Comparison compare(const gates::Expectation& expected, const gates::Elements& answer,
                            PrecisionClass required, std::optional<std::uint8_t> poison) override;
  double at(const gates::Elements& elements, std::size_t index) override;
  bool holds_poison(const gates::Elements& elements, std::size_t index, std::uint8_t pattern) override;

 private:
  std::shared_ptr<KernelQueue> queue_;
  int ordinal_;
  std::size_t size_bytes_;
  GpuBuffer uploads_;
  GpuExamination examination_;
};

}  // namespace kevolve::cuda
