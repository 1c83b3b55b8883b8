#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/devices/cpu/simt/block.hpp"
#include "core/devices/cpu/simt/executor.hpp"

namespace kevolve::simt {
namespace {

constexpr std::size_t kSharedPage = 4096;
constexpr std::size_t kSharedGuardBytes = 16 * kSharedPage;
/// Poison behind every static array: what is read past its end is no plausible value.
constexpr std::size_t kRedZoneBytes = 64;
constexpr std::size_t kStaticBytes = static_cast<std::size_t>(kMaxStaticSharedBytes) + 4 * kSharedPage;
constexpr std::size_t kDynamicBytes =
    (static_cast<std::size_t>(kMaxDynamicSharedBytes) + kSharedPage - 1) / kSharedPage * kSharedPage;
constexpr std::size_t kDataBytes = kStaticBytes + kDynamicBytes;
constexpr std::size_t kRegionBytes = kDataBytes + 2 * kSharedGuardBytes;
static_assert(kStaticBytes % kSharedPage == 0);

void fill(unsigned char* begin, std::size_t size_bytes, std::uint64_t pattern) {
  std::size_t at = 0;
  for (; at + 8 <= size_bytes; at += 8) std::memcpy(begin + at, &pattern, 8);
  std::memcpy(begin + at, &pattern, size_bytes - at);
}

}  // namespace

SharedMemory::SharedMemory() {
  void* region = mmap(nullptr, kRegionBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED || mprotect(static_cast<unsigned char*>(region) + kSharedGuardBytes, kDataBytes,
                                       PROT_READ | PROT_WRITE) != 0) {
    std::perror("simt: cannot map shared memory");
    std::abort();
  }
  region_ = static_cast<unsigned char*>(region);
  view_.slots = slots_.data();
  view_.shared_begin = region_ + kSharedGuardBytes;
  view_.shared_size = kDataBytes;
}

SharedMemory::~SharedMemory() {
  munmap(region_, kRegionBytes);
}

void SharedMemory::start_launch(std::int64_t dynamic_bytes, std::uint64_t poison) {
  slots_.fill({});
  static_used_ = static_declared_ = 0;
  const std::size_t rounded = (static_cast<std::size_t>(dynamic_bytes) + 15) / 16 * 16;
  view_.dynamic_shared = view_.shared_begin + kDataBytes - rounded;
  view_.dynamic_bytes = static_cast<std::uint32_t>(dynamic_bytes);
  view_.poison = poison;
}

void SharedMemory::start_block() {
  fill(view_.shared_begin, static_used_, view_.poison);
  fill(view_.dynamic_shared, view_.dynamic_bytes, view_.poison);
}

void* SharedMemory::reserve(std::uint64_t key, std::size_t size_bytes, std::size_t alignment) {
  for (std::uint32_t probe = 0; probe < kSharedSlots; ++probe) {
    SharedSlot& slot = slots_[(key + probe) % kSharedSlots];
    if (slot.key == key) return slot.address;
    if (slot.key != 0) continue;
    const std::size_t step = std::max<std::size_t>(alignment, 64);
    const std::size_t begin = (static_used_ + step - 1) / step * step;
    const std::size_t end = begin + size_bytes + kRedZoneBytes;
    static_declared_ += size_bytes;
    if (static_declared_ > static_cast<std::size_t>(kMaxStaticSharedBytes) || end > kStaticBytes)
      return nullptr;
    slot = {key, view_.shared_begin + begin};
    fill(view_.shared_begin + static_used_, end - static_used_, view_.poison);
    static_used_ = end;
    return slot.address;
  }
  return nullptr;
}

bool SharedMemory::in_guard(const void* address) const {
  const auto* byte = static_cast<const unsigned char*>(address);
  if (byte < region_ || byte >= region_ + kRegionBytes) return false;
  return byte < view_.shared_begin || byte >= view_.shared_begin + kDataBytes;
}

}  // namespace kevolve::simt
