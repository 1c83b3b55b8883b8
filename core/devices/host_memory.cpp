#include "core/devices/host_memory.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "core/gates/examination.hpp"
#include "core/process/stopwatch.hpp"

namespace kevolve::devices {

std::size_t HostMemory::size_bytes() const {
  return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double HostMemory::time_us(const std::function<void()>& work) {
  const process::Stopwatch watch;
  work();
  return 1e6 * watch.seconds();
}

Result<std::shared_ptr<std::byte>> HostMemory::allocate(std::size_t size_bytes) {
  constexpr std::size_t kAlignment = 64;
  const std::size_t rounded = (size_bytes + kAlignment) / kAlignment * kAlignment;  // never 0
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr)
    return failure("allocating " + std::to_string(size_bytes) + " bytes of host memory: not enough memory");
  return std::shared_ptr<std::byte>(static_cast<std::byte*>(memory), [](std::byte* at) { std::free(at); });
}

void HostMemory::copy(void* to, const void* from, std::size_t size_bytes) {
  if (size_bytes > 0) std::memcpy(to, from, size_bytes);
}

void HostMemory::from_host(void* to, const void* from, std::size_t size_bytes) {
  copy(to, from, size_bytes);
}

void HostMemory::to_host(void* to, const void* from, std::size_t size_bytes) {
  copy(to, from, size_bytes);
}

void HostMemory::poison(std::byte* at, std::size_t size_bytes, std::uint8_t pattern) {
  kevolve::gates::poison({at, size_bytes}, pattern);
}

void HostMemory::draw(const gates::DrawPlan& plan, DType dtype, std::byte* to, std::size_t count) {
  gates::fill(plan, dtype, {to, count * kevolve::size_bytes(dtype)});
}

bool HostMemory::equal(const void* a, const void* b, std::size_t size_bytes) {
  return size_bytes == 0 || std::memcmp(a, b, size_bytes) == 0;
}

std::size_t HostMemory::first_difference(const gates::Elements& a, const gates::Elements& b) {
  return kevolve::gates::first_difference(a, b);
}

std::vector<std::size_t> HostMemory::unwritten_in_both(const gates::Elements& a, std::uint8_t poison_a,
                                                       const gates::Elements& b, std::uint8_t poison_b) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < a.count && indices.size() < gates::kMostSampled; ++i) {
    if (kevolve::gates::holds_poison(a, i, poison_a) && kevolve::gates::holds_poison(b, i, poison_b))
      indices.push_back(i);
  }
  return indices;
}

gates::Comparison HostMemory::compare(const gates::Expectation& expected, const gates::Elements& answer,
                                      PrecisionClass required, std::optional<std::uint8_t> poison) {
  return kevolve::gates::compare(expected, answer, required, poison);
}

double HostMemory::at(const gates::Elements& elements, std::size_t index) {
  return elements.at(index);
}

bool HostMemory::holds_poison(const gates::Elements& elements, std::size_t index, std::uint8_t pattern) {
  return kevolve::gates::holds_poison(elements, index, pattern);
}

}  // namespace kevolve::devices
