#include "core/devices/cuda/cuda_memory.hpp"

#include <array>

#include "core/devices/cuda/judge_launch.hpp"

namespace kevolve::cuda {
namespace {

/// One element, on the host.
struct HostElement {
  std::array<std::byte, 8> bytes{};
  gates::Elements view;

  HostElement(KernelQueue& queue, const gates::Elements& elements, std::size_t index)
      : view{elements.dtype, bytes.data(), 1} {
    const std::size_t step = size_bytes(elements.dtype);
    queue.to_host(bytes.data(), elements.data + index * step, step);
  }
  HostElement(const HostElement&) = delete;
};

}  // namespace

Result<std::shared_ptr<std::byte>> CudaMemory::allocate(std::size_t size_bytes) {
  return allocate_on(queue_, size_bytes);
}

void CudaMemory::copy(void* to, const void* from, std::size_t size_bytes) {
  if (size_bytes > 0) queue_->copy(to, from, size_bytes);
  queue_->finish();
}

void CudaMemory::from_host(void* to, const void* from, std::size_t size_bytes) {
  if (size_bytes > 0) queue_->from_host(to, from, size_bytes);
  queue_->finish();
}

void CudaMemory::to_host(void* to, const void* from, std::size_t size_bytes) {
  if (size_bytes > 0) queue_->to_host(to, from, size_bytes);
}

void CudaMemory::poison(std::byte* at, std::size_t size_bytes, std::uint8_t pattern) {
  if (size_bytes > 0) queue_->fill(at, pattern, size_bytes);
  queue_->finish();
}

void CudaMemory::draw(const gates::DrawPlan& plan, DType dtype, std::byte* to, std::size_t count) {
  if (count == 0 || plan.segments.empty()) return;
  const gates::DrawSegment* segments = uploads_.upload<gates::DrawSegment>(plan.segments);
  queue_->launch("judge_fill", fill_blocks(count), segments, std::uint64_t{plan.segments.size()}, plan.random,
                 dtype, to, std::uint64_t{count});
  if (!plan.singles.empty()) {
    queue_->finish();  // the segments are still read
    const gates::DrawSingle* singles = uploads_.upload<gates::DrawSingle>(plan.singles);
    queue_->launch("judge_place", blocks_for_each(plan.singles.size()), singles,
                   std::uint64_t{plan.singles.size()}, dtype, to);
  }
  queue_->finish();
}

bool CudaMemory::equal(const void* a, const void* b, std::size_t size_bytes) {
  const gates::Elements left{DType::u8, static_cast<const std::byte*>(a), size_bytes};
  const gates::Elements right{DType::u8, static_cast<const std::byte*>(b), size_bytes};
  return first_difference(left, right) == size_bytes;
}

std::size_t CudaMemory::first_difference(const gates::Elements& a, const gates::Elements& b) {
  return examination_.first_difference(a, b);
}

std::vector<std::size_t> CudaMemory::unwritten_in_both(const gates::Elements& a, std::uint8_t poison_a,
                                                       const gates::Elements& b, std::uint8_t poison_b) {
  return examination_.unwritten_in_both(a, poison_a, b, poison_b);
}

gates::Comparison CudaMemory::compare(const gates::Expectation& expected, const gates::Elements& answer,
                                      PrecisionClass required, std::optional<std::uint8_t> poison) {
  return gates::compare_by(examination_, expected, answer, required, poison);
}

double CudaMemory::at(const gates::Elements& elements, std::size_t index) {
  return HostElement(*queue_, elements, index).view.at(0);
}

bool CudaMemory::holds_poison(const gates::Elements& elements, std::size_t index, std::uint8_t pattern) {
  return kevolve::gates::holds_poison(HostElement(*queue_, elements, index).view, 0, pattern);
}

}  // namespace kevolve::cuda
